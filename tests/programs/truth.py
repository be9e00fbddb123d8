"""What the real collector finds in this process, written down for the tests.

A program imports this module first, builds its heap, tells what it knows of it (garbage(), gone(),
kept()), and calls finish(). There the process forks. The child runs the real collector on its copy
of the heap and writes to the working directory what it found; the parent leaves its heap alone,
writes the lengths of the collector's lists, says "ready" on stdout and waits on stdin. It is then
looked at while it runs, or is killed for a core. End of input ends it.

The files, one fact a line, fields separated by tabs:
  truth   unreachable ADDRESS TP_NAME        found by the collector, before any finalizer ran
          saved ADDRESS TYPE SIZE            in gc.garbage afterwards; SIZE as sys.getsizeof()
          gone ADDRESS TYPE NAME             found, but freed or revived by a finalizer
          problem TEXT                       something that the program claims is not so
          valid                              the last line if there is no problem
  counts  generation I OBJECTS THRESHOLD COUNT COLLECTIONS
          frozen OBJECTS    garbage OBJECTS    enabled 0|1

TYPE is the module and the qualified name; the module is left out for builtins.
"""

import gc

gc.disable()

import _thread
import os
import resource
import sys
import time
import types

_garbage = {}
_gone = {}
_kept = {}
_libc = None


def garbage(thing, name):
    """The collector must find `thing`."""
    _garbage[id(thing)] = name


def gone(thing, name):
    """The collector must find `thing`, but a finalizer frees or revives it before gc.garbage is
    filled."""
    _gone[id(thing)] = (type_name(type(thing)), name)


def kept(thing, name):
    """The collector must not find `thing`."""
    _kept[id(thing)] = name


def type_name(cls):
    """Module and qualified name of a type, not fooled by what the type defines."""
    module = type.__dict__["__module__"].__get__(cls)
    qualname = type.__dict__["__qualname__"].__get__(cls)
    if not isinstance(module, str) or module == "builtins":
        return qualname
    return module + "." + qualname


def _held_by_suspended():
    """What may go when the collector closes a generator: its frame and what its locals hold.

    Which of it goes depends on who else holds it, and on the version.
    """
    kinds = (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)
    held = {}
    for generator in gc.get_objects():
        if not isinstance(generator, kinds):
            continue
        name = "held by " + generator.__qualname__
        level = [generator]
        for _ in range(6):
            level = gc.get_referents(*level)
            level = [t for t in level if not isinstance(t, (type, types.ModuleType))]
            for thing in level:
                if gc.is_tracked(thing):
                    held[id(thing)] = (type_name(type(thing)), name)
    return held


def prepare():
    """Loads what finish() needs; that leaves garbage, which some programs collect first."""
    global _libc
    import ctypes

    _libc = ctypes.PyDLL(None)


def _fork():
    """fork() without what os.fork() does beside it: hooks, new locks in threads and log handlers,
    and in the child, clearing the states of other threads and deleting other interpreters."""
    if not _libc:
        prepare()
    return _libc.fork()


def _switches():
    """How often other threads were scheduled so far. There may be no /proc here."""
    ours = resource.getrusage(resource.RUSAGE_THREAD)
    everybody = resource.getrusage(resource.RUSAGE_SELF)
    return everybody.ru_nvcsw + everybody.ru_nivcsw - ours.ru_nvcsw - ours.ru_nivcsw


def _settle():
    """Waits until no other thread runs, however busy the machine is: what waits for the GIL gets
    it while this thread sleeps, and is scheduled then."""
    if _thread._count() == 0:
        return
    before, quiet = None, 0
    while quiet < 3:
        now = _switches()
        quiet = quiet + 1 if now == before else 0
        before = now
        time.sleep(0.1)


def finish(wait=True, subinterpreters=None):
    """Forks for the truth, writes the counts, and waits until the test is over.

    With wait=False it returns once the truth is written; what the caller then does must leave the
    heap as it is. subinterpreters(out) collects in other interpreters. All other threads must be
    waiting, or come to it by themselves.
    """
    _settle()
    child = _fork()
    if child == 0:
        try:
            _write_truth(subinterpreters)
            os._exit(0)
        except BaseException:
            import traceback

            sys.stderr = sys.__stderr__
            traceback.print_exc()
            os._exit(1)
    if os.waitpid(child, 0)[1] != 0:
        os._exit(3)
    if wait:
        pause()


def pause():
    """Writes the counts, says that all is in place and waits for the end of input."""
    # The first time CPython makes objects that it keeps, such as names of parameters. After that no
    # object is made that outlives its line.
    fd = os.open(os.devnull, os.O_WRONLY)
    _write_counts(fd)
    os.close(fd)
    fd = os.open("counts", os.O_WRONLY | os.O_CREAT, 0o644)
    _write_counts(fd)
    os.write(1, b"ready\n")
    os.read(0, 1)
    os._exit(0)


def _write_counts(fd):
    os.write(
        fd,
        b"generation\t0\t%d\t%d\t%d\t%d\ngeneration\t1\t%d\t%d\t%d\t%d\ngeneration\t2\t%d\t%d\t%d\t%d\n"
        b"frozen\t%d\ngarbage\t%d\nenabled\t%d\n"
        % (
            len(gc.get_objects(generation=0)),
            gc.get_threshold()[0],
            gc.get_count()[0],
            gc.get_stats()[0]["collections"],
            len(gc.get_objects(generation=1)),
            gc.get_threshold()[1],
            gc.get_count()[1],
            gc.get_stats()[1]["collections"],
            len(gc.get_objects(generation=2)),
            gc.get_threshold()[2],
            gc.get_count()[2],
            gc.get_stats()[2]["collections"],
            gc.get_freeze_count(),
            len(gc.garbage),
            gc.isenabled(),
        ),
    )


def _collect(log_name, alive=False):
    """Runs the collector; returns what it says it found and what it saved.

    With alive=True it looks for the latter itself: on 3.9 gc.garbage of other interpreters than the
    main one is the main one's list.
    """
    before = len(gc.garbage)
    log = open(log_name, "w", encoding="utf-8", errors="backslashreplace")
    stderr = sys.stderr
    # DEBUG_COLLECTABLE prints each unreachable object before weakrefs and finalizers are handled,
    # DEBUG_SAVEALL puts what is left after them into gc.garbage.
    gc.set_debug(gc.DEBUG_COLLECTABLE | gc.DEBUG_SAVEALL)
    sys.stderr = log
    gc.collect()
    sys.stderr = stderr
    gc.set_debug(0)
    log.close()
    found = {}
    with open(log_name, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("gc: collectable <"):
                name, address = line[len("gc: collectable <") : -2].rsplit(" ", 1)
                found[int(address, 16)] = name
    os.unlink(log_name)
    if alive:
        return found, [thing for thing in gc.get_objects() if id(thing) in found]
    return found, gc.garbage[before:]


def write_collected(out, log_name, alive=False):
    """Collects in this interpreter and writes what was found."""
    found, saved = _collect(log_name, alive)
    for address, name in found.items():
        out.write("unreachable\t0x%x\t%s\n" % (address, name))
    for thing in saved:
        try:
            size = sys.getsizeof(thing)
        except Exception:
            size = -1
        out.write("saved\t0x%x\t%s\t%d\n" % (id(thing), type_name(type(thing)), size))
    return found, {id(thing) for thing in saved}


def _write_truth(subinterpreters):
    with open("truth", "w", encoding="utf-8", errors="backslashreplace") as out:
        suspended = _held_by_suspended()
        found, saved = write_collected(out, "truth.log")
        for address in set(found) - saved - set(_gone):
            if address in suspended:
                _gone[address] = suspended[address]
        for address, (type_, name) in _gone.items():
            out.write("gone\t0x%x\t%s\t%s\n" % (address, type_, name))
        if subinterpreters:
            subinterpreters(out)
        problems = list(_check(found, saved))
        for problem in problems:
            out.write("problem\t%s\n" % problem)
        if not problems:
            out.write("valid\n")


def _check(found, saved):
    """The program's claims that do not hold."""
    for address, name in _garbage.items():
        if address not in found:
            yield "not garbage: %s" % name
    for address, (type_, name) in _gone.items():
        if address not in found:
            yield "not garbage: %s (%s)" % (name, type_)
        if address in saved:
            yield "not gone: %s (%s)" % (name, type_)
    for address, name in _kept.items():
        if address in found:
            yield "garbage: %s" % name
    for address in saved - set(found):
        yield "saved but not found: 0x%x" % address
    for address in set(found) - saved - set(_gone):
        yield "gone unforeseen: %s 0x%x" % (found[address], address)
