"""Cycles through contexts, event loops, threads and C data."""

import asyncio
import contextvars
import ctypes
import queue
import threading

from . import shape


class Plain:
    pass


@shape
def context_variables():
    v = contextvars.ContextVar("v", default=[])
    p = Plain()
    p.v = v
    p.contexts = []
    for i in range(40):
        context = contextvars.Context()
        p.contexts.append(context)
    for i in range(40):
        # Enough variables for tree nodes of every kind.
        variable = contextvars.ContextVar("v%d" % i)
        p.contexts[0].run(variable.set, [p])
        p.token = p.contexts[1].run(variable.set, p)
    p.contexts.append(p.contexts[0].copy())
    return [p, p.contexts, p.token] + p.contexts


@shape
def context_items_and_iterators():
    # Older releases make them for the collector but do not track them, and never find this.
    p, q = Plain(), Plain()
    context = contextvars.Context()
    context.run(contextvars.ContextVar("v").set, [p, q])
    p.items = context.items()
    q.iterator = iter(context)
    next(q.iterator)
    return []


@shape
def asyncio_futures():
    loop = asyncio.new_event_loop()
    loop.close()
    f = asyncio.Future(loop=loop)
    f.add_done_callback(lambda _: f)
    f.add_done_callback(f.cancel)
    done = asyncio.Future(loop=loop)
    done.set_result([f, done])
    cancelled = asyncio.Future(loop=loop)
    cancelled.cancel()
    f.attribute = [f, done, cancelled]
    iterator = iter(f)
    iterator.send(None)
    done.iterator = iterator
    failed = asyncio.Future(loop=loop)
    failed.set_exception(ValueError([failed]))
    failed.exception()
    return [f, done, failed, f.attribute, done.result(), iterator]


@shape
def asyncio_tasks():
    loop = asyncio.new_event_loop()
    ring = []
    ring.append(ring)

    async def waits(future):
        local = [future, ring]
        ring.append(local)
        await future

    async def main():
        future = loop.create_future()
        task = loop.create_task(waits(future))
        task.add_done_callback(lambda _: ring)
        await asyncio.sleep(0)
        ring.extend([future, task])
        other = loop.create_task(waits(future))
        await asyncio.sleep(0)
        other.cancel()
        ring.append(other)

    loop.run_until_complete(main())
    loop.close()
    return [ring] + ring[2:3] + ring[4:5]


@shape
def asyncio_primitives():
    loop = asyncio.new_event_loop()

    async def main():
        made = [asyncio.Lock(), asyncio.Event(), asyncio.Condition(), asyncio.Semaphore()]
        made += [asyncio.Queue(), asyncio.Queue(maxsize=3)]
        await made[4].put(made)
        made.append(made)
        return made

    made = loop.run_until_complete(main())
    loop.close()
    return [made] + made


@shape
def thread_locals():
    local = threading.local()
    local.local = local
    local.list = [local]

    class Local(threading.local):
        x = None

    other = Local()
    other.x = local
    local.other = other
    return [local, local.list, Local, other]


@shape
def locks_and_conditions():
    p = Plain()
    p.made = [
        threading.Lock(),
        threading.RLock(),
        threading.Condition(),
        threading.Semaphore(),
        threading.Event(),
        threading.Barrier(2),
        threading.Timer(1, lambda: p),
        threading.Thread(target=lambda: p, args=(p,)),
    ]
    p.made[2].p = p
    return [p, p.made, p.made[2]]


@shape
def queues():
    p = Plain()
    p.queue, p.simple, p.priority = queue.Queue(), queue.SimpleQueue(), queue.PriorityQueue()
    for i in range(30):
        p.simple.put([p])
        p.queue.put(p)
    for i in range(12):
        p.simple.get()
    return [p, p.queue, p.simple, p.priority]


@shape
def ctypes_structures():
    class Point(ctypes.Structure):
        _fields_ = [("x", ctypes.c_int), ("o", ctypes.py_object), ("b", ctypes.c_int, 3)]

    class Union(ctypes.Union):
        _fields_ = [("a", ctypes.c_int), ("point", Point)]

    point = Point(1)
    point.o = ctypes.py_object([point])
    text = ctypes.c_char_p(b"bytes")
    text.point = point
    point.text = text
    point.kept = [Union(5)]
    return [Point, Union, point, point.kept, text]


@shape(until=(3, 12), unseen=True)
def ctypes_reference():
    # What byref() makes is no GC object here.
    class Number(ctypes.c_int):
        pass

    n = Number()
    n.reference = ctypes.byref(n)
    return [n, Number]


@shape
def ctypes_arrays_and_pointers():
    # ctypes keeps the pointer types, and with them the structures, in a cache of its own.
    class Node(ctypes.Structure):
        pass

    Node._fields_ = [("next", ctypes.POINTER(Node))]
    node = Node()
    node.next = ctypes.pointer(node)
    nodes = (Node * 3)(node, node)
    nodes.nodes = nodes
    node.cast = ctypes.cast(ctypes.pointer(node), ctypes.c_void_p)
    node.node = node
    return [node, nodes]


@shape
def ctypes_callbacks():
    p = Plain()
    p.callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda x: p)
    p.array = (ctypes.CFUNCTYPE(None) * 2)()
    return [p, p.callback]


@shape
def ctypes_basics():
    a = [ctypes.c_int(1), ctypes.py_object([1]), ctypes.create_string_buffer(10)]
    a.append(ctypes.py_object(a))
    a.append((ctypes.c_char_p * 2)(b"a", b"b"))
    library = ctypes.CDLL(None)
    library.strlen.argtypes = [ctypes.c_char_p]
    library.strlen.errcheck = lambda *args: a
    a.extend([library, library.strlen])
    return [a] + a


@shape(unseen=True)
def leaked_reference():
    # As by a C extension that forgets a Py_DECREF.
    p = Plain()
    p.p = p
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(p))
    return [p]
