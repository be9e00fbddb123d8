"""Reference bugs as C extensions have them, injected into a quiet or a busy program.

usage: leak.py COUNT ROUNDS     COUNT of each bug, ROUNDS of unrelated work before and after

The bugs are those of leakext.c, which is built here; where Python.h or a compiler is missing, they
are made through ctypes. What was injected is written to the file `injected`, one object a line:
  lost|excess|cycle|over-released ADDRESS TYPE REFCOUNT FOUND
  freed ADDRESS LIST              a list that refers to a freed object
  by leakext|ctypes               how
"""

import collections
import ctypes
import gc
import os
import random
import sys
import sysconfig

inject = ctypes.PyDLL(None)
for name in ("Py_IncRef", "Py_DecRef"):
    getattr(inject, name).argtypes = [ctypes.py_object]
    getattr(inject, name).restype = None


class Node:
    pass


class WithCtypes:
    """The functions of leakext.c."""

    def lose(self, thing):
        inject.Py_IncRef(thing)
        return id(thing)

    def lose_list(self, item):
        return self.lose([item])

    def lose_dict(self, item):
        return self.lose({"item": item})

    def lose_instance(self, cls):
        return self.lose(cls())

    def lose_str(self, number):
        return self.lose("leaked text %d" % number)

    def lose_bytes(self, number):
        return self.lose(b"leaked bytes %d" % number)

    def lose_int(self, number):
        return self.lose(0x123456789AB000 + number)

    take = lose

    def release(self, thing):
        inject.Py_DecRef(thing)
        return id(thing)

    def put_freed(self, things):
        things[0] = bytes(167)
        address = id(things[0])
        inject.Py_DecRef(things[0])
        return address


def extension():
    """leakext if it can be built, else its stand-in."""
    include = sysconfig.get_path("include")
    command = "cc -shared -fPIC -w -I'%s' -o leakext.so programs/leakext.c" % include
    if os.path.exists(include + "/Python.h") and os.system(command + " 2>/dev/null") == 0:
        sys.path.insert(0, os.getcwd())
        import leakext

        return leakext, "leakext"
    return WithCtypes(), "ctypes"


def work(rounds):
    """Fills the memory with stale pointers: makes and frees objects of many types and sizes."""
    kept = {}
    for i in range(rounds):
        key = random.randrange(5000)
        kind = random.randrange(7)
        if kind == 0:
            kept[key] = [random.random() for _ in range(random.randrange(20))]
        elif kind == 1:
            kept[key] = {str(i): i, "before": kept.get(key) if i % 10 == 0 else None}
        elif kind == 2:
            kept[key] = ("x" * random.randrange(100), i)
        elif kind == 3:
            kept[key] = bytes(random.randrange(200))
        elif kind == 4:
            kept[key] = collections.deque(range(random.randrange(100)))
        elif kind == 5:
            kept[key] = Node()
            kept[key].number = i
        else:
            kept.pop(key, None)
        if i % 1000 == 0:
            values = sorted(kept.values(), key=id)
            del values[::2]


def inject_leaks(bugs, count, note):
    for i in range(count):
        note("lost", bugs.lose_list(random.random()), "list", 1, 0)
        note("lost", bugs.lose_dict(random.random()), "dict", 1, 0)
        note("lost", bugs.lose_instance(Node), "__main__.Node", 1, 0)
        note("lost", bugs.lose_str(i), "str", 1, 0)
        note("lost", bugs.lose_bytes(i), "bytes", 1, 0)
        note("lost", bugs.lose_int(i), "int", 1, 0)


def inject_cycles(bugs, count, note):
    for i in range(count):
        first, second = Node(), Node()
        first.other, second.other = second, first
        note("cycle", bugs.take(first), "__main__.Node", 2, 1)


def inject_excess(bugs, count, cache, note):
    for i in range(count):
        cache[i] = [i]
        for _ in range(3):
            bugs.take(cache[i])
        note("excess", id(cache[i]), "list", 4, 1)


def inject_over_release(bugs, count, left, right, note):
    for i in range(count):
        left.append(collections.deque([i]))
        right.append(left[-1])
        note("over-released", bugs.release(left[-1]), "collections.deque", 1, 2)
        left.append("released text %d" % i)
        right.append(left[-1])
        note("over-released", bugs.release(left[-1]), "str", 1, 2)


def main():
    count, rounds = int(sys.argv[1]), int(sys.argv[2])
    random.seed(1)
    bugs, how = extension()
    lines = ["by " + how]
    cache, left, right, broken = {}, [], [], [None]

    def note(kind, address, *facts):
        lines.append(" ".join(map(str, (kind, "0x%x" % address) + facts)))

    work(rounds)
    inject_leaks(bugs, count, note)
    inject_cycles(bugs, count, note)
    inject_excess(bugs, count, cache, note)
    inject_over_release(bugs, count, left, right, note)
    work(rounds)
    work(100)  # what any program does next: reuses its stacks and free lists
    gc.collect()
    with open("injected", "w") as file:
        file.write("\n".join(lines) + "\n")
        file.write("freed 0x%x 0x%x\n" % (bugs.put_freed(broken), id(broken)))
    os.write(1, b"ready\n")
    os.read(0, 1)
    os._exit(0)


main()
