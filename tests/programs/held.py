"""Cycles that look like garbage but for one holder that is no Python object on a list."""

import truth  # first: it turns the automatic collection off

import atexit
import codecs
import contextvars
import ctypes
import faulthandler
import gc
import os
import signal
import sys
import threading
import weakref


class Node:
    """A cycle of its own, and callable."""

    def __init__(self, name):
        self.self = self
        self.items = [self]
        truth.kept(self, name)
        truth.kept(self.items, name + ".items")

    def __call__(self, *args):
        return None


class Tracer(Node):
    def __call__(self, frame, event, arg):
        return None  # traces no lines


class Finder(Node):
    def find_spec(self, name, path=None, target=None):
        return None


def drop_cycle(name):
    a = [name]
    a.append(a)
    truth.garbage(a, name)


def hold_in_frame(ready):
    node = Node("local of a running frame in another thread")
    local = threading.local()
    local.node = Node("thread-local value of another thread")
    ready.set()
    threading.Event().wait()
    return node, local


def hold_in_generator(ready):
    node = Node("local of a running generator in another thread")

    def generator():
        inner = Node("local of the same generator")
        ready.set()
        threading.Event().wait()
        yield inner

    next(generator())
    return node


drop_cycle("before")
atexit.register(Node("atexit"))
codecs.register(Node("codec search function"))
sys.settrace(Tracer("trace function"))
sys.setprofile(Tracer("profile function"))
threading.setprofile(Node("profile function of threads"))
signal.signal(signal.SIGUSR1, Node("signal handler"))
sys.excepthook = Node("excepthook")
sys.meta_path.append(Finder("meta path"))
contextvars.ContextVar("v").set(Node("value in the current context"))
sys.set_asyncgen_hooks(Node("async generator hook"), Node("async generator finalizer"))
os.register_at_fork(before=Node("fork hook"))
weakref.finalize(Node, Node("weakref.finalize"))
sys.addaudithook(Node("audit hook"))
kept_thunk = ctypes.CFUNCTYPE(None)(Node("ctypes callback"))
ctypes.pythonapi.Py_IncRef(ctypes.py_object(Node("leaked reference")))
log = open("faults", "w")
log.node = Node("attribute of a file that faulthandler holds")
faulthandler.enable(log)
del log
interned = Node("value behind an interned key")
vars(interned)[sys.intern("a key for %s" % __name__)] = interned
sys.modules["not a module"] = interned
del interned

for hold in (hold_in_frame, hold_in_generator):
    ready = threading.Event()
    threading.Thread(target=hold, args=(ready,), daemon=True).start()
    ready.wait()

drop_cycle("after")
truth.finish()
