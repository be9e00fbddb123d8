"""Cycles through the built-in containers and what hangs off them."""

import types

from . import shape


@shape
def list_in_itself():
    a = []
    a.append(a)
    return [a]


@shape
def list_with_spare_capacity():
    a = list(range(100))
    del a[3:]
    a.append(a)
    return [a]


@shape
def list_in_list():
    a, b = [], []
    a.append(b)
    b.append(a)
    a.extend([a, b, b])
    return [a, b]


@shape
def list_emptied_and_attached():
    a = [[] for _ in range(3)]
    a[0].extend(range(10))
    a[1].clear()
    a.append(a)
    return [a] + a[:3]


@shape
def tuple_in_list():
    a = []
    t = (a, (a, 1), ((), "text", None))
    a.append(t)
    return [a, t, t[1]]


@shape
def tuple_that_looks_atomic():
    # Tracked when made, untracked by the first collection that sees it.
    a = []
    t = tuple([1, "two", 3.0])
    a.extend([a, t])
    return [a]


@shape
def long_tuple():
    a = []
    t = tuple([a] * 50)
    a.append(t)
    return [a, t]


@shape
def dict_in_itself():
    d = {}
    d["self"] = d
    return [d]


@shape
def dict_with_text_keys():
    d = {"key %d" % i: i for i in range(40)}
    inner = {"up": d}
    d["inner"] = inner
    return [d, inner]


@shape
def dict_with_general_keys():
    d = {i: [i] for i in range(20)}
    d[("a", 1)] = d
    d[None] = d
    return [d] + [d[i] for i in range(20)]


@shape
def dict_with_object_keys():
    class Key:
        pass

    d = {}
    key = Key()
    key.d = d
    d[key] = d
    return [d, key, Key]


@shape
def dict_with_deleted_entries():
    d = {"k%d" % i: [i] for i in range(30)}
    for i in range(0, 30, 2):
        del d["k%d" % i]
    d["self"] = d
    return [d, d["k1"]]


@shape
def dict_with_deleted_general_entries():
    d = {i: [i] for i in range(30)}
    for i in range(5, 30):
        del d[i]
    d[1000] = d
    return [d, d[0]]


@shape
def dict_popped_and_refilled():
    d = {}
    for i in range(50):
        d["k%d" % i] = []
        if i > 3:
            del d["k%d" % (i - 3)]
    d.popitem()
    d["end"] = d
    return [d, d["k47"]]


@shape
def large_dict():
    # More than 65536 slots: 32-bit indices.
    d = dict.fromkeys(range(50000))
    d[7] = d
    return [d]


@shape
def middling_dicts():
    # 8-bit and 16-bit indices on both sides of their limits.
    made = []
    for n in (5, 85, 86, 170, 171, 21845, 21846):
        d = dict.fromkeys("k%d" % i for i in range(n))
        d["k1"] = d
        made.append(d)
    return made


@shape
def dict_views_and_iterators():
    d = {"a": 1, "b": 2}
    it = iter(d.items())
    next(it)
    views = [d.keys(), d.values(), d.items(), iter(d), iter(d.values()), it, reversed(d)]
    views.append(reversed(d.items()))
    d["a"] = views
    return [d, views] + views


@shape
def mapping_proxy():
    d = {}
    d["proxy"] = types.MappingProxyType(d)
    return [d, d["proxy"]]


@shape
def set_with_cycle():
    class Item:
        pass

    item = Item()
    item.home = {item, 1, "two"}
    return [item, item.home]


@shape
def large_set_with_deleted_entries():
    class Item:
        pass

    items = [Item() for _ in range(60)]
    s = set(items)
    for item in items[10:50]:
        s.discard(item)
    for item in items:
        item.s = s
    items.append(items)
    return [s] + items


@shape
def frozenset_with_cycle():
    class Item:
        pass

    item = Item()
    item.home = frozenset([item, (1, item)])
    it = iter(item.home)
    next(it)
    item.iterator = it
    return [item, item.home, it]


@shape
def slices():
    a = []
    s = slice(a, [1], (a,))
    a.append(s)
    return [a, s, s.stop, s.step]


@shape
def iterators():
    a = [1, 2, 3]
    t = (a, a)
    its = [iter(a), reversed(a), iter(t), enumerate(a), zip(a, a), map(len, a), filter(None, a)]
    its += [iter(lambda: a, 0), iter({1, 2}), reversed(t)]
    next(its[0])
    next(its[3])
    next(its[4])
    a.append(its)
    return [a, t, its] + its


@shape
def sequence_iterator():
    class Sequence:
        def __getitem__(self, i):
            return i

    s = Sequence()
    s.it = iter(s)
    return [s, s.it]


@shape
def exhausted_iterators():
    a = []
    its = [iter([]), iter(()), iter({}), iter(set())]
    for it in its:
        for _ in it:
            pass
    a.append(its)
    its.append(a)
    return [a, its] + its[:4]


@shape
def memory_views():
    class Bytes(bytearray):
        pass

    b = Bytes(b"abcdef")
    b.view = memoryview(b)[1:3]
    return [b, b.view]


@shape
def simple_namespace():
    n = types.SimpleNamespace(a=1)
    n.self = n
    return [n, n.__dict__]


@shape
def deep_chain():
    # Far deeper than a recursive marker could go.
    first = last = []
    for _ in range(20000):
        new = [last]
        last = new
    first.append(last)
    return [first, last]


@shape
def one_shared_leaf():
    leaf = {"leaf": []}
    cycles = []
    for _ in range(5):
        c = [leaf]
        c.append(c)
        cycles.append(c)
    return cycles + [leaf, leaf["leaf"]]
