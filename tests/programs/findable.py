"""Objects to be found by type, content, size and address, and which of them a search must give.

The process forks. The child writes the file "searches": a line for each search with the words for
`find` and, behind a tab, the addresses of what it is to list in hexadecimal. The parent leaves its
heap alone, says "ready" on stdout, and waits for the end of stdin: it is then looked at.
"""

import gc

gc.disable()

import ctypes
import os
import sys


class Thing:
    def __init__(self, number):
        self.number = number


class Lost:
    pass


class Text(str):
    pass


class Raw(bytes):
    pass


def type_name(thing):
    cls = type(thing)
    return cls.__name__ if cls.__module__ == "builtins" else cls.__module__ + "." + cls.__qualname__


def make_texts():
    """Texts that no constant of this file is equal to."""
    start = "".join(["need", "le-"])
    texts = [start + str(i) for i in range(50)]
    texts += [start + tail for tail in ("\xe9", "\u20ac", "\U0001f600", "a\0b", "x" * 100000, "[*]?", "")]
    texts += [Text(start + "subclass"), "not a " + start, start.upper()]
    texts += ["".join([start[0], start[1:]]) for i in range(3)]
    return texts + [text.encode() for text in texts] + [Raw((start + "raw").encode())]


def make_blobs():
    return [b"blob" + bytes([65 + i]) * (100 * i) for i in range(40)]


def plain(thing):
    """What a str or bytes holds, as a str."""
    return str(thing) if isinstance(thing, str) else bytes(thing).decode()


def searches(texts, blobs, things, lost):
    start = "".join(["need", "le-"])
    every = gc.get_objects()
    yield "--type __main__.Thing", things
    yield "--type *Thing", things
    yield "--type __main__.[TL][ho]*", things + lost
    for generation in range(3):
        listed = gc.get_objects(generation=generation)
        yield "--type *Thing --generation %d" % generation, [t for t in listed if type(t) is Thing]
        if generation == 2:
            yield "--type function --generation 2", [t for t in listed if type_name(t) == "function"]
            yield "--type collections*.* --generation 2", [
                t for t in listed if type_name(t).startswith("collections")
            ]
    yield "--type type", [t for t in every if type(t) is type and t.__flags__ & 1 << 9]
    yield "--str %s*" % start, [t for t in texts if plain(t).startswith(start)]
    yield "--str *%s*" % start, [t for t in texts if start in plain(t)]
    yield "--str %s" % start, [t for t in texts if plain(t) == start]
    yield "--str %s? --type str" % start, [
        t for t in texts if type(t) is str and t[:7] == start and len(t) == 8
    ]
    yield "--str %s? --type bytes" % start, [
        t for t in texts if type(t) is bytes and t[:7] == start.encode() and len(t) == 8
    ]
    for tail in ("\xe9", "\u20ac", "\U0001f600"):
        yield "--str %s%s" % (start, tail), [t for t in texts if plain(t) == start + tail]
    yield "--str %s[0-3]?" % start, [t for t in texts if plain(t) in {start + str(i) for i in range(10, 40)}]
    yield "--str %s[!0-9]*" % start, [
        t for t in texts if plain(t)[:7] == start and plain(t)[7:8] not in list("0123456789") + [""]
    ]
    yield "--str %s\\[\\*\\]\\?" % start, [t for t in texts if plain(t) == start + "[*]?"]
    yield "--str %s*x*x*x" % start, [t for t in texts if plain(t) == start + "x" * 100000]
    yield "--str %s* --type *.Text" % start, [t for t in texts if type(t) is Text]
    sized = [t for t in blobs if 1000 <= sys.getsizeof(t) <= 2033]
    yield "--str blob* --min-size 1000 --max-size 2033", sized
    order = sorted(things, key=id)
    low, high = id(order[3]), id(order[-4])
    yield "--type *Thing --range 0x%x-0x%x" % (low, high), [t for t in things if low <= id(t) < high]
    yield "--type *Lost --unreachable", lost
    yield "--type *Thing --unreachable", []


def main():
    fork = ctypes.CDLL(None).fork
    texts, blobs = make_texts(), make_blobs()
    things = [Thing(i) for i in range(20)]
    gc.collect()
    things += [Thing(i) for i in range(30)]
    gc.collect(0)
    things += [Thing(i) for i in range(40)]
    for i in range(5):
        lost = Lost()
        lost.itself = lost
    del lost
    child = fork()
    if child == 0:
        lost = [t for t in gc.get_objects() if type(t) is Lost]
        with open("searches", "w", encoding="utf-8") as out:
            for words, expected in searches(texts, blobs, things, lost):
                out.write("%s\t%s\n" % (words, " ".join(sorted("%x" % id(t) for t in expected))))
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        os._exit(3)
    os.write(1, b"ready\n")
    os.read(0, 1)
    os._exit(0)


main()
