"""Threads, tasks, generators in all kinds of places, and where they are.

Threads run into a lock from everywhere that Python code can be called from. When all stand still, a
thread of its own writes the file "stacks": where CPython says that each of them is
(sys._current_frames()), what waits to go on (gi_frame, cr_await, asyncio's tasks) and the variables
of the functions. Its own stack changes, so that it is not in there.
"""

import asyncio
import functools
import gc
import json
import os
import re
import sys
import threading
import time
import types

gate = threading.Lock()
gate.acquire()
parked = []
situations = []
exceptions = {}
kept = []
SIMPLE = (int, float, bool, str, type(None))


def park(*ignored, **also):
    parked.append(threading.get_ident())
    gate.acquire()


def situation(function):
    situations.append(function)
    return function


# --- Where threads are -------------------------------------------------------


@situation
def deep(n=900):
    if n:
        return deep(n - 1) + 1
    return park()


@situation
def nested_exceptions():
    try:
        {}["missing"]
    except KeyError as first:
        try:
            raise ValueError("boom") from first
        except ValueError:
            exceptions[threading.get_ident()] = id(sys.exc_info()[1])
            (
                park()
            )


@situation
def exception_of_a_caller():
    def handler():
        generator = (x for x in [1, 2])
        next(generator)
        exceptions[threading.get_ident()] = id(sys.exc_info()[1])
        park()

    try:
        1 // 0
    except ZeroDivisionError:
        handler()


@situation
def in_finally():
    try:
        pass
    finally:
        park()


@situation
def class_body():
    outer = 1

    class Outer:
        a = outer

        class Inner(object):
            b = "text"
            park()

    return Outer


@situation
def comprehensions():
    factor = 3
    return [
        y
        for y in [park() if x else x * factor for x in range(2)]
    ]


@situation
def nested_comprehension():
    return {k: {park(v) for v in range(k, k + 1)} for k in range(1, 3)}


@situation
def generator_expression():
    return sum(park() or x for x in (1, 2))


@situation
def lambdas():
    return (lambda a, b=2, *c, d=4, **e:
            (lambda:
             park(a))())(1, f=6)


@situation
def multi_line_call():
    return str(
        1
    ).replace(
        "1",
        park(
            1,
            2,
        )
    )


@situation
def argument_of_a_call():
    return max(
        1,
        park(),
        3,
    )


@situation
def decorator():
    @park
    def decorated():
        pass


@situation
def default_argument():
    def function(a=1,
                 b=park(),
                 c=2):
        return a, b, c


@situation
def odd_file_names():
    exec(compile("def f(x):\n\n y = x\n return (\n  park(\n   y))\nf(1)\n", "odd \u2603\n'\"\\.py", "exec"),
         {"park": park})


@situation
def string():
    exec("z = 5\n\npark()\n", {"park": park}, {"own": 1})


@situation
def evaluated():
    eval("[\npark()]", {"park": park, "__name__": "x"}, {})


@situation
def key_of_a_sort():
    return sorted([3, 1, 2], key=lambda item: park() if item == 2 else item)


@situation
def mapped():
    return list(map(park, [1]))


@situation
def reduced():
    return functools.reduce(lambda a, b: park(a, b), [1, 2])


@situation
def replaced():
    return re.sub("b", lambda match: park(match), "abc")


@situation
def json_default():
    return json.dumps({"a": [object()]}, default=park)


@situation
def partials():
    return functools.partial(functools.partial(park, 1), 2)()


class Special:
    def __getattr__(self, name):
        return park(name)

    def __del__(self):
        park()

    def __format__(self, spec):
        return park(spec)

    def __eq__(self, other):
        return park(other)

    def __hash__(self):
        return 1

    def __iter__(self):
        yield 1
        park()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        park()

    def __call__(self, *arguments):
        return park(arguments)

    def __len__(self):
        park()
        return 1

    @property
    def attribute(self):
        return park()


class Derived(Special):
    def __init__(self):
        own = 1
        super().__init__()
        park()


@situation
def attribute():
    return Special().missing


@situation
def finalizer():
    value = Special()
    del value


@situation
def formatted():
    return f"{1} {Special():>3}"


@situation
def compared():
    return Special() in [
        1, Special()]


@situation
def looked_up():
    return {Special(): 1}[Special()]


@situation
def iterated():
    a, *rest = Special()
    return a, rest


@situation
def context_manager():
    with Special() as value:
        value = 1


@situation
def called():
    return Special()(1)


@situation
def length():
    if Special():
        pass


@situation
def a_property():
    return Special().attribute


@situation
def constructor():
    return Derived()


@situation
def closures(argument="given", gone="gone"):
    shared = [1]
    late = None
    del gone

    def inner():
        nonlocal late
        late = shared
        shared_too = len(shared) + len(argument)
        return park(shared_too)

    argument = argument + "!"
    return inner()


@situation
def many_arguments(a, /, b=2, *c, d=4, **e):
    text = "x" * 20
    number = 10**18
    return park(text, number)


@situation
def running_generator():
    def first():
        x = 1
        yield x
        yield from second()

    def second():
        y = 2
        yield (
            park(y))

    for item in first():
        pass


@situation
def running_coroutine():
    class Awaitable:
        def __await__(self):
            park()
            yield

    async def inner():
        await Awaitable()

    async def outer():
        return await inner()

    outer().send(None)


@situation
def traced():
    def trace(frame, event, argument):
        return trace

    def function():
        a = 1
        b = 2
        park()

    sys.settrace(trace)
    function()


@situation
def loops():
    for i in range(3):
        while i == 1:
            if i:
                park()
            i += 1


@situation
def imported():
    with open("parking_module.py", "w") as out:
        out.write("import stacks_park\nattribute = 1\nstacks_park.park()\n")
    module = types.ModuleType("stacks_park")
    module.park = park
    sys.modules["stacks_park"] = module
    sys.path.insert(0, os.getcwd())
    import parking_module


def waits_for_another_lock():
    lock = threading.Lock()
    lock.acquire()
    parked.append(threading.get_ident())
    lock.acquire()


for i in range(20):
    situations.append(waits_for_another_lock)


# --- What waits --------------------------------------------------------------


def chain_of_generators(n):
    local = "n%d" % n
    if n:
        result = yield from chain_of_generators(n - 1)
    else:
        yield (
            local)


def in_try():
    try:
        raise KeyError(1)
    except KeyError:
        yield 1
    finally:
        yield 2


def iterates():
    yield 0
    yield from [1, 2]


@types.coroutine
def old_coroutine():
    yield


class PythonAwaitable:
    def __await__(self):
        yield from old_coroutine()


async def awaits(what):
    return await what


async def async_generator():
    yield 1
    await old_coroutine()
    yield 2


async def iterates_async():
    async for item in async_generator():
        pass


def start(generator, steps=1):
    for _ in range(steps):
        generator.send(None)
    kept.append(generator)


def make_generators():
    start(chain_of_generators(0), 0)
    start(chain_of_generators(0))
    start(chain_of_generators(5))
    start(in_try())
    start(in_try(), 2)
    start(iterates())
    start(iterates(), 2)
    start(x for x in [1, 2])
    for _ in range(30):
        start(chain_of_generators(1))
    start(awaits(old_coroutine()))
    start(awaits(awaits(PythonAwaitable())))
    start(awaits(PythonAwaitable()), 0)
    start(iterates_async())
    suspended = async_generator()
    try:
        suspended.__anext__().send(None)
    except StopIteration:
        pass
    kept.append(suspended)
    kept.append(async_generator())
    # With a frame object, and one that is finished.
    start(chain_of_generators(1))
    kept.append(kept[-1].gi_frame)
    done = chain_of_generators(0)
    list(done)
    kept.append(done)


TASK_GROUP = """
async def task_group():
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(1000), name="grouped")
"""


class NamedTask(asyncio.Task):
    pass


async def many_tasks():
    loop = asyncio.get_running_loop()
    lock = asyncio.Lock()
    await lock.acquire()
    condition = asyncio.Condition()

    async def locked():
        async with lock:
            pass

    async def notified():
        async with condition:
            await condition.wait()

    async def gathers():
        await asyncio.gather(asyncio.sleep(1000), awaits(loop.create_future()))

    async def joins():
        await asyncio.ensure_future(asyncio.sleep(1000))

    async def done():
        return 1

    coroutines = [locked(), notified(), gathers(), joins(), done(),
                  asyncio.Queue().get(), asyncio.Event().wait(),
                  awaits(loop.create_future()), iterates_queue(),
                  asyncio.wait_for(asyncio.Event().wait(), 1000),
                  asyncio.shield(awaits(loop.create_future())),
                  awaits(asyncio.wait([asyncio.ensure_future(awaits(loop.create_future()))])),
                  ]
    coroutines += [asyncio.sleep(1000) for _ in range(10)]
    if hasattr(asyncio, "TaskGroup"):
        scope = {"asyncio": asyncio}
        exec(TASK_GROUP, scope)
        coroutines.append(scope["task_group"]())
    kept.extend(asyncio.ensure_future(coroutine) for coroutine in coroutines)
    kept[-1].set_name("a name \u2603")
    kept.append(NamedTask(asyncio.sleep(1000), loop=loop))
    kept.append(asyncio.tasks._PyTask(asyncio.sleep(1000), loop=loop, name="python"))
    await asyncio.sleep(0.2)
    # One that has not begun when the loop is blocked for good.
    kept.append(loop.create_task(asyncio.sleep(1000)))
    blocks()


async def queue_generator():
    queue = asyncio.Queue()
    while True:
        yield await queue.get()


async def iterates_queue():
    async for item in queue_generator():
        pass


def blocks():
    park()


@situation
def event_loop():
    asyncio.run(many_tasks())


# --- Greenlets, where there are any ------------------------------------------


def in_greenlet(n):
    doubled = n * 2
    switch_back(
        n)
    return doubled


def switch_back(n):
    greenlet.getcurrent().parent.switch(n)


try:
    import greenlet

    greenlets = [greenlet.greenlet(in_greenlet) for _ in range(4)]
    for number, started in enumerate(greenlets[1:]):
        started.switch(number)
    # One more is done, and the first has not begun.
    greenlets.append(greenlet.greenlet(len))
    greenlets[-1].switch("")
except ImportError:
    greenlets = []


# --- The truth ---------------------------------------------------------------


def place(frame):
    return [frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name]


def variables(frame):
    """Names, and values of those whose repr is bounded and the same everywhere."""
    if frame.f_locals is frame.f_globals or frame.f_code.co_name == "<module>" and \
            frame.f_locals == frame.f_globals:
        return {}
    return {name: repr(value) if type(value) in SIMPLE and len(repr(value)) < 60 else None
            for name, value in frame.f_locals.items()}


def stack(frame):
    frames = []
    while frame:
        frames.append(place(frame) + [variables(frame)])
        frame = frame.f_back
    return frames[::-1]


GENERATORS = {types.GeneratorType: "gi", types.CoroutineType: "cr", types.AsyncGeneratorType: "ag"}
WRAPPERS = {"async_generator_asend", "async_generator_athrow", "coroutine_wrapper",
            "anext_awaitable", "FutureIter", "_asyncio.FutureIter"}


def part(generator, name):
    prefix = GENERATORS[type(generator)]
    if name == "await" and prefix == "gi":
        name = "yieldfrom"
    return getattr(generator, prefix + "_" + name)


def unwrapped(awaited):
    while type(awaited).__name__ in WRAPPERS:
        behind = [item for item in gc.get_referents(awaited)
                  if type(item) in GENERATORS or hasattr(item, "add_done_callback")]
        if not behind:
            break
        awaited = behind[0]
    return awaited


def is_suspended(item):
    if type(item) not in GENERATORS or part(item, "frame") is None:
        return False
    # ag_running says that an __anext__() is under way, which may itself be suspended.
    return not part(item, "running") or part(item, "await") is not None


def follow(item):
    frames = []
    while is_suspended(item):
        frame = part(item, "frame")
        frames.append(place(frame) + [variables(frame)])
        item = unwrapped(part(item, "await"))
    return frames, None if item is None else "0x%x" % id(item)


def waiting():
    everything = gc.get_objects()
    tasks = [item for item in everything
             if isinstance(item, (asyncio.Task, asyncio.tasks._PyTask)) and not item.done()]
    suspended = [item for item in everything if is_suspended(item)]
    inner = {id(unwrapped(part(item, "await"))) for item in suspended}
    inner |= {id(task.get_coro() if hasattr(task, "get_coro") else task._coro) for task in tasks}
    found = []
    for task in tasks:
        coroutine = task._coro
        if not is_suspended(coroutine):
            continue
        frames, awaited = follow(coroutine)
        if task._fut_waiter is not None:
            awaited = "0x%x" % id(task._fut_waiter)
        found.append({"record": "task", "address": "0x%x" % id(task), "name": task.get_name(),
                      "frames": frames, "awaits": awaited})
    for item in suspended:
        if id(item) in inner:
            continue
        frames, awaited = follow(item)
        found.append({"record": {"gi": "generator", "cr": "coroutine",
                                 "ag": "async generator"}[GENERATORS[type(item)]],
                      "address": "0x%x" % id(item), "name": None, "frames": frames,
                      "awaits": awaited})
    for item in greenlets:
        if item.gr_frame:
            found.append({"record": "greenlet", "address": "0x%x" % id(item), "name": None,
                          "frames": stack(item.gr_frame), "awaits": None})
    return found


def positions():
    return {ident: (id(frame), frame.f_lasti) for ident, frame in sys._current_frames().items()
            if ident != threading.get_ident()}


def judge():
    while len(parked) < len(situations):
        time.sleep(0.01)
    before = None
    while before != positions():
        before = positions()
        time.sleep(0.1)
    gc.collect()
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    natives = {thread.ident: thread.native_id for thread in threading.enumerate()}
    truth = {
        "threads": [{"ident": "0x%x" % ident, "tid": natives[ident], "name": names[ident],
                     "exception": "0x%x" % exceptions[ident] if ident in exceptions else None,
                     "frames": stack(frame)}
                    for ident, frame in sys._current_frames().items()
                    if ident != threading.get_ident()],
        "waiting": waiting(),
    }
    with open("stacks", "w") as out:
        json.dump(truth, out)
    print("ready", flush=True)
    gate.acquire()


def run(function):
    if function is many_arguments:
        function(1, 2, 3, f=6)
    else:
        function()


sys.setrecursionlimit(3000)
make_generators()
for function in situations:
    threading.Thread(target=run, args=(function,), name=function.__name__, daemon=True).start()
threading.Thread(target=judge, name="judge", daemon=True).start()
sys.stdin.read()
os._exit(0)
