"""Every kind of cyclic garbage beside the same shape kept alive.

How the look-alikes are kept: by this module, by a frozen object that is itself garbage (frozen),
by a local of another thread's running frame (thread), and in what generation the garbage is:
all in the youngest, or spread over the three (generations).

    zoo.py [plain|frozen|thread|generations]
"""

import truth  # first: it turns the automatic collection off

import gc
import sys
import threading
import warnings

import shapes

warnings.simplefilter("ignore")


def drop(shape):
    """Builds garbage."""
    members = shape()
    for i, member in enumerate(members):
        name = "%s[%d]" % (shape.__name__, i)
        if shape in shapes.UNSEEN:
            truth.kept(member, name)
            continue
        if isinstance(member, shapes.Gone):
            truth.gone(member.thing, "%s: %s" % (name, member.why))
        elif gc.is_tracked(member):
            truth.garbage(member, name)


def keep(shape, holder):
    """Builds a look-alike."""
    members = [m.thing if isinstance(m, shapes.Gone) else m for m in shape()]
    holder.append(members)
    for i, member in enumerate(members):
        truth.kept(member, "kept %s[%d]" % (shape.__name__, i))


def hold(everything, ready):
    """Runs in a thread for ever; its locals are the only holders."""
    ready.set()
    del ready
    threading.Event().wait()
    return everything


mode = sys.argv[1] if len(sys.argv) > 1 else "plain"
holder = []

if mode == "frozen":
    frozen = []
    frozen.append(frozen)
    gc.freeze()
    holder = frozen
    del frozen

if mode == "generations":
    spread = [[], [], []]
    for i, shape in enumerate(shapes.SHAPES):
        spread[i % 3].append(shape)
    for collect in (1, 0, None):
        garbage = [shape() for shape in spread.pop()]
        if collect is not None:
            gc.collect(collect)
        holder.append(garbage)
    for garbage in holder:
        for members in garbage:
            for member in members:
                if isinstance(member, shapes.Gone):
                    truth.gone(member.thing, member.why)
    member = members = garbage = None
    holder.clear()
else:
    for shape in shapes.SHAPES + shapes.UNSEEN:
        drop(shape)
        keep(shape, holder)

if mode == "thread":
    ready = threading.Event()
    threading.Thread(target=hold, args=(holder, ready), daemon=True).start()
    ready.wait()

if mode in ("frozen", "thread"):
    del holder

truth.finish()
