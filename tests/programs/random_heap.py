"""A seeded random graph of objects of many kinds, with random roots.

    random_heap.py SEED COUNT
"""

import truth  # first: it turns the automatic collection off

import collections
import functools
import gc
import random
import sys
import types
import weakref


class Plain:
    pass


class HasDel:
    def __del__(self):
        pass


class Slots:
    __slots__ = ("a", "b", "c", "__weakref__")


class SlotsAndDict(Slots):
    pass


class List(list):
    pass


class Dict(dict):
    __slots__ = ("extra",)


class Error(Exception):
    pass


def closure():
    value = None

    def f(new=None):
        return value

    return f


def suspended(value):
    # The list holds itself, so that closing the generator frees nothing else.
    value.append(value)
    yield value


def generator(_):
    g = suspended([])
    next(g)
    return g


def failed(thing):
    try:
        raise Error(thing)
    except Error as e:
        return e


def some(rng, things):
    """Up to four of the things made so far."""
    return [rng.choice(things) for _ in range(rng.randrange(5))] if things else []


MAKERS = [
    (20, lambda rng, things: []),
    (15, lambda rng, things: {}),
    (15, lambda rng, things: Plain()),
    (5, lambda rng, things: HasDel()),
    (10, lambda rng, things: tuple(some(rng, things))),
    (8, lambda rng, things: Slots()),
    (5, lambda rng, things: SlotsAndDict()),
    (5, lambda rng, things: List(some(rng, things))),
    (5, lambda rng, things: Dict()),
    (8, lambda rng, things: closure()),
    (4, lambda rng, things: collections.deque(some(rng, things), maxlen=rng.choice([None, 3]))),
    (3, lambda rng, things: collections.OrderedDict()),
    (3, lambda rng, things: collections.defaultdict(list)),
    (3, lambda rng, things: types.SimpleNamespace()),
    (3, lambda rng, things: functools.partial(closure(), *some(rng, things))),
    (3, lambda rng, things: failed(some(rng, things))),
    (2, lambda rng, things: Error(*some(rng, things))),
    (2, lambda rng, things: generator(None)),
    (2, lambda rng, things: iter(some(rng, things))),
    (2, lambda rng, things: types.MethodType(closure(), some(rng, things))),
    (2, lambda rng, things: property(*some(rng, things)[:3])),
    (2, lambda rng, things: types.CellType()),
    (2, lambda rng, things: set(t for t in some(rng, things) if isinstance(t, Plain))),
    (1, lambda rng, things: type("Made", (Plain,), {"__slots__": ("s",)})),
    (1, lambda rng, things: types.ModuleType("made")),
]


WITH_ATTRIBUTES = (
    Plain,
    HasDel,
    SlotsAndDict,
    Error,
    type,
    types.ModuleType,
    types.SimpleNamespace,
    functools.partial,
)


def link(rng, a, b):
    """Makes a refer to b, in one of the ways that its kind allows."""
    name = "n%d" % rng.randrange(rng.choice([3, 12, 40]))
    if isinstance(a, (list, collections.deque)):
        a.append(b)
    elif isinstance(a, collections.OrderedDict):
        a[rng.choice([name, rng.randrange(50)])] = b
    elif isinstance(a, Dict) and rng.random() < 0.3:
        a.extra = b
    elif isinstance(a, dict):
        a[rng.choice([name, name, name, rng.randrange(50)])] = b
    elif isinstance(a, Slots) and rng.random() < 0.7:
        setattr(a, rng.choice("abc"), b)
    elif isinstance(a, set):
        if isinstance(b, Plain):
            a.add(b)
    elif isinstance(a, types.CellType):
        a.cell_contents = b
    elif isinstance(a, types.FunctionType):
        if rng.random() < 0.5:
            a.__closure__[0].cell_contents = b
        else:
            a.__defaults__ = (b,)
    elif isinstance(a, WITH_ATTRIBUTES):
        setattr(a, name, b)
        if rng.random() < 0.1:
            vars(a)  # makes the dict of an instance that has only values


def unlink(rng, a):
    """Takes something out of a again."""
    if isinstance(a, (list, collections.deque)) and a:
        a.pop()
    elif isinstance(a, dict) and a:
        del a[rng.choice(list(a))]
    elif isinstance(a, (Plain, HasDel)) and vars(a):
        delattr(a, rng.choice(list(vars(a))))


def island(rng, makers, earlier):
    """Makes objects that mostly refer to each other, seldom to earlier ones. Returns them."""
    things = []
    for _ in range(int(rng.lognormvariate(2.5, 1.3)) + 1):
        things.append(rng.choice(makers)(rng, things))
    for _ in range(int(len(things) * rng.uniform(0.3, 2.5))):
        link(rng, rng.choice(things), rng.choice(things))
        if rng.random() < 0.1:
            unlink(rng, rng.choice(things))
        if rng.random() < 0.02:
            link(rng, rng.choice(things), weakref.ref(closure()))
        if rng.random() < 0.01 and earlier:
            link(rng, rng.choice(things), rng.choice(earlier))
        if rng.random() < 0.002 and earlier:
            link(rng, rng.choice(earlier), rng.choice(things))
    return things


def build(seed, count):
    """Returns the roots of a new heap; all else in it is garbage or held by them."""
    rng = random.Random(seed)
    makers = [make for weight, make in MAKERS for _ in range(weight)]
    rooted = rng.uniform(0.2, 0.7)
    things, roots = [], []
    for collect in (1, 0, None):
        # Each third into a generation of its own.
        start = len(things)
        while len(things) - start < count // 3:
            made = island(rng, makers, things)
            if rng.random() < rooted:
                roots.append(rng.choice(made))
            things.extend(made)
            # The exceptions' frames lead back to the frames of all these functions, and so to
            # the lists in them.
            made.clear()
        if collect is not None:
            gc.collect(collect)
    things.clear()
    return roots


roots = build(int(sys.argv[1]), int(sys.argv[2]))
truth.finish()
