"""Objects of all kinds, and what the process itself knows of each.

The process forks. The child writes the file "objects": a line of JSON for each object; and the file
"places": addresses where no object is, what is there, and the object that it belongs to. The parent
leaves its heap alone, says "ready" on stdout, and waits for the end of stdin: it is then looked at.
"""

import gc

gc.disable()

import collections
import ctypes
import dataclasses
import enum
import json
import os
import sys
import types

IMMORTAL = 1 << 29
SIZED = (str, bytes, bytearray, list, tuple, dict, set, frozenset, collections.deque)


class Base:
    pass


class Session(Base):
    def __init__(self, number):
        self.number = number
        self.text = "text %d" % number
        self.items = [number]
        self.myself = self

    def method(self):
        pass


class Slotted(Base):
    __slots__ = ("first", "second", "unset")

    def __init__(self):
        self.first, self.second = [1], "two"


class Stack(list):
    pass


class Table(dict):
    pass


class Text(str):
    pass


@dataclasses.dataclass
class Point:
    x: int
    y: object


class Color(enum.Enum):
    RED = 1


class Final:
    def __del__(self):
        REVIVED.append(self)


REVIVED = []


def generator(argument):
    local = [argument]
    yield local


def zoo():
    """Objects that nothing but the zoo refers to, mostly; in the old generation or the young one."""
    number = len(sys.argv)
    yield from (Session(number), Slotted(), Point(1, "a"), Color.RED, types.SimpleNamespace(a=[], b=2))
    yield from ([[i] for i in range(5)], list(range(300)), tuple([[] for i in range(4)]), ("a", number))
    yield from ({"a": [], "b": 1, 3: "c"}, {str(i): str(i * number) for i in range(50)}, Table(x=[], y=2))
    yield from (Stack([1, [], 3]), {1, "two", 3.5}, frozenset(["x"]), collections.deque([[i] for i in range(150)]))
    yield from (collections.OrderedDict(a=[1], b=2), "h\xe9llo %d" % number, "x" * 5000 + str(number))
    yield from (Text("some text"), b"bytes \xff" * number, bytearray(b"abc"), 2**100 * number, 1.5 * number)
    yield from (complex(1, number), generator, generator(5), Session, Session.method, int, type, os, None, True)
    yield from ((), "", [].append, range(number, 10), slice(1, 2), ValueError("boom", number), object(), Base())


def type_name(cls):
    if cls.__module__ == "builtins" or not isinstance(cls.__module__, str):
        return cls.__qualname__
    return cls.__module__ + "." + cls.__qualname__


def count_of(things):
    """sys.getrefcount() of each, as it is called here."""
    return [sys.getrefcount(thing) for thing in things]


def attributes_of(thing):
    found = {}
    for cls in type(thing).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(thing, name):
                found[name] = id(getattr(thing, name))
    if isinstance(getattr(thing, "__dict__", None), dict):
        found.update((name, id(value)) for name, value in thing.__dict__.items() if isinstance(name, str))
    return found


def items_of(thing):
    if isinstance(thing, dict):
        return [id(value) for value in thing.values()]
    if isinstance(thing, (list, tuple, collections.deque)):
        return [id(value) for value in thing]
    if isinstance(thing, (set, frozenset)):
        return sorted(id(value) for value in thing)
    return []


def plain(thing):
    """sys.getsizeof() and repr() are what they are for these types alone."""
    kinds = (int, str, bytes, float, complex, list, tuple, dict, set, frozenset, type(None))
    return type(thing) in kinds + (types.FunctionType, range, slice)


def shared(thing):
    """Others use it meanwhile."""
    return thing in (None, True, (), "") or isinstance(thing, (type, types.ModuleType))


def facts(things, generations, extra):
    for thing, count in zip(things, count_of(things)):
        short = type(thing) in (str, bytes) and len(thing) < 100
        yield {
            "address": id(thing),
            "type_mro": [type_name(cls) for cls in type(thing).__mro__],
            "module": type(thing).__module__,
            "mro": [type_name(cls) for cls in thing.__mro__] if isinstance(thing, type) else None,
            "refcount": count - extra if count < IMMORTAL and not shared(thing) else None,
            "tracked": gc.is_tracked(thing),
            "finalized": gc.is_finalized(thing) if hasattr(gc, "is_finalized") else None,
            "generation": generations.get(id(thing)),
            "size": sys.getsizeof(thing) if plain(thing) else None,
            "length": len(thing) if isinstance(thing, SIZED) else None,
            "repr": repr(thing) if short or type(thing) in (int, float, complex, bool) or thing is None else None,
            "attributes": None if isinstance(thing, (type, types.ModuleType)) else attributes_of(thing),
            "items": items_of(thing),
            "is_set": isinstance(thing, (set, frozenset)),
            "unreachable": False,
        }


def write(things):
    generations = {}
    for i in range(3):
        generations.update((id(thing), i) for thing in gc.get_objects(generation=i))
    fresh = [[], []]
    extra = count_of(fresh)[0] - 1
    with open("objects", "w") as out:
        for fact in facts(things, generations, extra):
            out.write(json.dumps(fact) + "\n")
        for thing in gc.get_objects():
            if type(thing) is Final and thing is not REVIVED[0]:
                out.write(json.dumps({"address": id(thing), "unreachable": True}) + "\n")


def word_at(address):
    return ctypes.c_uint64.from_address(address).value


def places(things):
    """Addresses in the storage of a list, the table of a dict, static data, a stack, and nothing."""
    listed = next(thing for thing in things if type(thing) is list and len(thing) == 300)
    table = next(thing for thing in things if type(thing) is dict and len(thing) == 50)
    stack = ctypes.c_uint64.in_dll(ctypes.CDLL(None), "__libc_stack_end").value
    yield word_at(id(listed) + 24) + 40, "object", id(listed)
    yield word_at(id(table) + 32) + 8, "raw", id(table)
    yield ctypes.addressof(ctypes.c_int.in_dll(ctypes.pythonapi, "Py_OptimizeFlag")) + 1, "static", 0
    yield stack, "stack", 0
    yield 0x1000, "nothing", 0
    yield id(type) + 24, "inside", id(type)


def write_places(things):
    with open("places", "w") as out:
        for address, kind, owner in places(things):
            out.write("%x %s %x\n" % (address, kind, owner))


def main():
    fork = ctypes.CDLL(None).fork
    Final()
    old = list(zoo())
    gc.collect()
    things = old + REVIVED + list(zoo())
    lost = Final()
    lost.itself = lost
    del lost
    child = fork()
    if child == 0:
        write(things)
        write_places(things)
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        os._exit(3)
    os.write(1, b"ready\n")
    os.read(0, 1)
    os._exit(0)


main()
