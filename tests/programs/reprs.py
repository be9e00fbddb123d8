"""Objects of all kinds, with what repr() says of them.

Writes to the file "reprs" a line "ADDRESS<tab>TEXT" for each, and waits. `same` is for objects whose
repr must be Python's own, `differs` for those where pymem has a form of its own and says why.
"""

import array
import collections
import ctypes
import datetime
import decimal
import enum
import fractions
import functools
import os
import pathlib
import random
import re
import sys
import time
import types
import uuid
import weakref

try:
    import dataclasses
except ImportError:
    dataclasses = None

kept = []
lines = []


def same(value):
    differs(value, repr(value), "not at all")


def differs(value, text, why):
    kept.append(value)
    lines.append("%x\t%s\n" % (id(value), text))


# Text
for text in (
    "", "a", "it's", 'say "x"', "it's \"x\"", "back\\slash", "\n\r\t\0\x1b\x7f", "caf\xe9", "\xa0\xad\x80",
    "\u03b1\u03b2\u2028\u200b\ufeff", "\u4e2d\u6587", "\U0001f600 smile", "\ud800", "a\udc80b", "\ue000",
    "\U000e0001\U0010ffff", "x" * 3000, "\u1234" * 500, "\uffff\ufdd0", "'" * 5, "\u202e",
):
    same(text)
for data in (b"", b"abc", b"'\"", b"\\", b"z" * 2000, bytes(range(256)), b"it's"):
    same(data)
    differs(bytearray(data), "bytearray(%r)" % data, "bytearray escapes ' even where the mark is another")
shrunk = bytearray(b"0123456789" * 10)
del shrunk[:7]
same(shrunk)
if sys.version_info < (3, 12):
    make = ctypes.pythonapi.PyUnicode_FromUnicode
    make.restype, make.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_ssize_t)
    legacy = make(None, 5)  # its characters are in wchar_t, until somebody looks at them
    where = ctypes.cast(ctypes.c_void_p.from_address(id(legacy) + 40), ctypes.c_void_p).value
    ctypes.memmove(where, ctypes.create_unicode_buffer("h\xe9 \u4e2d!"), 20)
    differs(legacy, repr("h\xe9 \u4e2d!"), "a look at it would change it")

# Numbers
randoms = random.Random(5)
for number in (0, 1, -1, 255, 2**30 - 1, 2**30, -(2**30), 2**60, 2**63, -(2**64), 10**100, -(10**300), 2**9000,
               123456789012345678901234567890):
    same(number)
for bits in range(1, 2000, 97):
    same(randoms.getrandbits(bits))
differs(10**5000, "<int of 5001 digits>", "too long")
differs(-(7**9000), "<negative int of %d digits>" % 7606, "too long")
for number in (
    0.0, -0.0, 1.0, -1.5, 0.1, 1 / 3, 1e15, 1e16, 1e17, 123456789012345680.0, 1e-4, 1e-5, 0.00012, 1.5e-7, 5e-324,
    2.0**-44, 2.0**-1022, 1.7976931348623157e308, float("inf"), float("-inf"), float("nan"), 9007199254740993.0,
    100.0, 1234.5678, 1e22, 1e23, 4.35, 0.05, 2.5e-3,
):
    same(number)
for _ in range(60):
    same(randoms.uniform(-1, 1) * 10 ** randoms.randrange(-300, 300))
    same(2.0 ** randoms.randrange(-1000, 1000))
for number in (0j, 1j, -1j, 1 + 2j, 1.5 - 2.5j, complex(-0.0, 1), complex(0, float("nan")), complex(float("inf"), -0.0)):
    same(number)
for value in (True, False, None, Ellipsis, NotImplemented):
    same(value)
for text in ("0", "-0", "1.5", "1E+5", "1E-10", "0.000001", "0.0000001", "123456789012345678901234567890.12345",
             "NaN", "-Infinity", "sNaN", "1.00", "-12.30E+20", "0E-5", "100000000000000000000"):
    same(decimal.Decimal(text))
same(fractions.Fraction(-3, 7))
same(fractions.Fraction(10**30, 7))

# Containers
same([])
same([1, "a", [2, (3,), {"x": [4]}], None])
same(())
same((1,))
same((1, 2))
same({})
same({"a": 1, 2: "b", (1, 2): {3}, None: {}})
holes = {i: i for i in range(20)}
for i in range(0, 20, 3):
    del holes[i]
same(holes)
for value in (set(), {1}, {"a"}, {1, 2, 3, 500}, frozenset(), frozenset([1, 2]), set(range(100))):
    same(value)
removed = set(range(30))
removed -= set(range(5, 25))
same(removed)
for value in (range(5), range(1, 10), range(10, 0, -2), range(2**70, 2**71), slice(None), slice(1, 2, "x")):
    same(value)
same(collections.deque())
same(collections.deque(range(200)))
same(collections.deque([1, 2], maxlen=3))
turned = collections.deque(range(100))
turned.rotate(37)
same(turned)
same(collections.defaultdict(int, {"a": 1}))
same(collections.defaultdict(None, {}))
ordered = collections.OrderedDict((i, i) for i in "abc")
ordered.move_to_end("a")
differs(ordered, "OrderedDict({'b': 'b', 'c': 'c', 'a': 'a'})", "one form for all versions: that of 3.12")
differs(collections.Counter("aab"), "Counter({'a': 2, 'b': 1})", "in order of the dict")
same({}.keys())
same({"a": 1, "b": 2}.keys())
same({"a": 1, "b": 2}.values())
same({"a": 1, "b": 2}.items())
same(types.MappingProxyType({"a": 1}))
same(time.gmtime(0))
same(os.stat("/"))
same(sys.version_info)
same(array.array("i"))
same(array.array("i", [1, -2, 3]))
same(array.array("d", [1.5, 2.0]))
same(array.array("B", [1, 255]))
same(array.array("b", [-1]))
same(array.array("f", [0.5]))
same(array.array("Q", [2**64 - 1]))
same(array.array("q", [-(2**63)]))
same(array.array("u", "h\xe9\u4e2d"))

# What contains itself
loop = [1]
loop.append(loop)
same(loop)
knot = {"me": None}
knot["me"] = [knot]
same(knot)
twisted = ([],)
twisted[0].append(twisted)
same(twisted)
deep = collections.deque()
deep.append(deep)
same(deep)


def nested(depth):
    kind = randoms.randrange(9 if depth else 5)
    if kind == 0:
        return randoms.randrange(-(2**70), 2**70)
    if kind == 1:
        return "".join(chr(randoms.choice((randoms.randrange(32, 127), randoms.randrange(0xa1, 0xac), 10)))
                       for _ in range(randoms.randrange(8)))
    if kind == 2:
        return randoms.random() * 10 ** randoms.randrange(-20, 20)
    if kind == 3:
        return bytes(randoms.randrange(256) for _ in range(randoms.randrange(6)))
    if kind == 4:
        return randoms.choice((None, True, False, ...))
    count = randoms.randrange(5)
    if kind == 5:
        return [nested(depth - 1) for _ in range(count)]
    if kind == 6:
        return tuple(nested(depth - 1) for _ in range(count))
    if kind == 7:
        return {repr(nested(0)): nested(depth - 1) for _ in range(count)}
    return {nested(0) for _ in range(count)}


for _ in range(300):
    same(nested(5))


# Classes of Python code. repr() says "Point(x=1)" and "<Color.RED: 1>"; pymem adds the module.
def named(value):
    text = repr(value)
    differs(value, ("<__main__." + text[1:]) if text[0] == "<" else "__main__." + text, "with the module")


class Token(str):
    pass


class Raw(bytes):
    pass


class Number(int):
    pass


class Real(float):
    pass


class Stack(list):
    pass


class Row(tuple):
    pass


class Table(dict):
    pass


class Bag(set):
    pass


class Money(decimal.Decimal):
    pass


for cls, value in ((Token, "x\u4e2d"), (Token, "ascii"), (Raw, b"x"), (Number, -(2**80)), (Number, 0), (Real, 1.5),
                   (Stack, [1, 2]), (Row, (1,)), (Table, {"a": 1}), (Bag, {1})):
    value = cls(value)
    plain = [base for base in cls.__mro__[1:]][0]
    differs(value, "__main__.%s(%s)" % (cls.__name__, plain.__repr__(value) if plain is not set else "{1}"),
            "the class is shown")
    if hasattr(value, "__dict__"):
        value = cls(value)
        value.extra = 1
        differs(value, lines[-1].split("\t")[1][:-1], "the class is shown, attributes are not")
differs(Money("1.5"), "__main__.Money('1.5')", "the class is shown")
Pair = collections.namedtuple("Pair", "left right")
named(Pair(1, [2]))


class Color(enum.Enum):
    RED = 1
    BLUE = "b"


class Level(enum.IntEnum):
    LOW = 1


class Mode(enum.Flag):
    READ = 1
    WRITE = 2


named(Color.RED)
named(Color.BLUE)
named(Mode.READ)
differs(Level.LOW, "<__main__.Level.LOW: 1>", "with the module")


@dataclasses.dataclass
class Point:
    x: int
    y: list = dataclasses.field(default_factory=list)
    hidden: int = dataclasses.field(default=3, repr=False)
    shared: "typing.ClassVar[int]" = 5


@dataclasses.dataclass(frozen=True)
class Slotted:
    __slots__ = ("a", "b")
    a: int
    b: str


named(Point(1, ["x"]))
named(Point(2))
named(Slotted(1, "s"))


class Session:
    def __init__(self, user):
        self.user = user
        self.count = 3

    def load(self):
        yield self


class Slots:
    __slots__ = ("a", "b")


class More(Slots):
    pass


def attributes(value, text):
    cls = type(value)
    differs(value, "<%s.%s at 0x%x%s>" % (cls.__module__, cls.__qualname__, id(value), text), "attributes are shown")


session = Session("bob")
attributes(session, " user='bob' count=3")
attributes(Session(None), " user=None count=3")
materialised = Session("evelyn")
materialised.__dict__["later"] = [1]
attributes(materialised, " user='evelyn' count=3 later=[1]")
slots = Slots()
slots.b = 2
attributes(slots, " b=2")
more = More()
more.a, more.c = 1, 3
attributes(more, " a=1 c=3")
attributes(object.__new__(Session), "")
looped = Session(None)
looped.user = looped
attributes(looped, " user=<__main__.Session at 0x%x> count=3" % id(looped))
holder = [session, session]
differs(holder, "[%s, %s]" % ((lines[[k is session for k in kept].index(True)].split("\t")[1][:-1],) * 2), "attributes")


# Exceptions
class Trouble(Exception):
    pass


for error in (ValueError("boom"), ValueError(), KeyError("k", 2), OSError(2, "no"), StopIteration(5)):
    same(error)
named(Trouble("x"))

# Functions, classes, modules
source = os.path.join(*pathlib.Path(__file__).parts[-2:])


def function(a=1):
    return lambda: a


def titled(value, form):
    code = getattr(value, "__code__", value)
    differs(value, form % ("%s (%s:%d)" % (
        getattr(value, "__qualname__", code.co_name), source, code.co_firstlineno), id(value)), "with file and line")


titled(function, "<function %s at 0x%x>")
titled(function(), "<function %s at 0x%x>")
titled(function.__code__, "<code object %s at 0x%x>")
for cls in (int, dict, type, collections.OrderedDict, collections.deque, Session, decimal.Decimal):
    same(cls)
differs(sys, "<module sys>", "no file")
for builtin in (len, sys.exit, [].append):
    same(builtin)
bound = session.load
differs(bound, "<bound method Session.load (%s:%d) of %s>" % (
    source, Session.load.__code__.co_firstlineno, lines[[k is session for k in kept].index(True)].split("\t")[1][:-1]),
    "with file and line")
generator = session.load()
differs(generator, "<generator object Session.load (%s:%d) at 0x%x>" % (
    source, Session.load.__code__.co_firstlineno, id(generator)), "with file and line")
same(functools.partial(len, [1], x="y"))
same(functools.partial(int, base=2))
differs(weakref.ref(session), "<weakref at 0x%x; to '__main__.Session' at 0x%x>" % (
    id(weakref.ref(session)), id(session)), "with the module")

# The library
utc = datetime.timezone.utc
zone = datetime.timezone(datetime.timedelta(hours=-3), "here")
for value in (
    datetime.date(2024, 2, 29), datetime.time(1, 2), datetime.time(1, 2, 3), datetime.time(1, 2, 0, 4),
    datetime.time(1, 2, 3, tzinfo=utc), datetime.datetime(1, 1, 1), datetime.datetime(2024, 1, 2, 3, 4, 5, 678901),
    datetime.datetime(2024, 1, 2, tzinfo=utc), datetime.datetime(2024, 1, 2, 3, tzinfo=zone, fold=1),
    datetime.timedelta(0), datetime.timedelta(-1, 5), datetime.timedelta(1, 2, 3), utc, zone,
    datetime.timezone(datetime.timedelta(minutes=90)), uuid.UUID(int=0), uuid.UUID(int=2**128 - 1),
    uuid.UUID("12345678-9abc-def0-1234-56789abcdef0"), re.compile("a+"), re.compile("x", re.I | re.M), re.compile(b"y"),
    re.compile("z", re.A | re.X), pathlib.PurePosixPath("/usr/lib/x.py"), pathlib.PurePosixPath("a/b"),
):
    same(value)
printed = pathlib.Path("/tmp/x/y")
str(printed)
same(printed)
same(types.SimpleNamespace)
memory = memoryview(b"12345")
differs(memory, "<memoryview at 0x%x: 5 bytes of bytes>" % id(memory), "more than its address")

try:
    import numpy
except ImportError:
    numpy = None
if numpy:
    class Grid(numpy.ndarray):
        pass

    for array in (numpy.zeros((3, 4)), numpy.arange(7, dtype="i2"), numpy.array(5.5), numpy.zeros((2, 0, 3), "U5"),
                  numpy.empty(3, dtype=object), numpy.zeros((4, 6))[::2, 1:].T, numpy.zeros(3, "M8[s]"),
                  numpy.zeros((2, 2), numpy.float32).view(Grid)):
        name = "__main__.Grid" if type(array) is Grid else "numpy.ndarray"
        differs(array, "%s(shape=%r, dtype=%s)" % (name, array.shape, array.dtype.type.__name__), "no elements")

with open("reprs", "w", encoding="utf-8", errors="strict") as file:
    file.writelines(lines)
print("ready", flush=True)
sys.stdin.read()
