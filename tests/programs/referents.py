"""Every kind of object, alive, and what the collector sees of each.

The process forks. The child writes the file "referents": a line for each tracked object with its
address, its type, sys.getsizeof() and what its tp_traverse visits, in order, all in hexadecimal; and
the file "labels": holder, held object, and what the edge between them is called. The parent leaves its
heap alone, says "ready" on stdout, and waits for the end of stdin: it is then
looked at.
"""

import gc

gc.disable()

import asyncio
import collections
import ctypes
import functools
import os
import pickle
import sys
import typing
import warnings

warnings.simplefilter("ignore")

import shapes


def iterators():
    yield iter("text"), iter("\u20ac"), iter(b"bytes"), iter(bytearray(b"bytes"))
    yield iter(iter("ab").__next__, None), reversed([1]), reversed({1: 2}), iter({1})
    yield iter(memoryview(b"12")), iter((1, 2)), iter([]), zip(), map(str, "ab")
    if sys.version_info >= (3, 11):
        yield iter(list[int])


def aliases():
    if sys.version_info >= (3, 10):
        parameters = typing.ParamSpec("P")
        yield parameters, parameters.args, parameters.kwargs, typing.TypeVar("T", bound=list)
    if sys.version_info >= (3, 13):
        yield typing.TypeVarTuple("Ts", default=typing.Unpack[typing.Tuple[int]])


def awaitables():
    async def generator():
        yield []

    async def coroutine(loop):
        pass

    loop = asyncio.new_event_loop()
    yield loop, loop.create_task(coroutine(loop))
    if sys.version_info >= (3, 10):
        yield anext(generator(), [])


class SameHash:
    def __hash__(self):
        return 1


def colliding_trie():
    """A trie of keys with one hash; only CPython's own tests can make one."""
    for name in "_testcapi", "_testinternalcapi":
        try:
            trie = __import__(name).hamt()
        except (ImportError, AttributeError):
            continue
        for i in range(3):
            trie = trie.set(SameHash(), [i])
        yield trie


def rarities():
    new = ctypes.pythonapi.PyInstanceMethod_New
    new.restype = ctypes.py_object
    new.argtypes = [ctypes.py_object]
    yield new(rarities), pickle.PickleBuffer(b"bytes"), functools.cmp_to_key(max)(1)
    if sys.version_info >= (3, 11):
        yield BaseExceptionGroup("group", [BaseException([]), KeyboardInterrupt()])


MORE = iterators, aliases, awaitables, colliding_trie, rarities


class Plain:
    pass


class Slotted(Plain):
    __slots__ = ("first", "second")


class Named(dict):
    pass


def labels():
    """Holder, held, and what people call the edge."""
    plain = Plain()
    plain.first, plain.second = [1], [2]
    if sys.version_info >= (3, 11):
        yield plain, plain.second, ".second"
    else:
        yield plain, plain.__dict__, "__dict__"
    seen = Plain()
    seen.first, seen.second = [1], [2]
    yield seen.__dict__, seen.second, "['second']"
    many = Plain()
    for i in range(40):
        setattr(many, "attribute%d" % i, [i])
    yield many.__dict__, many.attribute39, "['attribute39']"
    slotted = Slotted()
    slotted.first, slotted.second = [1], [2]
    yield slotted, slotted.second, ".second"
    yield slotted, Slotted, "__class__"
    named = Named({1: [1], "it's": [2], b"bytes": [3], None: [4], -7: [5], (1,): [6], True: []})
    named.attribute = [7]
    yield named, named["it's"], "[\"it's\"]"
    yield named, named[b"bytes"], "[b'bytes']"
    yield named, named[None], "[None]"
    yield named, named[-7], "[-7]"
    yield named, named[(1,)], "[(1,)]"
    listed = [[], [], []]
    yield listed, listed[2], "[2]"
    yield tuple(listed), listed[1], "[1]"
    queue = collections.deque([i] for i in range(200))
    yield queue, queue[150], "[150]"
    ordered = collections.OrderedDict(a=[1], b=[2])
    yield ordered, ordered["b"], "['b']"

    def function(default=[]):
        return listed

    yield function, function.__closure__, ".__closure__"
    yield function, function.__defaults__, ".__defaults__"
    yield function.__closure__[0], listed, ".cell_contents"
    bound = plain.first.append
    yield bound, plain.first, ".__self__"
    partial = functools.partial(function, listed)
    yield partial, function, ".func"

    def generator(argument):
        local = [1]
        yield local

    suspended = generator([2])
    local = next(suspended)
    frame = suspended if sys.version_info >= (3, 11) else suspended.gi_frame
    yield frame, local, "local"
    error = ValueError([1])
    error.__cause__ = KeyError()
    yield error, error.__cause__, ".__cause__"
    yield Slotted, Slotted.__mro__, ".__mro__"


def size_of(thing):
    try:
        return sys.getsizeof(thing)
    except Exception:
        return 0


def write_referents(objects):
    with open("referents", "w") as out:
        for thing in objects:
            visited = " ".join(["%x" % id(referent) for referent in gc.get_referents(thing)])
            out.write("%x %x %x %s\n" % (id(thing), id(type(thing)), size_of(thing), visited))


def write_labels(edges):
    with open("labels", "w") as out:
        for holder, held, label in edges:
            out.write("%x %x %s\n" % (id(holder), id(held), label))


def main():
    # Not os.fork(): it runs handlers that change threading's and asyncio's objects in the child.
    fork = ctypes.CDLL(None).fork
    holder = []
    for shape in shapes.SHAPES + shapes.UNSEEN:
        holder.append(shape())
    for maker in MORE:
        holder.append(list(maker()))
    edges = list(labels())
    # Held in both processes, so that no other object takes the place of one of these.
    objects = gc.get_objects()
    child = fork()
    if child == 0:
        write_referents(objects)
        write_labels(edges)
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        os._exit(3)
    os.write(1, b"ready\n")
    os.read(0, 1)
    os._exit(0)


main()
