"""Cycles through functions, partial functions, methods and code."""

import functools
import sys
import types

from . import compiled, shape


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
