"""Cycles through classes, metaclasses, modules and what the type system makes of them."""

import abc
import collections
import dataclasses
import enum
import sys
import types
import typing

from . import compiled, shape


@shape
def plain_class():
    class C:
        pass

    return [C, C.__mro__]


@shape
def class_with_instances():
    class C:
        pass

    c = C()
    C.instance = c
    return [C, c]


@shape
def class_hierarchy():
    classes = [type("Level0", (), {})]
    for i in range(1, 30):
        classes.append(type("Level%d" % i, (classes[-1],), {"__slots__": ("s%d" % i,)}))
    thing = classes[-1]()
    for i in range(1, 30):
        setattr(thing, "s%d" % i, [thing])
    return classes + [thing, thing.s1, thing.s29]


@shape
def diamond():
    class A:
        x = []

    class B(A):
        __slots__ = ("b",)

    class C(A):
        pass

    class D(B, C):
        pass

    d = D()
    d.b, d.c = d, [d]
    return [A, B, C, D, d, d.c, A.x]


@shape
def metaclass():
    class Meta(type):
        def __new__(cls, name, bases, names, **kwargs):
            made = super().__new__(cls, name, bases, names)
            made.kwargs = kwargs
            return made

        def __init__(cls, name, bases, names, **kwargs):
            super().__init__(name, bases, names)

        def __del__(cls):
            pass

    class Made(metaclass=Meta, key=[1]):
        pass

    class Sub(Made):
        __slots__ = ("slot",)

    s = Sub()
    s.slot = s
    return [Meta, Made, Sub, s, Sub.kwargs, Made.kwargs["key"]]


@shape
def metaclass_with_slots_of_classes():
    class Meta(type):
        pass

    class Made(metaclass=Meta):
        __slots__ = ("first", "second")

    m = Made()
    m.first, m.second = m, [m]
    Made.m = m
    Meta.made = Made
    return [Meta, Made, m, m.second]


@shape
def abstract_class():
    class Abstract(abc.ABC):
        @abc.abstractmethod
        def f(self):
            pass

        @property
        @abc.abstractmethod
        def p(self):
            pass

    class Concrete(Abstract):
        f = None
        p = None

    class Virtual:
        pass

    Abstract.register(Virtual)
    isinstance(1, Abstract)
    issubclass(Virtual, Abstract)
    c = Concrete()
    c.c = c
    return [Abstract, Concrete, Virtual, c]


@shape
def generics():
    T = typing.TypeVar("T")
    P = typing.TypeVar("P", bound=list)

    class G(typing.Generic[T, P]):
        x: "G" = None

    class H(G[int, list]):
        pass

    h = H()
    h.h = h
    h.alias = typing.Dict[str, typing.List[H]]
    h.union = typing.Union[H, None]
    h.generic = G[H, list]
    # The module typing keeps what it was asked for last.
    return [h]


@shape(since=(3, 9))
def generic_aliases():
    class C:
        pass

    c = C()
    c.alias = list[C]
    c.nested = dict[str, list[C]]
    c.c = c
    if sys.version_info >= (3, 10):
        c.union = C | int | None
        c.generic_union = list[C] | C
        if sys.version_info >= (3, 14):
            hash(c.union)
    return [C, c]


@shape
def protocols():
    @typing.runtime_checkable
    class P(typing.Protocol):
        def f(self):
            ...

    class C:
        def f(self):
            return self

    c = C()
    c.is_p = isinstance(c, P)
    c.p, c.c = P, c
    return [P, C, c]


@shape(since=(3, 12))
def type_parameters():
    C = compiled(
        "class C[T, *Ts, **P]:\n"
        "  type Alias[U] = dict[U, list[T]]\n"
        "  x: T\n"
        "  def f[V: (int, str)](self, v: V) -> T: ...\n",
        "C",
    )
    C.Alias.__value__
    C.Alias.__type_params__
    C.self = C
    return [C, C.Alias, C.__type_params__]


@shape
def enums():
    class Colour(enum.Enum):
        RED = 1
        BLUE = (2, "b")

    class Flag(enum.Flag):
        A = 1
        B = 2

    class Int(enum.IntEnum):
        A = 1

    Flag.A | Flag.B
    return [Colour, Flag, Int, Colour.RED, Flag.A]


@shape
def dataclass():
    @dataclasses.dataclass
    class D:
        x: object = None
        y: list = dataclasses.field(default_factory=list)

    @dataclasses.dataclass(frozen=True, order=True)
    class F:
        d: D = None

    d = D()
    d.x = F(d)
    return [D, F, d, d.y, d.x]


@shape
def named_tuples():
    N = collections.namedtuple("N", "a b c")

    class T(typing.NamedTuple):
        a: int = 0
        b: object = None

    holder = []
    holder.append(N(holder, 2, [3]))
    holder.append(T(1, holder))
    return [N, T, holder] + holder


@shape
def typed_dict():
    D = typing.TypedDict("D", {"a": int})
    holder = [D]
    holder.append(D(a=holder))
    return [D, holder, holder[1]]


@shape
def descriptors():
    class Descriptor:
        def __set_name__(self, owner, name):
            self.owner = owner

        def __get__(self, instance, owner):
            return self

    class C:
        d = Descriptor()
        __slots__ = ("a", "__dict__", "__weakref__")

    c = C()
    c.a = c
    c.members = [C.__dict__["a"]]
    c.more_members = [C.__dict__["__dict__"], C.__dict__["__weakref__"]]
    return [Descriptor, C, C.d, c, c.members] + c.members


@shape
def super_objects():
    class A:
        def f(self):
            return __class__

    class B(A):
        def f(self):
            self.s = super()
            self.unbound = super(A)
            return __class__

    b = B()
    b.f()
    b.for_class = super(B, B)
    return [A, B, b, b.s, b.unbound, b.for_class]


@shape
def modules():
    m = types.ModuleType("made")
    m.m = m
    exec("def f(): return m\nclass C: pass\nc = C()\nc.m = m", m.__dict__)
    return [m, m.__dict__, m.f, m.C, m.c]


@shape
def module_subclass():
    class Module(types.ModuleType):
        @property
        def p(self):
            return self

    m = Module("made")
    m.m = m
    m.__class__ = Module
    return [m, m.__dict__, Module]


@shape
def module_outlived_by_its_function():
    m = types.ModuleType("made")
    exec("def f(): return f\n", m.__dict__)
    f = m.f
    del m
    return [f, f.__globals__]


@shape
def class_reassigned():
    class A:
        pass

    class B:
        pass

    a = A()
    a.a = a
    a.__class__ = B
    a.b = [a]
    return [B, a, a.b]


@shape
def class_with_odd_module():
    class C:
        __module__ = 5

    class D:
        __module__ = "odd.module"
        __qualname__ = "Odd.<locals>.Name"

    c, d = C(), D()
    c.d, d.c = d, c
    return [C, D, c, d]


@shape
def class_with_odd_name():
    C = type("a name with spaces > and \u00fc \U0001f600", (), {})
    c = C()
    c.c = c
    return [C, c]


@shape
def class_dict_changed_after():
    class C:
        pass

    for i in range(100):
        setattr(C, "a%d" % i, [C])
    for i in range(50):
        delattr(C, "a%d" % i)
    c = C()
    c.method = C.__init__
    return [C, C.a60]


@shape
def heap_type_by_type_call_with_slots():
    C = type("C", (list,), {"__slots__": ("x", "y", "zz"), "attribute": []})
    c = C()
    c.x = c
    c.append(C)
    return [C, c, C.attribute]


@shape
def exception_class():
    class E(Exception):
        codes = {}

    E.codes[1] = E(E)
    return [E, E.codes, E.codes[1]]


@shape
def init_subclass_and_class_getitem():
    class Base:
        known = []

        def __init_subclass__(cls):
            cls.known.append(cls)

        def __class_getitem__(cls, item):
            return (cls, item)

    class A(Base):
        pass

    Base.item = Base[A]
    return [Base, A, Base.known, Base.item]


@shape
def annotations():
    class C:
        x: "C"
        y: int = 1

        def f(self, a: "C") -> None:
            pass

    C.__annotations__
    C.f.__annotations__
    typing.get_type_hints(C, None, {"C": C})
    return [C, C.__annotations__]
