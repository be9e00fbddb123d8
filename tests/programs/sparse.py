"""Sets whose tables have long runs of zeros, in one large mapping: a file can keep these as holes.

    sparse.py

A cycle leads through such a table. Ends with its standard input.
"""

import gc
import sys

gc.disable()


class Element:
    def __init__(self, position):
        self.position = position

    def __hash__(self):
        return self.position


def leak(numbers):
    table = set(numbers)
    for position in range(50):
        table.discard(position)
        element = Element(position)
        element.table = table
        table.add(element)


# A third of the million slots is used, those of small numbers.
base = set(range(300000))
held = [set(base) for _ in range(5)]
leak(base)
print("ready", flush=True)
sys.stdin.read()
