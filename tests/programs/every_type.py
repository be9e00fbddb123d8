"""Objects of as many types as can be had, for comparing what tp_traverse visits.

The shapes, several of each; every extension module of the standard library, and objects of the
types that they bring; what is installed of the well-known packages from elsewhere. A part that a
version or machine does not have is left out and named on stderr.

    every_type.py FILE FOLDER EACH

The visits go to FILE, see traverse_truth.c; FOLDER holds the modules that the test built; EACH is
how many objects there are of each kind.
"""

import gc

gc.disable()

import importlib
import os
import sys
import warnings

warnings.simplefilter("ignore")
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.append(sys.argv[2])
EACH = int(sys.argv[3])

kept = []
keep = kept.append
PARTS = []


def part(function):
    PARTS.append(function)
    return function


class Plain:
    pass


def callback(*_, **__):
    return 0


@part
def small_structures():
    import shapes

    for build in shapes.SHAPES + shapes.UNSEEN:
        for _ in range(EACH):
            keep(build())


@part
def extension_modules():
    """All of lib-dynload, so that their types and module states exist."""
    import sysconfig

    folder = sysconfig.get_config_var("DESTSHARED")
    for name in sorted({file.split(".")[0] for file in os.listdir(folder)}):
        if "test" in name or name.startswith("xx") or name == "_tkinter":
            continue
        try:
            keep(importlib.import_module(name))
        except Exception as error:
            print("left out: %s: %s" % (name, error), file=sys.stderr)
    for name in sys.builtin_module_names:
        keep(importlib.import_module(name))


@part
def builtin_types():
    """An instance of each type that can be made without arguments, or with a simple one."""
    arguments = ((), ([],), ("x",), (b"x",), (1,), (callback, [1]), ([1], [2]), (callback,))
    for cls in _all_classes(object):
        if cls.__module__ in ("__main__", "truth") or issubclass(cls, (SystemExit, Warning)):
            continue
        if str(cls.__module__).split(".")[0] not in sys.builtin_module_names:
            continue
        for given in arguments:
            try:
                keep(cls(*given))
            except Exception:
                continue


def _all_classes(cls):
    seen, todo = set(), [cls]
    while todo:
        cls = todo.pop()
        for derived in type.__subclasses__(cls):
            if derived not in seen:
                seen.add(derived)
                todo.append(derived)
    return sorted(seen, key=lambda c: (str(c.__module__), c.__qualname__))


@part
def iterators():
    for i in range(EACH):
        items = [[i], (i, [i])]
        table = {"a": items, i: Plain()}
        keep([iter(items), reversed(items), iter(tuple(items)), iter(table), iter(table.items())])
        keep([iter(table.values()), table.keys(), table.items(), iter({i, (i, 1)}), iter("ab")])
        keep([enumerate(items), zip(items, items), map(callback, items), filter(None, items)])
        keep([iter(callback, 1), iter(bytearray(b"x")), memoryview(bytearray(b"xy")), iter(b"x")])
        keep([slice(items, None, table), range(i), iter(range(i)), super(Plain, Plain())])
        keep([sys._getframe(), staticmethod(callback), classmethod(callback), property(callback)])


@part
def large_containers():
    """More than one pool, page or budget."""
    many = EACH * 500
    keep([[i] for i in range(many)])
    keep({i: [i] for i in range(many)})
    keep({(i,): str(i) for i in range(many)})
    keep({frozenset([i]) for i in range(many)})
    keep(tuple((i, [i]) for i in range(many)))
    instance = Plain()
    for i in range(many):
        setattr(instance, "attribute_%d" % i, [i])
    keep(instance)


@part
def exceptions():
    for cls in _all_classes(BaseException):
        for given in ((), ("text",), (1, "text"), ("text", [ValueError("x")])):
            try:
                error = cls(*given)
                error.payload = [given]
                keep(error)
            except Exception:
                continue
    try:
        try:
            raise KeyError([1])
        except KeyError as first:
            raise OSError(2, "text", "file") from first
    except OSError as error:
        keep(error)
    for decode in (b"\xff".decode, lambda: "\ud800".encode()):
        try:
            decode("utf-8") if decode.__name__ == "decode" else decode()
        except UnicodeError as error:
            keep(error)


@part
def sqlite():
    import sqlite3

    for i in range(EACH):
        connection = sqlite3.connect(":memory:")
        connection.row_factory = sqlite3.Row
        connection.create_function("f", 1, callback)
        connection.set_progress_handler(callback, 100000)
        connection.execute("create table t(a, b)")
        connection.execute("insert into t values (1, 'x')")
        cursor = connection.execute("select * from t")
        keep([connection, cursor, cursor.fetchone(), connection.cursor()])


@part
def secure_sockets():
    import socket
    import ssl

    for i in range(min(EACH, 5)):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.set_servername_callback(callback)
        left, right = socket.socketpair()
        keep([context, server, context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO()), left])
        keep(server.wrap_socket(right, server_side=True, do_handshake_on_connect=False))


@part
def foreign_functions():
    import ctypes

    class Point(ctypes.Structure):
        _fields_ = [("x", ctypes.c_int), ("p", ctypes.c_void_p), ("o", ctypes.py_object)]

    class Either(ctypes.Union):
        _fields_ = [("i", ctypes.c_int), ("s", Point)]

    function_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_char_p)
    library = ctypes.CDLL(None)
    library.strlen.argtypes = [ctypes.c_char_p]
    library.strlen.errcheck = lambda *given: given[0]
    for i in range(EACH):
        point = Point(i, None, [i])
        keep([point, ctypes.pointer(point), ctypes.byref(point), Either(), function_type(callback)])
        keep([(ctypes.c_char_p * 3)(b"a", b"b"), (Point * 2)(), ctypes.py_object([i])])
        keep([library.strlen, Point.x, ctypes.create_string_buffer(9), ctypes.c_wchar_p("w")])


@part
def tasks():
    import asyncio

    loop = asyncio.new_event_loop()

    async def sleeper(future):
        local = [future]
        await asyncio.sleep(1000)
        return local

    async def generator():
        yield [1]

    async def main():
        for i in range(EACH):
            waiting, done, failed = (loop.create_future() for _ in range(3))
            waiting.add_done_callback(callback)
            waiting.add_done_callback(lambda _, i=i: i)
            done.set_result([i])
            failed.set_exception(ValueError([i]))
            task = loop.create_task(sleeper(waiting))
            task.add_done_callback(callback)
            asynchronous = generator()
            keep([waiting, done, failed, task, iter(waiting), sleeper(done), asynchronous])
            keep([asynchronous.asend(None), asynchronous.__anext__(), asynchronous.athrow(ValueError)])
        await asyncio.sleep(0.01)
        keep([asyncio.Lock(), asyncio.Queue(), asyncio.Event()])

    loop.run_until_complete(main())
    keep(loop)


@part
def parsers():
    import ast
    import csv
    import io
    import json
    import pickle
    import pyexpat
    import symtable
    import xml.etree.ElementTree as tree

    root = tree.Element("root", {"a": "b"})
    for i in range(EACH * 5):
        element = tree.SubElement(root, "x%d" % i, n=str(i))
        for j in range(i % 7):
            tree.SubElement(element, "y").text = "t"
    walk = root.iter()
    next(walk)
    parser = tree.XMLParser()
    parser.feed("<a><b>")
    expat = pyexpat.ParserCreate()
    expat.StartElementHandler = callback
    keep([root, walk, root.iter(), parser, expat, pyexpat.ParserCreate(), tree.XMLPullParser()])
    builder = tree.TreeBuilder()
    builder.start("a", {})
    keep(builder)
    pickler = pickle.Pickler(io.BytesIO())
    pickler.dump([1, [2], {3: [4]}])
    unpickler = pickle.Unpickler(io.BytesIO(pickle.dumps([[1], [2]])))
    unpickler.load()
    keep([pickler, pickler.memo, unpickler, unpickler.memo])
    keep([csv.reader(["a,b"]), csv.writer(io.StringIO()), csv.get_dialect("excel")])
    keep([json.JSONDecoder(), json.decoder.scanner.c_make_scanner(json.JSONDecoder())])
    with open(ast.__file__) as file:
        text = file.read()
    keep([ast.parse(text), symtable.symtable("def f(x):\n return x", "f", "exec")])


@part
def many_small_types():
    import bz2
    import contextvars
    import datetime
    import decimal
    import functools
    import hashlib
    import hmac
    import io
    import itertools
    import lzma
    import mmap
    import queue
    import random
    import re
    import select
    import struct
    import threading
    import types
    import weakref
    import zlib

    for i in range(EACH):
        thing = Plain()
        keep([thing, weakref.ref(thing), weakref.ref(thing, callback), weakref.proxy(thing)])
        partial = functools.partial(callback, [i], key=[i])
        cache = functools.lru_cache(50)(lambda key: [key])
        unbounded = functools.lru_cache(None)(lambda key: [key])
        for key in range(i * 3):
            cache((key,))
            unbounded((key,))
        keep([partial, cache, unbounded, functools.cmp_to_key(callback)([i])])
        numbers = [[i], [i + 1]]
        combined = itertools.permutations(numbers)
        next(combined)
        grouped = itertools.groupby(numbers)
        keep([combined, grouped, next(grouped), *itertools.tee(numbers)])
        keep([struct.Struct("<i"), struct.iter_unpack("<i", b"abcdefgh"), random.Random(i)])
        buffer = io.BytesIO(b"x")
        keep([io.TextIOWrapper(buffer), io.BufferedReader(io.BytesIO(b"q")), buffer.getbuffer()])
        local = threading.local()
        local.value = [i]
        keep([local, threading.RLock(), threading.Condition()])
        variable = contextvars.ContextVar("v%d" % i, default=[i])
        keep([variable, variable.set([i]), contextvars.copy_context()])
        simple = queue.SimpleQueue()
        for item in range(i):
            simple.put([item])
        keep([simple, decimal.Context(), datetime.datetime.now(datetime.timezone.utc)])
        pattern = re.compile("(a)(b)?")
        keep([pattern, pattern.match("ab"), pattern.scanner("ab"), pattern.finditer("ab")])
        keep([types.SimpleNamespace(a=[i]), types.MappingProxyType({"a": [i]}), types.MethodType(callback, [i])])
        keep([hashlib.md5(), hashlib.sha256(), hashlib.blake2b(), hmac.new(b"k", b"d", "sha256")])
        keep([zlib.compressobj(), zlib.decompressobj(), bz2.BZ2Compressor(1)])
        keep([bz2.BZ2Decompressor(), os.scandir("/"), os.stat("/")])
    keep([lzma.LZMACompressor(preset=0), lzma.LZMADecompressor()])
    keep([select.epoll(), select.poll(), mmap.mmap(-1, 4096), open("/dev/null", "rb")])
    try:
        import zoneinfo

        keep(zoneinfo.ZoneInfo("UTC"))
    except Exception as error:
        print("left out: zoneinfo: %s" % error, file=sys.stderr)


# Packages from elsewhere


@part
def package_numpy():
    import numpy

    for i in range(EACH * 5):
        array = numpy.empty(10, dtype=object)
        array[:] = [[i]] * 10
        keep([array, array.flat, array[::2], numpy.dtype([("a", int), ("b", object)])])
        keep([numpy.arange(5), numpy.array([(1, [i])], dtype=[("a", int), ("b", object)])[0]])
    keep([numpy.frompyfunc(callback, 1, 1), numpy.nditer(numpy.arange(4)), numpy.add])
    keep([numpy.broadcast(numpy.arange(3), numpy.arange(3)), numpy.random.default_rng(1)])
    keep([numpy.random.RandomState(2), numpy.random.PCG64(), numpy.vectorize(callback)])


@part
def package_pandas():
    import pandas

    for i in range(min(EACH, 20)):
        frame = pandas.DataFrame({"a": [1, 2, 3], "b": ["x", "y", [i]]})
        keep([frame, frame.groupby("a"), frame.index, pandas.Timestamp.now(), pandas.Series([1])])
        keep([frame.groupby("a").sum(), pandas.Categorical(["a"]), pandas.Timedelta("1d")])
        keep([pandas.Interval(1, 2), pandas.MultiIndex.from_tuples([(1, 2), (3, 4)])])


@part
def package_lxml():
    from lxml import etree

    root = etree.fromstring("<a>" + '<b x="1">t</b>' * 100 + "</a>")
    keep([root, list(root), root.attrib, root.getroottree(), root.iter(), etree.XPath("//b")])
    keep([etree.XMLParser(), root.xpath("//b/@x")])


@part
def package_gevent():
    import gevent.event
    import gevent.local
    import gevent.pool
    import gevent.queue
    import greenlet

    def switch_back(i):
        local = [i]
        greenlet.getcurrent().parent.switch(local)

    for i in range(EACH):
        let = greenlet.greenlet(switch_back)
        if i % 2:
            let.switch(i)
        local = gevent.local.local()
        local.value = [i]
        keep([let, gevent.spawn(callback, i), gevent.event.Event(), gevent.queue.Queue(), local])
    gevent.sleep(0.001)


@part
def package_cffi():
    import cffi

    ffi = cffi.FFI()
    ffi.cdef("typedef struct { int a; void *p; } S;")
    for i in range(EACH):
        pointer = ffi.new("S *")
        keep([pointer, ffi.gc(pointer, callback), ffi.new_handle([i]), pointer[0], ffi.typeof("S")])
        keep([ffi.callback("int(int)", callback), ffi.from_buffer(bytearray(b"abc"))])


@part
def package_protobuf():
    from google.protobuf import descriptor_pb2, struct_pb2

    for i in range(EACH):
        struct = struct_pb2.Struct()
        struct["a"] = i
        struct["b"] = [1, 2]
        file = descriptor_pb2.FileDescriptorProto(name="f")
        file.message_type.add(name="M")
        keep([struct, struct.fields, file, file.message_type, file.DESCRIPTOR])


@part
def package_psycopg2():
    import psycopg2
    from psycopg2.extensions import AsIs, Binary, adapt, new_type

    for i in range(EACH):
        keep([AsIs([1]), adapt("x"), adapt([1, 2]), Binary(b"x"), new_type((1,), "X", callback)])
    keep(psycopg2)


@part
def package_sqlalchemy():
    import sqlalchemy
    from sqlalchemy.orm import declarative_base, sessionmaker

    base = declarative_base()

    class User(base):
        __tablename__ = "users"
        id = sqlalchemy.Column(sqlalchemy.Integer, primary_key=True)
        name = sqlalchemy.Column(sqlalchemy.String)

    engine = sqlalchemy.create_engine("sqlite://")
    base.metadata.create_all(engine)
    session = sessionmaker(engine)()
    session.add_all([User(name="n%d" % i) for i in range(EACH * 5)])
    session.commit()
    keep([session, session.query(User).all(), engine])


@part
def package_built_here():
    """Modules that the test built: cython_types, pybind11_types."""
    for name in ("cython_types", "pybind11_types"):
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            print("left out: %s: %s" % (name, error), file=sys.stderr)
            continue
        keep([module.build(i) for i in range(EACH * 5)])


def main():
    for function in PARTS:
        try:
            function()
        except Exception as error:
            print("left out: %s: %s: %s" % (function.__name__, type(error).__name__, error), file=sys.stderr)
    import traverse_truth

    traverse_truth.dump(sys.argv[1], gc.get_objects())


main()
