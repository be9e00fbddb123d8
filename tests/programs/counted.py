"""What the collector itself says of the heap: who refers to some objects, and how many objects of
each type it has.

Writes two files. `referrers` has a line for each object that is asked about: its address and those
of all that gc.get_referrers() gives, in hexadecimal and sorted. `types` has a line for each type of
the oldest generation: its name with its module, how many objects, and for some types the sum of
sys.getsizeof(). Then it says "ready" and waits for the end of stdin.
"""

import gc

gc.disable()

import collections
import functools
import sys
import weakref


class Node:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class Slots:
    __slots__ = ("left", "right")


def closure(thing):
    def inner(extra=thing):
        return thing, extra

    return inner


shared = ["shared"]
key = (1, closure)  # stays tracked
slots = Slots()
slots.left = slots.right = shared
holders = [
    [shared, shared],
    (shared, key),
    {"item": shared, key: 1},
    Node(item=shared, key=key),
    slots,
    closure(shared),
    functools.partial(print, shared, end=key),
    collections.deque([shared, key]),
    collections.OrderedDict(item=shared),
    collections.defaultdict(list, item=shared),
    weakref.WeakValueDictionary(),
    iter([shared]),
    Node(item={"deep": [key]}).__dict__,
    shared.append,
    type("Made", (Node,), {"item": shared, "method": closure(key)}),
    property(closure(shared)),
    staticmethod(closure(key)),
    map(closure(key), shared),
    (item for item in shared),
]
asked = [shared, key, slots, Node, Slots, closure, holders] + holders[:6] + [closure(1), {}]
SIZED = (list, tuple, set, collections.deque)


def name(type_):
    module = type_.__module__
    return type_.__qualname__ if module == "builtins" else module + "." + type_.__qualname__


def write_types():
    counts, sizes = collections.Counter(), collections.Counter()
    oldest = gc.get_objects(generation=2)
    for thing in oldest:
        counts[name(type(thing))] += 1
        if type(thing) in SIZED:
            sizes[name(type(thing))] += sys.getsizeof(thing)
    with open("types", "w") as file:
        for type_ in sorted(counts):
            print(type_, counts[type_], sizes[type_], sep="\t", file=file)


def write_referrers():
    with open("referrers", "w") as file:
        for i in range(len(asked)):
            found = ["%x" % id(referrer) for referrer in gc.get_referrers(asked[i])]
            print("%x" % id(asked[i]), *sorted(found), file=file)


for _ in range(2):  # what is made the first time is there the second
    gc.collect()
    write_types()
    write_referrers()
print("ready", flush=True)
sys.stdin.read()
