"""Garbage of which a finalizer revives a part.

The collector finds all of it unreachable at first, and so must the tool. From 3.9 on what is not
reachable from the revived object is garbage still; 3.8 spares all garbage of that collection.
"""

import truth  # first: it turns the automatic collection off

import gc
import sys


class Phoenix:
    __slots__ = ("self", "held")

    def __del__(self):
        nest.append(self)


class Plain:
    __slots__ = ("self", "held")


def revived():
    p = Phoenix()
    p.self, p.held = p, [p]
    truth.gone(p, "revived")
    truth.gone(p.held, "held by the revived")


def not_revived():
    q = Plain()
    q.self, q.held = q, [q]
    claim = truth.gone if sys.version_info < (3, 9) else truth.garbage
    claim(q, "not reachable from the revived")
    claim(q.held, "not reachable from the revived")


nest = []
truth.prepare()
gc.collect()  # what start-up left
revived()
not_revived()
truth.finish()
