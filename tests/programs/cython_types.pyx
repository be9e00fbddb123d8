# cython: language_level=3
"""Types made by Cython: extension types with object, typed and inherited members, and generators."""


cdef class Node:
    cdef public object payload
    cdef Node next
    cdef dict table
    cdef list items
    cdef int number

    def __init__(self, payload, Node next=None):
        self.payload = payload
        self.next = next
        self.table = {"payload": payload}
        self.items = [payload]


cdef class Derived(Node):
    cdef public tuple pair


class Plain(Derived):
    pass


def count(n):
    local = [n]
    for i in range(n):
        yield local, i


def closure(value):
    def inner(default=value):
        return value, default

    return inner


def build(i):
    node = Node([i])
    derived = Derived([i], node)
    derived.pair = (node, [i])
    plain = Plain((i,), derived)
    plain.extra = [plain]
    generator = count(3)
    next(generator)
    return [node, derived, plain, generator, count(2), closure([i])]
