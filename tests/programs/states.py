"""The collector in unusual states, with the same garbage in all of them.

    states.py saved      gc.garbage is filled by an earlier collection
    states.py enabled    automatic collection on, thresholds high, callbacks set
    states.py frozen     some objects frozen, garbage among them
    states.py deep       the process is looked at from within generators, coroutines, callbacks
    states.py start      in a collection: a callback before it begins
    states.py stop       in a collection: a callback after its end
    states.py finalizer  in a collection: a __del__ that the collector calls
    states.py weakref    in a collection: a weakref's callback that the collector calls
    states.py busy       collections, one after the other, of many objects that stay
"""

import truth  # first: it turns the automatic collection off

import gc
import sys
import types
import weakref


class Node:
    def __init__(self, *items):
        self.self = self
        self.items = list(items)


class PausesInDel(Node):
    def __del__(self):
        if not truth_written:
            return
        # What a running finalizer refers to is reachable as long as it runs.
        with open("reachable", "w") as out:
            out.write("0x%x\n0x%x\n" % (id(self), id(self.items)))
            if sys.version_info < (3, 11):
                out.write("0x%x\n" % id(vars(self)))
        truth.pause()


def drop_cycles(count):
    for i in range(count):
        node = Node(i)
        truth.garbage(node, "node %d" % i)
        truth.garbage(node.items, "items of node %d" % i)


def saved():
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    for i in range(50):
        kept = Node(i)
        truth.kept(kept, "saved in gc.garbage")
    del kept
    gc.collect()
    gc.set_debug(0)
    assert len(gc.garbage) >= 50
    drop_cycles(20)
    truth.finish()


def enabled():
    drop_cycles(10)
    gc.callbacks.append(Node())
    gc.callbacks[-1].__class__ = type("Callback", (Node,), {"__call__": lambda *args: None})
    gc.set_threshold(1000000, 50, 5)
    gc.enable()
    drop_cycles(10)
    truth.finish()


def frozen():
    drop_kept()
    gc.freeze()
    drop_cycles(10)
    truth.finish()


def drop_kept():
    """Garbage that is about to be frozen."""
    for i in range(10):
        node = Node(i)
        truth.kept(node, "frozen node")


def deep():
    """finish() is called with running frames of every kind on the stack."""
    drop_cycles(5)

    def callback(x):
        node = Node(x)
        truth.kept(node, "local of a running function")
        run_in_class_body()
        return node

    def run_in_class_body():
        class Body:
            node = Node()
            truth.kept(node, "local of a running class body")
            exec("run_in_try()", {"run_in_try": run_in_try, "node": node})

    def run_in_try():
        try:
            raise ValueError(Node())
        except ValueError as error:
            truth.kept(error, "exception being handled")
            try:
                raise KeyError(error)
            except KeyError:
                list(generator())

    def generator():
        node = Node()
        truth.kept(node, "local of a running generator")
        yield node
        yield from inner()

    def inner():
        node = Node(sys._getframe())
        truth.kept(node, "local of a running inner generator")
        yield [drive(coroutine(node)), node]

    def drive(c):
        truth.kept(c, "running coroutine")
        try:
            c.send(None)
        except StopIteration:
            pass

    async def coroutine(node):
        await awaitable()

    @types.coroutine
    def awaitable():
        node = [n for n in [Node()] if sorted([3, 1], key=lambda n: last(n))]
        yield node

    def last(n):
        if n == 1:
            Deleted()
        return n

    class Deleted:
        def __del__(self):
            node = Node(self)
            truth.kept(node, "local of a running finalizer")
            drop_cycles(5)
            truth.finish()

    max([1], key=callback)


def start():
    gc.callbacks.append(pause_at("start"))
    drop_cycles(10)
    truth_then_collect()


def stop():
    gc.callbacks.append(pause_at("stop"))
    drop_cycles(10)
    truth_then_collect()


def pause_at(wanted):
    def callback(phase, info):
        if phase == wanted and truth_written:
            truth.pause()

    return callback


def finalizer():
    drop_cycles(10)
    PausesInDel()
    truth_then_collect()


def weakref_callback():
    target = Node()
    reference = weakref.ref(target, lambda _: truth_written and truth.pause())
    del target
    drop_cycles(10)
    truth_then_collect()
    return reference


def truth_then_collect():
    """The truth is what the collection that is looked at finds when it begins."""
    truth.finish(wait=False)
    truth_written.append(True)
    gc.collect()
    raise AssertionError("not looked at during the collection")


def busy():
    things = [Node(i, (i, [])) for i in range(100000)]
    gc.collect()
    truth.finish(wait=False)
    truth.os.write(1, b"ready\n")
    while True:
        gc.collect()


truth_written = []
{"weakref": weakref_callback}.get(sys.argv[1], globals().get(sys.argv[1]))()
