"""A program with something of every kind that an answer can be about.

usage: contract.py

Unreachable cycles, gc.garbage, leaked, lost and over-released references, a reference to freed
memory, threads that wait, handle exceptions and hold the GIL by turns, tasks, coroutines and
generators that wait, and a cache. The file "addresses" has a line for each object that is worth a
question: its address in hexadecimal, its name. It then says "ready" and reads stdin to its end, a byte at a
time, of which each is added to the file "done":
  g   it grows
  b   it is busy from then on
"""

import gc

gc.disable()

import asyncio
import ctypes
import sys
import threading

inject = ctypes.pythonapi
KEPT = {}


def named(name, thing):
    KEPT[name] = thing
    return thing


class Session:
    def __init__(self, user):
        self.user = user
        self.items = [user]


class Closed(Session):
    def __del__(self):
        pass


class Slotted:
    __slots__ = ("value",)


def forget(kind, count):
    for i in range(count):
        one, other = kind("user %d" % i), kind("other %d" % i)
        one.peer, other.peer = other, one
        one.attached = {"number": i}


def leak(thing, references=1):
    for _ in range(references):
        inject.Py_IncRef(ctypes.py_object(thing))


def set_refcount(thing, count):
    ctypes.c_ssize_t.from_address(id(thing)).value = count


def steps():
    for i in range(3):
        yield i


async def pause(seconds):
    await asyncio.sleep(seconds)


async def numbers():
    for i in range(3):
        yield i
        await asyncio.sleep(3600)


async def serve():
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(pause(3600)) for _ in range(3)]
    tasks.append(loop.create_task(waits_for(tasks[0])))
    named("agen", numbers())
    await KEPT["agen"].__anext__()
    await asyncio.sleep(0.01)
    named("tasks", tasks)
    ready.wait()
    loop.run_in_executor = None  # the loop stays where it is
    started.set()
    stop.wait()


async def waits_for(task):
    await task


def handles():
    try:
        try:
            {}["no such key"]
        except KeyError:
            raise ValueError("of the handler")
    except ValueError:
        handling.set()
        stop.wait()


handling, started, ready, stop = [threading.Event() for _ in range(4)]
threading.Thread(target=handles, name="handler", daemon=True).start()
handling.wait()
threading.Thread(target=lambda: asyncio.run(serve()), name="loop", daemon=True).start()

cache = named("cache", {"user:%d" % i: Session("user %d" % i) for i in range(1000)})
many = named("list", [object() for _ in range(5000)])
shared = [Session("shared %d" % i) for i in range(1000)]
mirror = list(shared)  # no object alone keeps them
named("session", cache["user:7"])
named("class", Session)
named("generator", steps()).__next__()
named("coroutine", pause(1))
named("method", cache["user:7"].__init__)
for i in range(20):
    leak(bytes(2000 + i))
    leak([i])
    held = named("excess%d" % i, {"excess": i})
    leak(held, 2)
leak((lambda: None))
loop = []
loop.append(loop)
leak(loop)
for i in range(5):
    under = named("under%d" % i, ["over-released"])
    KEPT["alias%d" % i] = under
    KEPT["again%d" % i] = [under]
    set_refcount(under, 2)  # that of the variable goes
del under
named("dangling", [None, None])
items = ctypes.c_void_p.from_address(id(KEPT["dangling"]) + 24).value  # ob_item
fill = [Slotted() for _ in range(50)]
address = id(fill[25])
del fill
ctypes.c_void_p.from_address(items).value = address
named("static", type(None))
named("builtin", len)
named("frozen", frozenset([1, 2]))
gc.garbage.append(Closed("garbage"))
forget(Session, 60)
forget(Closed, 20)


def lose():
    thing = Slotted()
    thing.value = "lost for good"
    leak(thing)
    return id(thing)


def lose_cycle():
    one = Session("cycle of garbage")
    one.peer = one
    return id(one)


def address_of(variable):
    return ctypes.addressof(ctypes.c_void_p.in_dll(inject, variable))


special = {"shared": id(shared[7]), "lost": lose(), "cycle": lose_cycle(), "freed": address, "variable": address_of("PyExc_ValueError")}
ready.set()
started.wait()
with open("addresses", "w") as file:
    for name, thing in KEPT.items():
        file.write("%x %s\n" % (id(thing), name))
    for name, number in special.items():
        file.write("%x %s\n" % (number, name))
    file.write("%x table\n" % (items + 8))


def main():
    local = {"name": "of the main function"}
    with open("addresses", "a") as file:
        file.write("%x local\n" % id(local))
    print("ready", flush=True)
    while True:
        request = sys.stdin.read(1)
        if not request:
            return
        if request == "g":
            many.extend(Session("grown") for _ in range(2000))
            forget(Session, 200)
            for i in range(200):
                leak([i])
        with open("done", "a") as file:
            file.write(request)
        while request == "b":
            pass


main()
