"""Threads that never stop running Python, and one that C made and that never runs Python.

Writes to the file "busy" "FIRST LAST COUNT": the lines of the loop, and how many run it.
"""

import ctypes
import inspect
import os
import sys
import threading
import time

COUNT = 4


def busy():
    started.append(1)
    n = 0
    while True:
        n = n + 1
        if n % 7:
            n = n - 1 + (
                1)


def first_line():
    return inspect.getsourcelines(busy)[1]


started = []
library = ctypes.CDLL(None)
thread = ctypes.c_ulong()
library.pthread_create(ctypes.byref(thread), None, library.pause, None)
for _ in range(COUNT):
    threading.Thread(target=busy, name="busy", daemon=True).start()
while len(started) < COUNT:
    time.sleep(0.01)
with open("busy", "w") as out:
    out.write("%d %d %d" % (first_line() + 3, first_line() + 7, COUNT))
print("ready", flush=True)
os.read(0, 1)
