"""A program that holds one secret, as text and as a number, wherever a program can hold one.

usage: secret_holder.py SECRET NUMBER

The secret stands in leaked references, cycles, gc.garbage, running functions, exceptions, keys,
the command line and overwritten memory. The file "holders" has a line for each object that is worth
a look: its address in hexadecimal, its kind. It then says "ready"; a byte on stdin makes it hold more,
of which a byte in the file "done" tells.
"""

import gc

gc.disable()

import array
import asyncio
import collections
import contextvars
import ctypes
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import os
import pathlib
import re
import sys
import threading
import types
import uuid

SECRET, NUMBER = sys.argv[1], int(sys.argv[2])
HOLDERS = []
KEPT = []


def holder(thing, kind):
    HOLDERS.append((id(thing), kind))
    KEPT.append(thing)
    return thing


def lose(thing):
    """A reference that nobody holds."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


class Plain:
    def __init__(self, value):
        self.value = value


class Slotted:
    __slots__ = ("value",)


class Text(str):
    pass


@dataclasses.dataclass
class Record:
    text: str
    number: int


Named = collections.namedtuple("Named", "text number")


class Choice(enum.Enum):
    RED = SECRET
    BLUE = NUMBER


class SecretError(Exception):
    pass


def values():
    """The secret in values of many types."""
    text, number = SECRET + "!", NUMBER
    slotted = Slotted()
    slotted.value = text
    yield from (text, Text(text), text.encode(), bytearray(text.encode()), number, float(number))
    yield from (complex(number, number), decimal.Decimal(number), fractions.Fraction(number, 7))
    yield from (uuid.UUID(int=number), pathlib.Path("/tmp") / text, re.compile(text))
    yield from (array.array("q", [number]), memoryview(text.encode()), range(number, number + 9, 3))
    yield from (slice(text, number), Choice.RED, Choice.BLUE, Plain(text), slotted)
    yield from (Record(text, number), Named(text, number), types.SimpleNamespace(a=text, b=number))
    yield from ([text, number], (text, number), {text: number, number: text}, {text}, frozenset([number]))
    yield from (collections.OrderedDict({text: number}), collections.defaultdict(list, {text: [number]}))
    yield from (collections.deque([text, number]), collections.Counter({text: 3}))
    yield from (types.MappingProxyType({text: number}), {text: 1}.keys(), {1: text}.values())
    yield from (functools.partial(print, text, end=text), "".join, text.upper, iter([text]))
    yield from (SecretError(text, number), KeyError(text), UnicodeError(text), OSError(5, text, text))
    yield from (datetime.timedelta(microseconds=number), staticmethod(text), (lambda: text).__closure__[0])
    yield from (datetime.timezone(datetime.timedelta(hours=1), text), types.GenericAlias(list, text)) if hasattr(
        types, "GenericAlias"
    ) else ()


def generator(argument):
    local = [argument, NUMBER]
    yield local


def caught():
    """An exception with a traceback."""
    try:
        raise SecretError(SECRET)
    except SecretError as error:
        return error


def cycles():
    for i in range(3):
        plain = Plain({SECRET + str(i): NUMBER + i})
        plain.value[SECRET] = plain
        plain.items = [plain, SECRET, {NUMBER: plain}]
        error = SecretError(SECRET, NUMBER)
        error.myself = error
        error.where = generator(error)
        next(error.where)
    gc.garbage.append(SecretError(SECRET))


def leaks():
    for i in range(20):
        lose("%s leaked %d" % (SECRET, i))
        lose(("%s leaked %d" % (SECRET, i)).encode())
        lose({SECRET + str(i): NUMBER + i})
        lose((SECRET + str(i), float(NUMBER + i)))
        lose(NUMBER * 1000 + i)
        lose(SecretError(SECRET + str(i)))


def wait(ready, argument):
    """A running function whose variables are secrets."""
    local, number = {SECRET: argument}, NUMBER
    try:
        raise SecretError(SECRET)
    except SecretError:
        ready.set()
        threading.Event().wait()
    return local, number


def overwrite():
    """A list whose items were overwritten with text."""
    victim = holder([[], [], [], []], "overwritten")
    where = ctypes.c_uint64.from_address(id(victim) + 24).value
    ctypes.memmove(where + 8, (SECRET.encode() * 2)[:16], 16)


async def waiting(argument):
    await asyncio.Event().wait()
    return argument


def begin_tasks():
    loop = asyncio.new_event_loop()
    task = loop.create_task(waiting(SECRET))
    if hasattr(task, "set_name"):
        task.set_name(SECRET)
    loop.run_until_complete(asyncio.sleep(0))
    KEPT.append((loop, task))


def hold_more():
    more = {"%s %d" % (SECRET, i): Plain([SECRET + str(i), NUMBER + i]) for i in range(300)}
    KEPT.append(more)
    KEPT.append(Record(collections.deque(Plain(SECRET + str(i)) for i in range(300)), NUMBER))
    cycles()
    leaks()


def main():
    ready = threading.Event()
    threading.Thread(target=wait, args=(ready, SECRET), name=SECRET, daemon=True).start()
    ready.wait()
    everything = holder(list(values()), "list")
    holder({SECRET: everything, NUMBER: [SECRET]}, "dict")
    holder(Plain(everything[0]), "instance")
    holder(everything[0], "str")
    holder(everything[0].encode(), "bytes")
    holder(NUMBER + 1, "int")
    holder(caught(), "exception")
    holder(next(generator(SECRET)), "local")
    cycles()
    leaks()
    overwrite()
    begin_tasks()
    holder(contextvars.ContextVar(SECRET, default=NUMBER), "contextvar")
    with open("holders", "w") as out:
        for address, kind in HOLDERS:
            out.write("%x %s\n" % (address, kind))
    os.write(1, b"ready\n")
    while os.read(0, 1):
        hold_more()
        with open("done", "a") as out:
            out.write("x")
    os._exit(0)


main()
