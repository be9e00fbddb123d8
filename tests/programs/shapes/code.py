"""Cycles through functions, generators, coroutines, frames and exceptions."""

import functools
import sys
import types

from . import Gone, compiled, shape


class Plain:
    pass


@shape
def recursive_closure():
    def f():
        return f

    return [f, f.__closure__, f.__closure__[0]]


@shape
def function_with_everything():
    a = []

    def f(x, y=a, *args, key=a, other=None, **kwargs) -> a:
        """Documentation."""
        return a, f

    f.attribute = [f]
    f.__annotations__
    return [f, a, f.__defaults__, f.__kwdefaults__, f.__dict__, f.attribute, f.__annotations__]


@shape
def lambdas_in_their_list():
    a = []
    a.extend(lambda x=a: (a, x) for _ in range(3))
    return [a] + a[:3]


@shape
def empty_cell():
    def outer():
        def f():
            return f, later

        if sys is None:
            later = 1
        return f

    f = outer()
    return [f] + list(f.__closure__)


@shape
def cell_in_itself():
    c = types.CellType()
    c.cell_contents = c
    return [c]


@shape
def function_with_own_globals():
    names = {"__builtins__": {}}
    exec("def f(): pass", names)
    return [names, names["f"]]


@shape(since=(3, 12))
def generic_function():
    f = compiled("def f[T: (int, list)](x: T) -> T: return x", "f")
    f.f = f
    return [f, f.__dict__, f.__type_params__, f.__type_params__[0]]


@shape
def bound_method():
    p = Plain()
    p.method = types.MethodType(lambda self: None, p)
    return [p, p.method, p.method.__func__]


@shape
def builtin_methods():
    a = []
    d = {}
    a.extend([a.append, d.update, a.__len__, a.__add__])
    d["a"] = a
    return [a, d] + a


@shape
def method_wrappers_of_an_instance():
    p = Plain()
    p.methods = [p.__init__, p.__str__, p.__setattr__, p.__reduce__]
    return [p, p.methods] + p.methods


@shape
def class_and_static_methods():
    f = lambda: None  # noqa: E731
    f.class_method, f.static_method = classmethod(f), staticmethod(f)
    return [f, f.class_method, f.static_method]


@shape
def properties():
    f = lambda self: None  # noqa: E731
    f.property = property(f, f, f, "text")
    f.empty = property()
    return [f, f.property, f.empty]


@shape
def partials():
    def f(*args, **kwargs):
        pass

    f.p = functools.partial(f, [f], key=[f])
    f.p.attribute = f
    f.method = functools.partialmethod(f, f)
    f.q = functools.partial(f.p, 1)
    return [f, f.p, f.p.args, f.p.keywords, f.p.__dict__, f.method, f.q]


@shape
def lru_caches():
    @functools.lru_cache(maxsize=5)
    def bounded(x, y=None):
        return [x, bounded]

    @functools.lru_cache(maxsize=None)
    def unbounded(x, y=None):
        return [x, unbounded]

    results = [f(i, y) for f in (bounded, unbounded) for i in range(9) for y in (1, (2, "a"))]
    bounded.other = unbounded
    unbounded.other = bounded
    return [bounded, unbounded] + results[13:18] + results[18:]


@shape
def cached_property():
    class Cached:
        @functools.cached_property
        def value(self):
            return [self]

    c = Cached()
    return [c.value, c, Cached]


@shape
def single_dispatch():
    @functools.singledispatch
    def f(x):
        return f

    f.register(int, lambda x: f)
    f(1)
    return [f]


@shape(since=(3, 10))
def cmp_to_key():
    a = []
    key = functools.cmp_to_key(lambda x, y, a=a: 0)
    a.extend([key, key(a), key((a,))])
    return [a] + a


def _yields(x, *more):
    local = [x]
    for i in more:
        yield i, local
    yield x


def _ring():
    """A list that stays garbage whatever finalizers do: it holds itself."""
    ring = []
    ring.append(ring)
    return ring


@shape
def generator_suspended():
    a = _ring()
    g = _yields(a, 1, 2)
    a.append(g)
    return [g, a, Gone(next(g)[1], "local of a closed generator")]


@shape
def generator_not_started():
    a = _ring()
    a.append(_yields(a, a))
    return [a, a[1]]


@shape
def generator_finished():
    a = _ring()
    a.append(_yields(a, a))
    for _ in a[1]:
        pass
    return a[:]


@shape
def generator_with_values_on_its_stack():
    a = _ring()
    b, c = [a], {"a": a}

    def g(b, c):
        return [1, b, (a, [(yield)]), c]

    gen = g(b, c)
    next(gen)
    a.extend([gen, b, c])
    return [a, gen, b, c]


@shape
def generator_in_a_loop_over_generators():
    a = _ring()
    g = _yields(a, 1, 2, 3)
    a.append(g)
    for _ in range(3):
        g = (x for x in g)
        next(g)
        a.append(g)
    return a[:]


@shape
def generator_yields_from():
    a = _ring()

    def outer(inner):
        yield from inner

    a.append(_yields(a, 1, 2))
    a.append(outer(a[1]))
    next(a[2])
    return a[:]


@shape
def generator_inside_except():
    a = _ring()

    def g():
        try:
            raise KeyError(a)
        except KeyError as e:
            a.append(e)
            yield

    gen = g()
    next(gen)
    a.append(gen)
    return a[:]


@shape
def generator_frame_seen():
    a = _ring()
    g = _yields(a, 1, 2)
    local = next(g)[1]
    a.append(g.gi_frame)
    g.gi_frame.f_locals
    a.extend([local, g])
    return a[:]


@shape
def generator_with_finally():
    a = _ring()

    def g():
        kept = [a]
        try:
            yield kept
        finally:
            kept.append("closed")

    gen = g()
    a.append(gen)
    return [a, gen, Gone(next(gen), "local of a closed generator")]


async def _awaits(x, *more):
    local = [x]
    await types.coroutine(_yields)(x, *more)
    return local


@shape
def coroutine_suspended():
    a = _ring()
    c = _awaits(a, 1, 2)
    c.send(None)
    a.append(c)
    return [a, c]


@shape
def coroutine_not_started():
    a = _ring()
    c = _awaits(a, 1)
    a.extend([c, c.__await__()])
    return a[:]


@shape
def coroutine_finished():
    a = _ring()

    async def c():
        return a

    a.append(c())
    try:
        a[1].send(None)
    except StopIteration as stop:
        a.append(stop)
    return a[:]


async def _yields_async(x):
    local = [x]
    yield local
    await types.coroutine(_yields)(x)
    yield local


@shape
def async_generators():
    a = _ring()
    for start in (False, True):
        for keep in ("asend", "athrow", "aclose", "__anext__"):
            g = _yields_async(a)
            if start:
                try:
                    g.asend(None).send(None)
                except StopIteration:
                    pass
            a.append(g)
            if keep == "athrow":
                a.append(g.athrow(ValueError))
            elif keep == "asend":
                a.append(g.asend(None))
            else:
                a.append(getattr(g, keep)())
    return a[:]


@shape
def async_generator_awaiting():
    a = _ring()
    g = _yields_async(a)
    try:
        g.asend(None).send(None)
    except StopIteration:
        pass
    step = g.asend(None)
    step.send(None)
    a.extend([g, step])
    return a[:]


@shape
def exception_with_its_frame():
    a = []

    def f():
        local = [a]
        try:
            raise ValueError(local)
        except ValueError as e:
            error = e
        return error

    e = f()
    return [e, e.__traceback__, e.__traceback__.tb_frame, e.args, e.args[0]]


@shape
def exception_through_many_frames():
    def f(depth, keep):
        local = {"depth": depth, "keep": keep}
        if depth == 0:
            raise KeyError(local)
        f(depth - 1, [local])

    holder = Plain()
    try:
        f(20, holder)
    except KeyError as e:
        holder.error = e
    tb = holder.error.__traceback__
    members = [holder, holder.error, f]
    while tb:
        members += [tb, tb.tb_frame]
        tb = tb.tb_next
    # The first frame is that of this function, which goes on living until it returns.
    return members


@shape
def exception_contexts():
    errors = []

    def chain(n):
        try:
            if n == 0:
                raise KeyError([errors])
            chain(n - 1)
        except LookupError as e:
            errors.append(e)
            if n % 2:
                raise IndexError(n) from e
            raise LookupError(n)

    try:
        chain(6)
    except LookupError as e:
        errors.append(e)
    return [errors, chain] + errors


@shape
def exceptions_with_fields():
    class Base(Exception):
        pass

    class Slotted(OSError):
        __slots__ = ("extra",)

    a = []
    made = [
        Base(a),
        Slotted(2, "text", "name"),
        BaseException(a),
        StopIteration(a),
        StopAsyncIteration(a),
        SystemExit(a),
        ImportError(a, name="name", path="path"),
        ModuleNotFoundError("m", name="n"),
        OSError(2, "text", "name", None, "other"),
        FileNotFoundError(2, "text"),
        BlockingIOError(11, "text", 5),
        NameError("n"),
        AttributeError("n"),
        SyntaxError("text", ("file", 1, 2, "line")),
        IndentationError("text"),
        UnicodeDecodeError("utf-8", b"abc", 0, 1, "why"),
        UnicodeEncodeError("utf-8", "abc", 0, 1, "why"),
        UnicodeTranslateError("abc", 0, 1, "why"),
        KeyError(a),
        RecursionError(a),
        MemoryError(a),
        KeyboardInterrupt(a),
        Warning(a),
    ]
    for e in made:
        e.extra = a
        e.__cause__ = made[0]
    a.extend(made)
    if sys.version_info >= (3, 10):
        a.append(NameError("n", name="x"))
        a.append(AttributeError("n", name="x", obj=a))
    if sys.version_info >= (3, 11):
        made[0].add_note("a note")
    return [a] + a


@shape(since=(3, 11))
def exception_groups():
    a = []
    e = ValueError(a)
    group = ExceptionGroup("group", [e, ExceptionGroup("inner", [KeyError(a)])])  # noqa: F821
    group.add_note("note")
    derived = group.split(KeyError)
    a.extend([group, derived])
    return [a, group, e, derived, group.exceptions] + list(derived)


@shape(since=(3, 11))
def except_star():
    f = compiled(
        "def f(a):\n"
        "  try:\n"
        "    try:\n"
        "      raise ExceptionGroup('g', [ValueError(a), KeyError(a)])\n"
        "    except* ValueError as group:\n"
        "      a.append(group)\n"
        "      raise\n"
        "  except BaseException as error:\n"
        "    a.append(error)\n",
        "f",
    )
    a = []
    f(a)
    return [a] + a


@shape
def frames_of_returned_functions():
    frames = []

    def f(n):
        local = [n]
        frames.append(sys._getframe())
        return f(n - 1) if n else local

    f(5)
    return [frames, f] + frames


@shape
def frame_with_locals_seen():
    frames = []

    def f(x):
        y, z = [x], {"x": x}
        frame = sys._getframe()
        frame.f_locals
        frame.f_trace = lambda *args: z
        frames.append(frame)

        def inner():
            return y, inner

        return inner

    inner = f(frames)
    return [frames, frames[0], inner]


@shape
def frame_cleared():
    frames = []

    def f(x):
        frames.append(sys._getframe())

    f(frames)
    frames[0].clear()
    return [frames, frames[0]]


@shape(since=(3, 13))
def frame_locals_proxy():
    frames = []

    def f(x):
        frame = sys._getframe()
        proxy = frame.f_locals
        proxy["not a local"] = [x]
        frames.extend([frame, proxy])

    f(frames)
    return [frames] + frames


@shape
def traceback_made_by_hand():
    frames = []

    def f(x):
        frames.append(sys._getframe())

    f(frames)
    tb = types.TracebackType(None, frames[0], 0, 1)
    tb = types.TracebackType(tb, frames[0], 0, 1)
    frames.append(tb)
    return [frames, tb, tb.tb_next, frames[0]]


@shape
def class_body_frame():
    holder = []

    class Body:
        holder.append(sys._getframe())
        local = [holder]

    return [holder, holder[0], Body]


@shape
def code_objects_in_a_list():
    a = [compile("x = [i for i in range(3)]", "<text>", "exec")]
    a.append(a)
    return [a]


@shape(since=(3, 14))
def template_strings():
    f = compiled("def f(a):\n  return t'{a} and {a!r:>{3}} text'", "f")
    a = []
    template = f(a)
    a.extend([template, template.interpolations, iter(template)])
    return [a, template] + list(template.interpolations)


@shape
def running_callbacks():
    # Held by nothing but a frame of a finished function that sorts.
    a = []

    def key(x):
        a.append(sys._getframe())
        return 0

    sorted([1, 2], key=key)
    return [a, key] + a
