"""What the test of the library looks at; it changes when it is told to.

usage: library.py COUNT

Keeps COUNT objects of class Kept and leaks COUNT cycles with the collector off. A line on the
standard input makes it do the same once more, and write the file `changed`.
"""

import gc
import sys


class Kept:
    pass


class Cycle:
    pass


def grow(count):
    for _ in range(count):
        kept.append(Kept())
        one, other = Cycle(), Cycle()
        one.other, other.one = other, one


gc.disable()
kept = []
count = int(sys.argv[1])
grow(count)
print("ready", flush=True)
for _ in sys.stdin:
    grow(count)
    open("changed", "w").close()
