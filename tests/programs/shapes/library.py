"""Cycles through types that the standard library implements in C or Python."""

import array
import collections
import copy
import datetime
import decimal
import io
import itertools
import json
import logging
import operator
import os
import random
import re
import struct
import time
import weakref

from . import shape


class Plain:
    pass


@shape
def deques():
    d = collections.deque()
    d.append(d)
    bounded = collections.deque([d], maxlen=3)
    bounded.extend([bounded, 1, bounded, [bounded]])
    long = collections.deque(range(1000))
    long.append(long)
    for _ in range(500):
        long.popleft()
    it = iter(long)
    next(it)
    long.extend([it, reversed(long)])
    return [d, bounded, bounded[2], long, it, long[-1]]


@shape
def deque_subclass():
    class Deque(collections.deque):
        pass

    d = Deque([1])
    d.d = d
    d.extendleft([d, [d]])
    return [Deque, d, d[0]]


@shape
def ordered_dicts():
    d = collections.OrderedDict()
    for i in range(20):
        d[i] = [d]
    for i in range(10):
        del d[i]
    d.move_to_end(12)
    d["self"] = d

    class Ordered(collections.OrderedDict):
        pass

    o = Ordered(a=d)
    o.attribute = o
    its = [iter(d), iter(d.items()), d.values(), d.keys(), reversed(o)]
    next(its[0])
    next(its[1])
    d["its"] = its
    return [d, d[12], o, Ordered, its] + its


@shape
def ordered_dict_with_object_keys():
    d = collections.OrderedDict()
    p = Plain()
    p.d = d
    d[p] = 1
    d[(p, 2)] = 3
    return [d, p]


@shape
def default_dicts():
    d = collections.defaultdict(list)
    d["a"].append(d)
    d[1] = d

    class Default(collections.defaultdict):
        pass

    e = Default(lambda: e)
    e["self"] = e["made"]
    e.d = d
    return [d, d["a"], e, Default, e.default_factory]


@shape
def counters_and_chain_maps():
    c = collections.Counter("aab")
    c.c = c
    m = collections.ChainMap({"c": c}, {})
    m["m"] = m
    u = collections.UserDict(m=m)
    u["u"] = u
    v = collections.UserList([u])
    v.append(v)
    return [c, m, m.maps, u, u.data, v, v.data]


@shape
def itertools_objects():
    a = [[1], [2]]
    made = [
        itertools.chain(a, a),
        itertools.chain.from_iterable(a),
        itertools.cycle(a),
        itertools.islice(a, 5),
        itertools.starmap(len, a),
        itertools.takewhile(len, a),
        itertools.dropwhile(len, a),
        itertools.filterfalse(len, a),
        itertools.accumulate(a, operator.add, initial=a),
        itertools.compress(a, a),
        itertools.product(a, a),
        itertools.permutations(a),
        itertools.combinations(a, 1),
        itertools.combinations_with_replacement(a, 1),
        itertools.repeat(a),
        itertools.count(10**30),
        itertools.zip_longest(a, a, fillvalue=a),
        itertools.groupby(a, id),
    ]
    if hasattr(itertools, "pairwise"):
        made.append(itertools.pairwise(a))
    if hasattr(itertools, "batched"):
        made.append(itertools.batched(a, 2))
    for it in made:
        next(it, None) if it is not made[4] else None
    made.append(next(made[17])[1])
    made.append(itertools.cycle(a))
    made.extend(itertools.tee(a, 2))
    next(made[-1])
    a.append(made)
    return [a, made] + made


@shape
def operator_objects():
    a = []
    a.append(operator.itemgetter(1, 2))
    a.append(operator.attrgetter("a.b", "c"))
    a.append(operator.methodcaller("f", a, key=a))
    a.append(operator.itemgetter(slice(a, None)))
    return [a, a[2], a[3]]


@shape
def compiled_patterns():
    a = []
    pattern = re.compile("(a)(?P<name>b)?", re.ASCII)
    a.extend([pattern, pattern.match("ab"), pattern.finditer("abab"), pattern.scanner("ab")])
    a.append(a)
    return [a]


def _match_of_a_subclass():
    class Text(str):
        pass

    t = Text("abc")
    t.match = re.match("(a)", t)
    return [t, t.match, Text]


@shape(since=(3, 10))
def match_of_a_subclass():
    return _match_of_a_subclass()


@shape(until=(3, 10), unseen=True)
def match_without_gc():
    return _match_of_a_subclass()


@shape(unseen=True)
def scanner_of_a_subclass():
    # The scanner's state holds the text, but its tp_traverse does not say so.
    class Text(str):
        pass

    t = Text("abc")
    t.it = re.finditer("b", t)
    return [t, Text]


@shape
def io_objects():
    p = Plain()

    class Raw(io.RawIOBase):
        def readable(self):
            return True

    class Text(io.StringIO):
        pass

    p.bytes = io.BytesIO(b"abc")
    p.text = Text("abc")
    p.wrapper = io.TextIOWrapper(io.BytesIO(b"abc\ndef"), encoding="utf-8")
    p.wrapper.readline()
    p.raw = Raw()
    p.buffered = io.BufferedReader(p.raw)
    p.pair = io.BufferedRWPair(io.BytesIO(), io.BytesIO())
    p.random = io.BufferedRandom(io.BytesIO())
    p.writer = io.BufferedWriter(io.BytesIO())
    p.newlines = io.IncrementalNewlineDecoder(None, False)
    p.raw.p = p.text.p = p.bytes.p = p.wrapper.p = p
    p.view = p.bytes.getbuffer()
    p.files = [open(os.devnull), open(os.devnull, "rb"), open(os.devnull, "rb", buffering=0)]
    for f in p.files:
        f.close()
    return [p, Raw, p.bytes, p.text, p.wrapper, p.raw, p.buffered, p.pair, p.random, p.files]


@shape
def struct_sequences():
    a = []
    made = [os.stat("/"), time.localtime(), os.uname(), os.times()]
    made.append(os.stat_result([a] * 10, {"st_mtime": a}))
    a.append(made)
    return [a, made, made[4]]


@shape
def arrays_and_structs():
    class Array(array.array):
        pass

    a = Array("d", [1.0])
    a.a = a
    a.it = iter(a)
    a.struct = struct.Struct("<id")
    a.unpack = struct.iter_unpack("<i", b"abcdabcd")
    a.view = memoryview(a)
    return [a, a.it, Array]


@shape
def numbers_and_times():
    class Zone(datetime.tzinfo):
        def utcoffset(self, when):
            return datetime.timedelta(0)

    class Decimal(decimal.Decimal):
        pass

    class Date(datetime.datetime):
        pass

    z = Zone()
    z.when = Date(2020, 1, 2)
    z.when.z = z
    z.decimal = Decimal("1.5")
    z.decimal.z = z
    z.context = decimal.Context(prec=5)
    z.random = random.Random(1)
    z.random.z = z
    return [z, Zone, Decimal, Date, z.random]


@shape(unseen=True)
def date_with_its_zone():
    # Dates are no GC objects; a subclass is one, but does not know of its base's zone.
    class Zone(datetime.tzinfo):
        pass

    class Date(datetime.datetime):
        pass

    z = Zone()
    z.when = Date(2020, 1, 2, tzinfo=z)
    return [z, Zone]


@shape
def json_coders():
    p = Plain()
    p.decoder = json.JSONDecoder(object_hook=lambda d: p)
    p.encoder = json.JSONEncoder(default=lambda o: p)
    p.scanner = json.decoder.scanner.make_scanner(p.decoder)
    p.hook = p.decoder.object_hook
    return [p, p.decoder, p.encoder, p.hook]


@shape
def loggers():
    class Handler(logging.Handler):
        def emit(self, record):
            self.records.append(record)

    handler = Handler()
    handler.records = []
    logger = logging.Logger("not registered")
    logger.addHandler(handler)
    handler.logger = logger
    try:
        raise ValueError(handler)
    except ValueError:
        logger.exception("text %s", logger)
    return [Handler, handler, logger, handler.records, handler.records[0]]


@shape
def copies():
    p = Plain()
    p.p, p.items = p, [p, {"p": p}, (p,)]
    q = copy.deepcopy(p)
    r = copy.copy(q)
    r.r = r
    return [p, q, q.items, r]


@shape
def weak_finalizer_for_another():
    p = Plain()
    p.p = p
    finalizer = weakref.finalize(p, len, ())
    finalizer.detach()
    p.finalizer = finalizer
    return [p, finalizer]


@shape
def elements():
    import xml.etree.ElementTree as tree

    class Element(tree.Element):
        pass

    root = Element("root", {"a": "b"})
    for i in range(9):
        tree.SubElement(root, "child").text = "text"
    root.root = root
    root.append(tree.Element("last"))
    root.it = root.iter()
    next(root.it)
    parser = tree.XMLParser(target=tree.TreeBuilder())
    parser.feed("<a><b>text")
    root.parser = parser
    return [Element, root, root.it, parser]


@shape(since=(3, 10))
def databases():
    import sqlite3

    class Connection(sqlite3.Connection):
        pass

    c = sqlite3.connect(":memory:", factory=Connection)
    c.row_factory = lambda cursor, row: (c, row)
    c.create_function("f", 1, lambda x: c)
    cursor = c.execute("select 1 union select 2")
    row = cursor.fetchone()
    c.kept = [row, cursor]
    cursor.close()
    c.close()
    return [Connection, c, c.kept]


@shape
def picklers():
    import pickle

    p = Plain()
    p.file = io.BytesIO()
    p.pickler = pickle.Pickler(p.file)
    p.pickler.dump([[1], {2: [3]}])
    p.memo = p.pickler.memo
    p.unpickler = pickle.Unpickler(io.BytesIO(pickle.dumps([[1], [2]])))
    p.unpickler.load()
    p.unpickler_memo = p.unpickler.memo
    p.file.p = p
    return [p, p.file, p.pickler, p.unpickler]


@shape
def csv_objects():
    import csv

    p = Plain()
    p.reader = csv.reader(iter(["a,b"]))
    p.writer = csv.writer(io.StringIO())
    p.rows = csv.DictReader(p.reader)
    p.dialect = csv.get_dialect("excel")
    p.p = p
    return [p, p.rows]


@shape
def syntax_trees():
    import ast

    module = ast.parse("def f(x, *a):\n  return [x for x in a if x] or {1: f'{x}'}\n")
    for node in ast.walk(module):
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, (ast.expr_context, ast.operator, ast.boolop)):
                child.parent = node
    return [module, module.body, module.body[0]]
