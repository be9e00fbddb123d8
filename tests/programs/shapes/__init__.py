"""Small cyclic structures of every kind, to be dropped as garbage or kept as look-alikes.

Each function marked with @shape builds one structure and returns the list of its objects, all of
which must be unreachable once that list is gone. Gone(thing, why) marks an object that a finalizer
frees or revives before the collector would.
"""

import sys

SHAPES = []
#: Those whose references the collector does not see whole: it keeps them for ever.
UNSEEN = []


class Gone:
    """An object of a shape that finalizers take out of the collector's hands."""

    def __init__(self, thing, why):
        self.thing = thing
        self.why = why


def shape(function=None, since=(3, 8), until=(4, 0), unseen=False):
    """Registers a builder, for the versions that have what it builds."""

    def register(function):
        if since <= sys.version_info[:2] < until:
            (UNSEEN if unseen else SHAPES).append(function)
        return function

    return register(function) if function else register


def compiled(source, name, **names):
    """The function `name` out of source text that older versions can't parse."""
    names["__name__"] = __name__
    exec(compile(source, "<%s>" % name, "exec"), names)
    return names[name]


from . import (  # noqa: E402,F401  they register
    code,
    containers,
    errors,
    generators,
    instances,
    library,
    system,
    types,
)
