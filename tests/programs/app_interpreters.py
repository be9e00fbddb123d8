"""Several interpreters in one process, with garbage in each.

    app_interpreters.py [shared|isolated]   isolated: with a GIL and an allocator of their own
"""

import truth  # first: it turns the automatic collection off

import gc
import os
import sys
import warnings

warnings.simplefilter("ignore")

if sys.version_info >= (3, 13):
    import _interpreters

    def create():
        return _interpreters.create("isolated" if isolated else "legacy")

    def run(interpreter, source):
        failure = _interpreters.exec(interpreter, source)
        if failure:
            raise RuntimeError(failure)

else:
    import _xxsubinterpreters

    def create():
        if sys.version_info >= (3, 9):
            return _xxsubinterpreters.create(isolated=isolated)
        return _xxsubinterpreters.create()

    run = _xxsubinterpreters.run_string


isolated = sys.argv[1:] == ["isolated"]
here = os.path.dirname(os.path.abspath(__file__))

BUILD = """
import gc, sys
gc.disable()
sys.path.insert(0, %(here)r)
import truth
class Node:
    def __init__(self, *items):
        self.self = self
        self.items = [self, *items]
kept = [Node(i) for i in range(10)]
gc.collect(0)
"""

DROP = """
kept.append(Node(1))
for i in range(10 * %(number)d):
    Node(i, {"i": [i]}, (i, [i]))
"""

COLLECT = """
with open("truth.%(number)d", "w") as out:
    truth.write_collected(out, "truth.log.%(number)d", alive=True)
"""


def drop_cycle():
    a = []
    a.append(a)
    truth.garbage(a, "list of the main interpreter")


def collect(out):
    """In the forked child: the truth of the other interpreters."""
    for number, interpreter in enumerate(interpreters, 1):
        run(interpreter, COLLECT % {"number": number})
        with open("truth.%d" % number) as part:
            out.write(part.read())


interpreters = [create() for _ in range(3)]
for number, interpreter in enumerate(interpreters, 1):
    run(interpreter, BUILD % {"here": here, "number": number})
for number, interpreter in enumerate(interpreters, 1):
    run(interpreter, DROP % {"number": number})
drop_cycle()
truth.finish(subinterpreters=collect)
