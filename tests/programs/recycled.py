"""Objects that are held in memory which held something else before, for the census: none of them is leaked.

Makes and frees objects and tables of many sizes in random order, and keeps some that hold a Held each. Writes the
addresses of these, and of what may hold them, to the file "held", a line for each, says "ready" and waits.

    recycled.py SEED
"""

import array
import collections
import ctypes
import functools
import gc
import itertools
import os
import random
import sys

gc.disable()


class Held:
    __slots__ = ("number",)


class Node:
    pass


class Child(Node):
    def method(self):
        return self


def generator(thing):
    inside = [thing]
    yield inside


def node(thing, names):
    made = Child()
    for name in names:
        setattr(made, name, None)
    made.thing = thing
    return made


def started(thing):
    made = generator(thing)
    next(made)
    return made


def appended(thing, count):
    made = []
    for _ in range(count):
        made.append(None)
    made.append(thing)
    return made


def popped(thing, count):
    made = [Held() for _ in range(count)]
    while made:
        made.pop()
    made.append(thing)
    return made


def looked_up(thing, count):
    made = dict.fromkeys(range(count))
    made[thing] = thing
    for i in range(count):
        del made[i]
    return made


NAMES = ["name%d" % i for i in range(40)]
choose = random.Random(int(sys.argv[1]))
few = lambda: choose.choice((0, 0, 0, 1, 2, 3, 5, 8, 12))
holders = [
    lambda thing: [thing],
    lambda thing: appended(thing, few()),
    lambda thing: popped(thing, few()),
    lambda thing: (None,) * few() + (thing,),
    lambda thing: {"key": thing},
    lambda thing: {few(): thing, thing: None},
    lambda thing: looked_up(thing, few()),
    lambda thing: {thing, few()},
    lambda thing: frozenset([thing]),
    lambda thing: collections.deque([None] * few() + [thing]),
    lambda thing: collections.OrderedDict([(few(), thing)]),
    lambda thing: node(thing, NAMES[:few() * 3]),
    lambda thing: vars(node(thing, NAMES[:few()])),
    lambda thing: node(thing, []).method,
    started,
    lambda thing: lambda: thing,
    lambda thing: functools.partial(print, thing, end=thing),
    lambda thing: slice(None, thing),
    lambda thing: iter([thing]),
    lambda thing: enumerate((thing,)),
    lambda thing: zip([thing], {thing: few()}),
    lambda thing: itertools.chain([thing], itertools.repeat(thing)),
    lambda thing: iter({few(): thing}.items()),
    lambda thing: ValueError(thing, few()),
]
others = [
    lambda: choose.getrandbits(choose.choice([20, 50, 80, 110, 200])),
    lambda: choose.random(),
    lambda: complex(few(), few()),
    lambda: os.urandom(few() * 5),
    lambda: "%0*d" % (few() * 6, few()),
    lambda: bytearray(few() * 8),
    lambda: tuple(range(few())),
    lambda: list(range(few())),
    lambda: array.array("q", range(few())),
    lambda: range(few(), 10**12),
    lambda: choose.choice(holders)(Held()),
]


def churn(rounds):
    kept, passing = [], []
    for _ in range(rounds):
        what = choose.randrange(4)
        if what == 0:
            kept.append(choose.choice(holders)(Held()))
        elif what < 3 or not passing:
            passing.extend(choose.choice(others)() for _ in range(few()))
        else:
            del passing[:choose.randrange(len(passing)) + 1]
        if choose.randrange(2000) == 0:
            choose.shuffle(passing)
            choose.shuffle(kept)
            del kept[:len(kept) // 4]
    return kept


def state_dict():
    """What the interpreter keeps for C extensions."""
    get = getattr(ctypes.pythonapi, "PyInterpreterState_Get", None) or ctypes.pythonapi._PyInterpreterState_Get
    get.restype = ctypes.c_void_p
    table = ctypes.pythonapi.PyInterpreterState_GetDict
    table.argtypes = [ctypes.c_void_p]
    table.restype = ctypes.c_void_p
    return ctypes.cast(table(get()), ctypes.py_object).value


state_dict()["held"] = Held()
kept = churn(40000)
# Their addresses are kept nowhere as numbers of a machine: those would look like references.
lines = "".join("%x\n" % id(thing) for thing in gc.get_objects() if type(thing) in (Held, Child, list, dict))
with open("held", "w") as file:
    file.write(lines)
sys.stdout.write("ready\n")
sys.stdout.flush()
os.read(0, 1)
