"""Every kind of object, alive, and what the collector sees of each.

The process forks. The child writes the file "referents": a line for each tracked object with its
address, its type, sys.getsizeof() and what its tp_traverse visits, in order, all in hexadecimal. The
parent leaves its heap alone, says "ready" on stdout, and waits for the end of stdin: it is then
looked at.
"""

import gc

gc.disable()

import ctypes
import os
import sys
import warnings

warnings.simplefilter("ignore")

import shapes


def size_of(thing):
    try:
        return sys.getsizeof(thing)
    except Exception:
        return 0


def write_referents():
    with open("referents", "w") as out:
        for thing in gc.get_objects():
            visited = " ".join(["%x" % id(referent) for referent in gc.get_referents(thing)])
            out.write("%x %x %x %s\n" % (id(thing), id(type(thing)), size_of(thing), visited))


def main():
    # Not os.fork(): it runs handlers that change threading's and asyncio's objects in the child.
    fork = ctypes.CDLL(None).fork
    holder = []
    for shape in shapes.SHAPES + shapes.UNSEEN:
        holder.append(shape())
    child = fork()
    if child == 0:
        write_referents()
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        os._exit(3)
    os.write(1, b"ready\n")
    os.read(0, 1)
    os._exit(0)


main()
