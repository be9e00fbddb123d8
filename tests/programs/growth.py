"""A program that grows in known ways on request, and churns its memory in between.

usage: growth.py COUNT     each request, a byte on stdin, adds a byte to the file `done` when it is:
  g   COUNT sessions more in a cache, visits in others, COUNT forgotten cycles, COUNT leaked lists, one task each
  c   churn: objects of many types are made and freed, so that addresses change
  x   the collector runs
  s   from now on it grows by itself, a little every few milliseconds
  q   the end
"""

import collections
import ctypes
import gc
import os
import random
import select
import sys
import sysconfig
import types

inject = ctypes.PyDLL(None)
inject.Py_IncRef.argtypes = [ctypes.py_object]
inject.Py_IncRef.restype = None


class Session:
    def __init__(self, user):
        self.user = user
        self.history = [user, user * 2]


class Request:
    pass


class Answer:
    pass


class Node:
    __slots__ = ("next", "value")


class Lost:
    pass


class Visit:
    def __init__(self, page):
        self.page = page


class Cache:
    def __init__(self):
        self._entries = {}
        self.by_user = {n: [] for n in range(10)}
        self.recent = collections.deque()
        self.by_page = collections.OrderedDict()


app = types.ModuleType("app")
sys.modules["app"] = app
app.cache = Cache()
app.head = None
app.buffer = bytearray()


def extension():
    """leakext if it can be built, else what it does."""
    include = sysconfig.get_path("include")
    command = "cc -shared -fPIC -w -I'%s' -o leakext.so programs/leakext.c" % include
    if os.path.exists(include + "/Python.h") and os.system(command + " 2>/dev/null") == 0:
        sys.path.insert(0, os.getcwd())
        import leakext

        return leakext.lose_instance

    def lose_instance(cls):
        inject.Py_IncRef(cls())

    return lose_instance


def grow(count, lose_instance, jobs):
    start = len(app.cache._entries)
    for i in range(start, start + count):
        app.cache._entries["user:%d" % i] = Session(1000.5 + i)
        app.cache.by_user[i % 10].append((i + 0.25,))
        app.cache.recent.append(Visit([i]))
        app.cache.by_page["page %d" % i] = Visit({"page": i})
        request, answer = Request(), Answer()
        request.answer, answer.request = answer, request
        lose_instance(Lost)
        node = Node()
        node.next, node.value = app.head, i + 0.75
        app.head = node
        jobs.append(handler(i + 0.125))
        jobs[-1].send(None)
    app.buffer += bytes(count * 100)


@types.coroutine
def forever():
    while True:
        yield


async def handler(number):
    text = "job %r" % number
    await forever()
    return text


def churn(rounds):
    kept = {}
    for i in range(rounds):
        key = random.randrange(500)
        kind = random.randrange(6)
        if kind == 0:
            kept[key] = [random.random() for _ in range(random.randrange(20))]
        elif kind == 1:
            kept[key] = {str(i): i}
        elif kind == 2:
            kept[key] = ("x" * random.randrange(100), i)
        elif kind == 3:
            kept[key] = Session("churn %d" % i)
        elif kind == 4:
            kept[key] = bytes(random.randrange(900))
        else:
            kept.pop(key, None)


def main():
    count = int(sys.argv[1])
    lose_instance = extension()
    jobs = []
    done = os.open("done", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    gc.collect()
    gc.disable()
    churn(2000)
    os.write(1, b"ready\n")
    steady = None
    while True:
        while steady and not select.select([0], [], [], steady)[0]:
            grow(2, lose_instance, jobs)
        request = os.read(0, 1)
        if request == b"g":
            grow(count, lose_instance, jobs)
        elif request == b"c":
            churn(5000)
        elif request == b"x":
            gc.collect(0)
        elif request == b"s":
            steady = 0.01
        else:
            os._exit(0)
        os.write(done, b".")


main()
