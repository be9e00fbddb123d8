"""Objects held in every way, for `path`: each expression that the tool gives is evaluated here.

Writes the addresses of a sample of all objects to "sample", says "ready", and waits for a line.
Then "answer" has what the tool says of them, a line of JSON for each; "results" gets a line for each:
"ok", "verdict" (nothing holds it, as is right), "words" (no expression), "own" (of the thread that evaluates), "none KIND" (no path), or what
went wrong.

    paths.py COUNT     how many objects of the sample are not of this program's own
"""

import asyncio
import collections
import contextvars
import decimal
import enum
import functools
import gc
import itertools
import json
import math
import os
import random
import sys
import threading
import time
import types
import weakref


class Colour(enum.Enum):
    RED = "red value"
    BLUE = ("blue", 2)


class Point(collections.namedtuple("Point", "x y")):
    extra = ["class attribute of a tuple"]


class Slotted:
    __slots__ = ("first", "second", "__weakref__")

    def __init__(self, first, second):
        self.first = first
        self.second = second


class SlottedMore(Slotted):
    __slots__ = ("third", "_SlottedMore__private")


class Node:
    shared = {"of": ["the class"]}

    def __init__(self, **attributes):
        self.__dict__.update(attributes)

    @property
    def shadow(self):
        return "not what is in the dict"

    @classmethod
    def of_class(cls):
        return cls

    @staticmethod
    def plain(x=["default of a static method"]):
        return x

    def method(self, a, b=("default", 1.25), *, c=["keyword default"]) -> "annotation":
        return a, b, c


class Liar:
    """Attribute access gives something else."""

    def __init__(self):
        object.__getattribute__(self, "__dict__")["inner"] = ["behind a __getattribute__"]

    def __getattribute__(self, name):
        return 42


class ItemLiar(dict):
    def __getitem__(self, key):
        return "something else"

    def __iter__(self):
        return iter(())

    def values(self):
        return []


class ListLiar(list):
    def __getitem__(self, index):
        return None

    def __iter__(self):
        return iter(())


class TupleLiar(tuple):
    def __getitem__(self, index):
        return None


class SetLiar(set):
    def __iter__(self):
        return iter(())


class DequeLiar(collections.deque):
    def __getitem__(self, index):
        return None


class Missing(dict):
    def __missing__(self, key):
        return "made up"


class Meta(type):
    registry = {"meta": ["of a metaclass"]}

    @property
    def hidden(cls):
        return "of the metaclass"


class WithMeta(metaclass=Meta):
    hidden = ["a class attribute behind a property of the metaclass"]
    open = ["a class attribute"]


class Descriptor:
    def __init__(self, payload):
        self.payload = payload

    def __get__(self, instance, owner=None):
        return "not the descriptor"


class Described:
    attribute = Descriptor(["payload of a descriptor"])
    function = functools.partial(print, ["argument of a partial in a class"])


class Key:
    """Hashed by identity."""

    def __init__(self, name):
        self.name = [name]


class EqualKey:
    def __hash__(self):
        return 1

    def __eq__(self, other):
        return True


def closure(value):
    counter = {"count": value}

    def inner(step=[1, 2.5, "step"]):
        counter["count"] += step[0]
        return counter, value

    return inner


def generator(argument):
    inside = {"a generator's": [argument]}
    for i in range(3):
        yield inside, i


async def coroutine(argument):
    waiting = ["a coroutine's", argument]
    await asyncio.sleep(3600)
    return waiting


async def async_generator(argument):
    inside = ["an async generator's", argument]
    yield inside


def failing(depth, cargo):
    if depth:
        failing(depth - 1, [depth, cargo])
    raise KeyError({"of": ["an exception", depth]})


class RedError(Exception):
    def __init__(self, *args):
        super().__init__(*args)
        self.detail = {"detail": [args]}


try:
    failing(3, "cargo")
except KeyError as error:
    caught = error
try:
    try:
        failing(1, "context")
    except KeyError as error:
        raise RedError("red", ["alert"]) from error
except RedError as error:
    chained = error

nan = float("nan")
keys = [
    "plain", "it's", 'say "x"', "both ' and \"", "back\\slash", "new\nline\r\t", "nul\0inside", "\x7f\x1b", "caf\xe9",
    "\u4e2d\u6587", "\U0001f600", "\u202e", "\ud800lone", "", "a b", "class", "9lives", "x" * 600, "{brace}", "%s",
    b"bytes", b"\x00\xff'\"", b"", 0, 1, -1, 2**31, 2**70, -(2**200), 0.5, -0.0, 1e300, 5e-324, 1 / 3,
    nan, math.inf, -math.inf, 1 + 2j, None, Ellipsis, NotImplemented, True, (), (1,), (1, "two", (3.0, None)),
    ((((("deep",),),),),), frozenset([1]), frozenset(), range(3), Colour.RED, Key("a"), Key, len, print, int, Slotted,
    decimal.Decimal("1.5"), lambda: 0, Point(1, 2), types,
]
by_key = {}
for place, key in enumerate(keys):
    by_key[key] = ["value of key number", place]
only_text = {key: [key] for key in keys if isinstance(key, str)}
shuffled = {key: ["shuffled", value] for key, value in by_key.items()}
for place in range(0, len(keys), 3):  # holes in the table
    del shuffled[keys[place]]
    shuffled[("again", place)] = ["after a hole", place]

nested = [[["deep", ["deeper", {"deepest": ({"tuple": [1.5]},)}]]]]
sets = [{"a", ("b", 1.5), frozenset(["c"])}, frozenset([("x", 2.5), "y"]), SetLiar([("hidden", 1)])]
deque = collections.deque([["in a deque", i] for i in range(200)], maxlen=150)
ordered = collections.OrderedDict((k, [k]) for k in ("one", 2, ("three",)))
ordered.move_to_end("one")
default = collections.defaultdict(functools.partial(list, ["factory"]), {"x": ["in a defaultdict"], nan: ["nan"]})
counter = collections.Counter({"ham": 70000000000, "eggs": -5.5})
chain_map = collections.ChainMap({"first": ["map"]}, {"second": ["map"]})
missing = Missing(here=["present"])
item_liar = ItemLiar(inner=["in a dict that lies"], other={"x": ["y"]})
item_liar[1.5] = ["float key"]
list_liar = ListLiar([["in a list that lies"]])
tuple_liar = TupleLiar([["in a tuple that lies"]])
deque_liar = DequeLiar([["in a deque that lies"]])
user_dict = collections.UserDict({"user": ["dict"]})
equal_keys = {EqualKey(): ["behind a key that equals everything"]}
slotted = Slotted(["in a slot"], {"second": ["slot"]})
slotted_more = SlottedMore(["first"], ["second"])
slotted_more.third = ["third"]
slotted_more._SlottedMore__private = ["private"]
node = Node(name="node", child=Node(items=[["of a child"]]), shadow=["behind a property"], method=["in the way"])
node.__dict__["not an identifier"] = ["odd name"]
node.__dict__["class"] = ["keyword name"]
setattr(node, "caf\xe9", ["accented name"])
node.__dict__["_Node__mangled"] = ["mangled"]
node.itself = node
liar = Liar()
bound = node.child.method
bound_builtin = ["bound builtin"].append
wrapper = ["method wrapper"].__len__
described = Described()
point = Point(["x of a point"], ["y"])
partial = functools.partial(sorted, ["argument"], key=closure([10.5]))
partial.note = ["on a partial"]
inner = closure(["closed over"])
inner.attribute = ["of a function"]
lazy = generator("argument")
next(lazy)
fresh = generator(["not started"])
done = generator("done")
list(done)
delegating = (x for x in [["in a generator expression"], ["next"]])
next(delegating)
pending = coroutine("not awaited")
agen = async_generator(["async"])
proxy = types.MappingProxyType({"in": ["a mappingproxy"]})
namespace = types.SimpleNamespace(inside=["a namespace"], deeper=types.SimpleNamespace(x=["y"]))
prop = property(fget=closure(["of a property"]), doc="documented %d" % len(keys))
static = staticmethod(closure(["static"]))
class_method = classmethod(closure(["class method"]))
weak = weakref.ref(node.child, closure(["callback"]))
weak_dict = weakref.WeakValueDictionary(child=node.child)
weak_keys = weakref.WeakKeyDictionary({node.child: ["by a weak key"]})
weak_set = weakref.WeakSet([node.child])
finalizer = weakref.finalize(node.child, closure(["finalizer"]))
weak_proxy = weakref.proxy(node.child)
iterators = [
    iter([["list iterator"]]), iter({"k": ["dict iterator"]}.items()), iter((["tuple iterator"],)),
    enumerate([["enumerate"]]), zip([["zip"]], [["zap"]]), map(closure(["map"]), [["mapped"]]), reversed([["reversed"]]),
    itertools.chain([["chain"]], [["link"]]), itertools.count(10**20), itertools.repeat(["repeat"]),
    itertools.cycle([["cycle"]]), itertools.product([["product"]], repeat=2), itertools.islice([["slice"]], 5),
    itertools.groupby([["group"]]), itertools.tee([["tee"]]), filter(closure(["filter"]), [["filtered"]]),
]
slices = [slice(["start"], ["stop"], ["step"]), memoryview(bytearray(b"memory")), range(10**20, 10**21)]
module = types.ModuleType("made.here", "a module that was made")
module.content = ["of a module"]
module.sub = types.ModuleType("made.here.sub")
module.sub.leaf = {"leaf": ["of a submodule"]}
sys.modules["made.here"] = module
sys.modules["not a module"] = Node(inside=["of what is no module"])
sys.modules["made.odd'name"] = types.ModuleType("made.odd'name")
sys.modules["made.odd'name"].content = ["behind a quote"]
module_orphan = types.ModuleType("orphan")
module_orphan.content = ["of a module that sys.modules does not have"]
variable = contextvars.ContextVar("variable", default=["default of a context variable"])
context = contextvars.copy_context()
context.run(variable.set, ["in a context"])
token = variable.set(["in the current context"])
local = threading.local()
local.value = ["thread-local of the main thread"]
log_filter = {"callable": [type("Dynamic", (Node,), {"made": ["by type()"]})()]}
frame = caught.__traceback__.tb_next.tb_frame
big = [[i, str(i) * 3] for i in range(300)]
exec(compile("def made(a, b=['of exec']):\n    return [a, b, 'constant of exec', (1.25, 'tuple')]\n", "exec", "exec"))


@functools.lru_cache(maxsize=None)
def cached(argument):
    return ["cached", argument]


cached(1), cached("two"), cached((3.5, "three"))


class WithCached:
    def __init__(self):
        self.seed = ["seed"]

    if hasattr(functools, "cached_property"):
        @functools.cached_property
        def computed(self):
            return ["computed", self.seed]

    @functools.lru_cache(maxsize=4)
    def method(self, x):
        return ["of a cached method", x]


with_cached = WithCached()
getattr(with_cached, "computed", None)
with_cached.method(5)


@functools.singledispatch
def dispatch(argument):
    return ["dispatch", argument]


dispatch.register(int, closure(["int"]))


def worker(started, name):
    batch = [[name, i] for i in range(5)]
    secret = {"local": ["thread-local", name]}
    local.mine = ["thread-local", name]
    cell = ["in a cell", name]

    def nested(depth, payload=None):
        payload = [depth, "payload", cell]
        if depth:
            return nested(depth - 1)
        started.set()
        stop.wait()
        return payload

    expected[id(batch[2])] = "paths.py: batch[2]"
    comprehension = [nested(2) for unused in batch[:1]]  # the line where it waits
    return comprehension, secret


def running_generator(started):
    inside = ["of a generator that runs"]
    started.set()
    stop.wait()
    yield inside


def drive(started):
    held = running_generator(started)
    del started
    for unused in held:
        pass


async def service():
    loop = asyncio.get_running_loop() if hasattr(asyncio, "get_running_loop") else asyncio.get_event_loop()
    future = loop.create_future()
    queue = asyncio.Queue()
    await queue.put(["in a queue"])
    tasks = [loop.create_task(coroutine(["task", i])) for i in range(3)]
    done = loop.create_task(finished())
    await done
    handle = loop.call_later(3000, closure(["timer"]))
    services.append((queue, future))
    await asyncio.sleep(0)
    started.set()
    await asyncio.wait(tasks)
    return handle


async def finished():
    return ["result of a task"]


services = []
verdicts = {}  # by id: what is to be said of objects that nothing holds
expected = {}  # by id: the expression, or how what is said of a function ends
stop = threading.Event()
for target, args in ((worker, ("one",)), (worker, ("two",)), (drive, ()), (lambda: asyncio.run(service()), ())):
    started = threading.Event()
    if args:
        threading.Thread(target=target, args=(started,) + args, daemon=True).start()
    elif target is drive:
        threading.Thread(target=target, args=(started,), daemon=True).start()
    else:
        threading.Thread(target=target, daemon=True).start()
    started.wait()
del started, target, args, key, place


for thing, text in (
    (node.child.items[0], "node.child.items[0]"), (nested[0][0][1][1], "nested[0][0][1][1]"),
    (node.__dict__["shadow"], "node.__dict__['shadow']"), (by_key["it's"], "by_key[\"it's\"]"),
    (by_key[2**31], "by_key[2147483648]"), (by_key[1, "two", (3.0, None)], "by_key[(1, 'two', (3.0, None))]"),
    (by_key[False], "by_key[0]"), (by_key[b"\x00\xff'\""], "by_key[b'\\x00\\xff\\'\"']"),
    (by_key[nan], "list(", ), (slotted.first, "slotted.first"), (Node.shared["of"], "Node.shared['of']"),
    (inner.__closure__[0].cell_contents, "inner.__closure__[0].cell_contents"), (partial.args[0], "partial.args[0]"),
    (inner.__defaults__, "inner.__defaults__"), (caught.__traceback__.tb_next, "caught.__traceback__.tb_next"),
    (chained.__cause__.args, "chained.__cause__.args"), (deque[7], "deque[7]"), (frame.f_locals["cargo"], None),
    (lazy.gi_frame.f_locals["inside"], "lazy.gi_frame.f_locals['inside']"), (proxy["in"], "next(x for x in gc.get_referents(sys.modules['__main__'].proxy) if id(x) == "),
    (module.sub.leaf["leaf"], "sys.modules['made.here'].sub.leaf['leaf']"),
):
    if text:
        expected[id(thing)] = text if text.startswith(("sys.", "list(", "next(", "type(")) else "sys.modules['__main__']." + text
del thing, text


WAITS_AT = 1 + [line.rstrip().endswith("# the line where it waits") for line in open(__file__, encoding="utf-8")].index(True)


def referents(thing):
    yield from gc.get_referents(thing)
    if type(thing) is dict:
        yield from thing
    elif type(thing) is types.CodeType:
        yield from (thing.co_consts, thing.co_names, thing.co_filename, thing.co_name, thing.co_code)


def everything():
    """Of all objects: address, whether they are of this program."""
    own, other = set(), set()
    stack = [globals()]
    while stack:  # what leads to other modules is not followed
        thing = stack.pop()
        if id(thing) in own or (isinstance(thing, types.ModuleType) and not thing.__name__.startswith("made")):
            continue
        if isinstance(thing, type) and thing.__module__ != "__main__":
            continue
        if type(thing) is dict and "__spec__" in thing and thing is not globals():
            continue
        own.add(id(thing))
        stack.extend(referents(thing))
    stack = gc.get_objects()
    mine = {id(stack), id(own), id(other)}
    while stack:
        thing = stack.pop()
        if id(thing) in other or id(thing) in mine or type(thing) is types.FrameType:
            continue
        other.add(id(thing))
        stack.extend(referents(thing))
    return sorted(own), sorted(other - own)


def write_sample(count):
    """Chosen objects that are there before and after the choice: it has caches of classes made anew, and threads may
    still be on their way to where they wait."""
    own, other = everything()
    choose = random.Random(count)
    sample = list(expected) + choose.sample(own, min(len(own), 2 * count)) + choose.sample(other, min(len(other), count))
    del own, other  # what they hold is not to be sampled
    time.sleep(0.3)
    own, other = everything()
    lasting = set(own + other)
    with open("sample", "w") as file:
        for address in sample:  # in a generator the set would be in a cell, which lasts no longer
            if address in lasting:
                file.write("0x%x\n" % address)


def drop_cycle():
    a = Node(cargo=["only in garbage"])
    a.cycle = Node(back=a)
    verdicts[id(a)] = verdicts[id(a.cycle)] = verdicts[id(a.cargo)] = "garbage"


def check_expression(path, wanted, address, names):
    if wanted.startswith("paths.py"):
        function = "worker() line %d in " % WAITS_AT
        if not path.get("readable", "").startswith(function) or not path["readable"].endswith(wanted):
            return "unlike %r" % path
    elif not path["expression"].startswith(wanted):
        return "unlike %s: %s" % (wanted, path["expression"])
    try:
        found = eval(path["expression"], dict(names))
    except BaseException as error:
        return "failed 0x%x %s: %r" % (address, path["expression"], error)
    if id(found) != address:
        return "differs 0x%x %s" % (address, path["expression"])
    return "ok"


def shared_steps(paths):
    """Addresses that two paths have in common, but for what all may share."""
    seen, shared = set(), set()
    for path in paths:
        steps = path["steps"][:-1]
        kinds = [step["type"] for step in steps]
        if path["root"]["kind"] == "modules":
            steps = steps[3:] if kinds[1:3] == ["module", "dict"] else steps[2:]
        while steps and steps[0]["type"] == "frame":
            steps = steps[1:]
        own = {step["address"] for step in steps}
        shared |= own & seen
        seen |= own
    return shared


def evaluate(line, mine, names):
    answer = json.loads(line)
    address = int(answer["address"], 16)
    if address in verdicts:
        right = answer["verdict"] == verdicts[address] and not answer["paths"]
        right = right and (answer["verdict"] != "garbage" or answer["group"] == 1)
        return "verdict" if right else "wrong %s: %r" % (verdicts[address], answer)
    if "paths" not in answer:
        return "no object: %s" % line
    paths = answer["paths"]
    if not paths:
        return "none %s %s" % (answer["verdict"], answer.get("type"))
    typed = [path["expression"] for path in paths if path["evaluable"]]
    if len(paths) > 3 or len(set(typed)) < len(typed) or shared_steps(paths):
        return "not disjoint %s %r: %s" % (typed, shared_steps(paths), line)
    wanted = [expected.get(address, "")] + [""] * 2  # of the first path
    results = {"own" if mine in path["expression"] else check_expression(path, text, address, names)
               for path, text in zip(paths, wanted) if path["evaluable"]}
    wrong = results - {"ok", "own"}
    if wrong:
        return wrong.pop()
    if not paths[0]["evaluable"]:
        return "words %s %s" % (paths[0]["root"]["kind"], paths[0]["expression"])
    return "own" if mine in paths[0]["expression"] else "ok"


def serve():
    time.sleep(0.2)  # the main thread waits then
    print("ready", flush=True)
    mine = "[%d]" % threading.get_ident()
    names = {"sys": sys, "gc": gc, "collections": collections}
    while os.read(0, 1):
        with open("answer", encoding="utf-8") as answer, open("results.new", "w", encoding="utf-8", errors="replace") as out:
            for line in answer:
                out.write(evaluate(line, mine, names).replace("\n", "\\n") + "\n")
        os.rename("results.new", "results")
    os._exit(0)


gc.collect()
gc.disable()
write_sample(int(sys.argv[1]))
drop_cycle()  # behind the sampling, whose lists leave copies of all addresses in freed memory
with open("sample", "a") as file:
    file.writelines("0x%x\n" % address for address in verdicts)
del file
threading.Thread(target=serve, daemon=True).start()
stop.wait()
