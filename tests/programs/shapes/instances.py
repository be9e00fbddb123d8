"""Cycles through instances of Python classes, however they store their attributes."""

import sys
import weakref

from . import Gone, shape


class Plain:
    pass


class Slots:
    __slots__ = ("a", "b", "__weakref__")


class MoreSlots(Slots):
    __slots__ = ("c", "a_list")


class SlotsAndDict(MoreSlots):
    pass


class DictThenSlots(Plain):
    __slots__ = ("x", "y")


class DictSlot:
    __slots__ = ("x", "__dict__")


class NoSlots:
    __slots__ = ()


class HasDel:
    def __init__(self):
        self.self = self

    def __del__(self):
        pass


@shape
def plain_instance():
    p = Plain()
    p.self = p
    return [p]


@shape
def plain_pair():
    p, q = Plain(), Plain()
    p.other, q.other = q, p
    p.items, q.items = [p], {"q": q}
    return [p, q, p.items, q.items]


@shape
def empty_instance_attached():
    p = Plain()
    a = [p]
    a.append(a)
    return [a, p]


def _dict_of(instance):
    """Its __dict__, where the collector is certain to see it through the instance.

    3.13 and later do not visit the dict if the values are stored in the instance, but for the
    releases that do.
    """
    return [] if sys.version_info >= (3, 13) else [instance.__dict__]


@shape
def instance_with_its_dict_seen():
    p = Plain()
    p.self = p
    p.d = p.__dict__
    return [p] + _dict_of(p)


@shape
def instance_outlived_by_its_dict():
    p = Plain()
    p.a = []
    d = p.__dict__
    del p
    d["self"] = d
    return [d, d["a"]]


@shape
def dict_of_two_instances():
    p, q = Plain(), Plain()
    p.a = 1
    q.__dict__ = p.__dict__
    p.q, p.p = q, p
    return [p, q, p.__dict__]


@shape
def instance_dict_replaced():
    p = Plain()
    p.a = 1
    p.__dict__ = {"self": p, 5: [p]}
    return [p, p.__dict__, p.__dict__[5]]


@shape
def instance_with_many_attributes():
    # More than a shared-keys table takes.
    class Wide:
        pass

    w = Wide()
    for i in range(70):
        setattr(w, "attribute_%d" % i, [w] if i % 7 == 0 else i)
    return [w, w.attribute_0, w.attribute_63, Wide]


@shape
def instances_with_different_orders():
    class Order:
        pass

    a, b, c = Order(), Order(), Order()
    a.x, a.y, a.z = b, c, a
    b.z, b.x = a, b
    c.y, c.w = c, [a]
    return [a, b, c, c.w, Order]


@shape
def instance_with_deleted_attributes():
    class Loses:
        pass

    p = Loses()
    p.a, p.b, p.c = [1], p, [2]
    del p.a
    q = Loses()
    q.b, q.c, q.a = q, [3], [4]
    del q.c
    return [p, q, p.c, q.a]


@shape
def instance_with_dict_emptied():
    p = Plain()
    p.a, p.b = p, []
    p.__dict__.clear()
    a = [p, p.__dict__]
    a.append(a)
    return [a, p] + _dict_of(p)


@shape
def slots():
    s = Slots()
    s.a = s
    return [s]


@shape
def slots_of_two_classes():
    s = MoreSlots()
    s.a, s.b, s.c, s.a_list = s, (s,), None, [s]
    del s.c
    return [s, s.b, s.a_list]


@shape
def slots_and_dict():
    s = SlotsAndDict()
    s.a, s.extra = [s], {"s": s}
    t = SlotsAndDict()
    t.extra = t
    t.__dict__
    return [s, t, s.a, s.extra, t.__dict__]


@shape
def dict_then_slots():
    s = DictThenSlots()
    s.x, s.z = s, [s]
    return [s, s.z]


@shape
def dict_slot():
    s = DictSlot()
    s.x, s.y = [s], s
    return [s, s.x, s.__dict__]


@shape
def empty_slots_attached():
    a = [NoSlots()]
    a.append(a)
    return [a]


@shape
def name_mangled_slots():
    class Mangled:
        __slots__ = ("__hidden", "zz", "aa")

        def __init__(self):
            self.__hidden = self
            self.zz = [self]

    m = Mangled()
    return [m, m.zz, Mangled]


class List(list):
    pass


class ListSlots(list):
    __slots__ = ("a",)


class Dict(dict):
    pass


class DictSlots(dict):
    __slots__ = ("a", "b")


class Tuple(tuple):
    pass


class TupleSlots(tuple):
    __slots__ = ()


class Set(set):
    pass


class FrozenSet(frozenset):
    pass


class Int(int):
    pass


class Str(str):
    pass


class Bytes(bytes):
    pass


class Float(float):
    pass


class Complex(complex):
    pass


class ByteArray(bytearray):
    pass


@shape
def subclasses_of_containers():
    made = [List([1]), Dict(a=1), Tuple((1, [2])), Set([1, 2]), FrozenSet([3])]
    for thing in made:
        thing.others = made
        thing.a = thing
    made[0].append(made)
    made[1]["made"] = made
    return made + [made, made[2][1]]


@shape
def subclasses_with_slots():
    a, d = ListSlots([1]), DictSlots(k=2)
    t = TupleSlots((a, d, [3]))
    a.a, d.a, d.b = d, a, t
    a.append(t)
    d["t"] = t
    return [a, d, t, t[2]]


@shape
def subclasses_of_atoms():
    made = [Int(0), Int(5), Int(-5), Int(10**30), Int(-(10**30))]
    made += [Str(""), Str("ascii"), Str("\u20ac"), Str("\U0001f600"), Bytes(b""), Bytes(b"abc")]
    made += [Float(1.5), Complex(1j), ByteArray(b"abcdef")]
    for i, thing in enumerate(made):
        thing.next = made[i - 1]
        thing.a = [thing]
    return made + [thing.a for thing in made]


@shape
def subclasses_of_atoms_with_dict_seen():
    made = [Int(7), Int(2**90), Tuple(()), Tuple((1, 2)), Bytes(b"abcdefg"), Str("text")]
    for thing in made:
        thing.a = thing
        thing.d = thing.__dict__
    return made + [thing.__dict__ for thing in made]


@shape
def weak_referenced():
    class Target:
        pass

    t = Target()
    t.self = t
    t.weak = weakref.ref(t)
    t.proxy = weakref.proxy(t)
    return [t, t.weak, Target]


@shape
def weakref_with_callback():
    t = Plain()

    def callback(_, t=t):
        pass

    t.weak = weakref.ref(t, callback)
    t.weak_proxy = weakref.proxy(t, callback)
    return [t, t.weak, callback]


@shape
def weakref_subclass():
    class Ref(weakref.ref):
        pass

    t = Plain()
    t.ref = Ref(t, lambda _: None)
    t.ref.t = t
    t.method = weakref.WeakMethod(HasDel().__init__)
    return [t, t.ref, Ref]


@shape
def weak_collections():
    t = Plain()
    t.self = t
    t.keys = weakref.WeakKeyDictionary({t: 1})
    t.values = weakref.WeakValueDictionary({1: t})
    t.set = weakref.WeakSet([t])
    # The callbacks of the collector's weakref handling take these out of the containers.
    made = [t, t.keys, t.values, t.set, t.keys.data, t.set.data, t.values.data]
    return made


@shape
def has_del():
    return [HasDel()]


class Phoenix:
    __slots__ = ("self", "held", "other")

    def __del__(self):
        _nest.append(self)


_nest = []


# On 3.8 one revived object saves all garbage of its collection; revive.py shows that.
@shape(since=(3, 9))
def del_that_revives():
    p = Phoenix()
    s = Slots()
    p.self, p.held, p.other = p, [p], s
    s.a = p
    return [Gone(p, "revived"), Gone(p.held, "held by it"), Gone(s, "held by it")]


@shape
def del_that_frees():
    class Frees:
        def __del__(self):
            self.held = None

    f = Frees()
    f.self, f.held = f, [[], [1]]
    return [
        f,
        Gone(f.held, "freed by __del__"),
        Gone(f.held[0], "freed by __del__"),
        Gone(f.held[1], "freed by __del__"),
    ]


@shape
def del_seen_before():
    class Once:
        def __del__(self):
            self.__class__.last = self

    o = Once()
    del o
    o = Once.last
    o.self = o
    return [o, Once]


@shape(since=(3, 10))
def instance_of_dataclass_with_slots():
    import dataclasses

    @dataclasses.dataclass(slots=True)
    class Data:
        a: object = None
        b: list = dataclasses.field(default_factory=list)

    d = Data()
    d.a = d
    return [d, d.b, Data]
