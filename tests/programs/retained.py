"""Structures of which is known what each of their objects keeps alive.

The process forks. The child finds for each object of the structures what could not be reached any
more if it went, by taking it away, and writes the file "retained": a line for each, its address and
then those of the objects that it keeps, itself included, in hexadecimal. Then it writes the file
"types": for each type of the objects that the collector tracks how many there are and the sum of
sys.getsizeof(). The parent leaves its heap alone, says "ready", and waits for the end of its input.
"""

import gc

gc.disable()

import collections
import os
import random
import sys

from truth import type_name

NODES = 150


class Session:
    def __init__(self, number, shared):
        self.user = "user-%d" % number
        self.basket = ["item-%d" % number, shared]


class Slotted:
    __slots__ = ("before", "payload")


def cache(shared):
    """Each entry owned by the cache alone, but for what all share."""
    return {"key-%d" % number: Session(number, shared) for number in range(20)}


def chain(length):
    head = None
    for number in range(length):
        node = Slotted()
        node.before, node.payload = head, "payload-%d" % number
        head = node
    return head


def diamond():
    bottom = [["under the bottom-%d" % NODES]]
    return [[bottom], {"right-%d" % NODES: bottom}]


def cycle():
    one, other = ["one-%d" % NODES], ["other-%d" % NODES]
    one.append(other)
    other.append(one)
    return (one,)


def closure():
    seen = ["seen-%d" % NODES]
    return lambda: seen


def tangle():
    """A graph made by chance."""
    chance = random.Random(4)
    nodes = [["node-%d" % number] for number in range(NODES)]
    for node in nodes:
        for _ in range(chance.randrange(3)):
            node.append(chance.choice(nodes))
    return chance.sample(nodes, 8)


def build():
    shared = ["shared-%d" % NODES]
    pair = [("of two-%d" % number,) for number in range(5)]
    held = collections.defaultdict(list)
    held["held-%d" % NODES].append({("set-%d" % NODES, 1000000 + NODES), frozenset(["f-%d" % NODES])})
    return [
        cache(shared),
        [list(pair), tuple(pair), pair[:2]],
        chain(30),
        diamond(),
        cycle(),
        closure(),
        tangle(),
        held,
        collections.deque([bytearray(100), bytes(NODES), 1.5 * NODES]),
        collections.OrderedDict(("ordered-%d" % number, [number]) for number in range(5)),
    ]


def is_own(thing):
    """Is it an object that build() made: no class, no constant, nothing that CPython shares?"""
    if isinstance(thing, str):
        return "-" in thing
    if isinstance(thing, int):
        return thing > 256
    return thing is not None and thing != () and not isinstance(thing, (type, type(os), type(len)))


def edges(thing):
    if isinstance(thing, type(build)):
        return [thing.__closure__]
    found = gc.get_referents(thing)
    if isinstance(thing, dict):
        found = list(thing) + list(dict.values(thing)) + found
    return [other for other in found if is_own(other)]


def reach(graph, start, without):
    reached, open_ = {start}, [start]
    while open_:
        for other in graph[open_.pop()]:
            if other != without and other not in reached:
                reached.add(other)
                open_.append(other)
    return reached


def write_retained(things):
    graph, open_, kept = {}, [things], []
    while open_:
        thing = open_.pop()
        if id(thing) in graph:
            continue
        kept.append(thing)
        others = edges(thing)
        graph[id(thing)] = [id(other) for other in others]
        open_ += others
    everything = reach(graph, id(things), None)
    with open("retained", "w") as out:
        for one in graph:
            if one != id(things):
                gone = everything - reach(graph, id(things), one)
                out.write(" ".join("%x" % address for address in [one] + sorted(gone)) + "\n")


def write_types(things):
    counts = {}
    for thing in things:
        count = counts.setdefault(type_name(type(thing)), [0, 0])
        count[0] += 1
        count[1] += sys.getsizeof(thing)
    with open("types", "w") as out:
        for name, (count, size) in counts.items():
            out.write("%s %d %d\n" % (name, count, size))


structures = build()
child = os.fork()
if not child:
    os._exit(0)
os.waitpid(child, 0)  # what the first wait makes is there before the second
print("made", flush=True)
child = os.fork()
if not child:
    tracked = gc.get_objects()
    write_types(tracked)
    write_retained(structures)
    os._exit(0)
os.waitpid(child, 0)
print("ready", flush=True)
os.read(0, 1)  # sys.stdin.read() would make objects
