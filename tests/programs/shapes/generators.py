"""Cycles through generators, coroutines and asynchronous generators."""

import types

from . import Gone, shape


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
