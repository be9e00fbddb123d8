"""Objects that hold references without telling the collector.

Writes to the file "hidden" a line "HOLDER HELD LABEL" for each such reference that must be found,
"HOLDER" alone for an object that has none, and waits.
"""

import datetime
import mmap
import os
import sys

kept = []
lines = []


class Zone(datetime.tzinfo):
    def utcoffset(self, when):
        return datetime.timedelta(0)

    dst = utcoffset


class Moment(datetime.datetime):
    pass


def outer():
    def inner():
        return 1

    return inner


def holds(holder, held, label):
    kept.append((holder, held))
    lines.append("%x %x %s\n" % (id(holder), id(held), label))


def holds_nothing(holder):
    kept.append(holder)
    lines.append("%x\n" % id(holder))


holds(outer.__code__, outer.__code__.co_consts, ".co_consts")
zone = Zone()
holds(datetime.datetime(2020, 1, 1, tzinfo=zone), zone, ".tzinfo")
holds(datetime.time(1, 2, tzinfo=zone), zone, ".tzinfo")
holds(Moment(2020, 1, 1, tzinfo=zone), zone, ".tzinfo")
holds_nothing(datetime.datetime(2020, 1, 1))

try:
    import numpy
except ImportError:
    numpy = None

if numpy:
    objects = numpy.empty((3, 4), dtype=object)
    for i in range(12):
        objects[i // 4, i % 4] = [i]
        holds(objects, objects[i // 4, i % 4], "[%d]" % i)
    view = objects[1:, ::2]
    holds(view, objects, ".base")
    holds(view, view.dtype, ".dtype")
    column = numpy.empty((2, 3), dtype=object, order="F")
    for i in range(6):
        column[i % 2, i // 2] = [i]
        holds(column, column[i % 2, i // 2], "[%d]" % i)
    inner = numpy.dtype([("n", numpy.int64), ("o", object)])
    whole = numpy.dtype([("a", object), ("b", numpy.int32), ("c", inner), ("d", object)], align=True)
    rows = numpy.zeros(4, dtype=whole)
    for i in range(4):
        things = [[i, j] for j in range(3)]
        rows[i] = (things[0], i, (i, things[1]), things[2])
        for thing in things:
            holds(rows, thing, "[%d]" % i)
    holds(rows[2], rows, ".base")
    packed = numpy.zeros(6, dtype=[("n", "i4"), (("title", "o"), object), ("b", "i1"), ("c", inner)])
    for i in range(6):
        packed[i] = (i, ["packed", i], 0, (i, ["inner", i]))
        holds(packed, packed["o"][i], "[%d]" % i)
        holds(packed, packed["c"]["o"][i], "[%d]" % i)
    scalar = numpy.empty((), dtype=object)
    scalar[()] = {"key": 1}
    holds(scalar, scalar[()], "[0]")

    class Table(numpy.ndarray):
        pass

    table = numpy.empty(2, dtype=object).view(Table)
    holds(table, table.base, ".base")
    own = Table(2, dtype=object)
    own[0] = own[1] = ["shared"]
    own.note = ["note"]
    holds(own, own[0], "[0]")

# A shared file, which no core has and where no reference can be.
with open("shared", "wb+") as file:
    file.write(bytes(4096))
    file.flush()
    kept.append(mmap.mmap(file.fileno(), 4096))
with open("hidden", "w") as file:
    file.writelines(lines)
sys.stdout.write("ready\n")
sys.stdout.flush()
os.read(0, 1)
