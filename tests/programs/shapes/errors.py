"""Cycles through exceptions, tracebacks and frames."""

import sys
import types

from . import compiled, shape


class Plain:
    pass


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
