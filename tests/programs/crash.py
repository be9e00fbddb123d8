"""Crashes in a thread of its own, once a line comes. Writes to "crash" what is to be found of it: the
thread, the line, the signal, its si_code, and the address or the sender, "-" for none.

    crash.py null      writes to an address that is not mapped
    crash.py code      writes to its own code
    crash.py sent      sends itself SIGSEGV
"""

import os
import signal
import sys
import threading

NOT_MAPPED = 0x123456789000


def expect(line, code, address, sender):
    with open("crash", "w") as file:
        print(threading.get_native_id(), line, int(signal.SIGSEGV), code, address, sender, file=file)


def crash():
    way = sys.argv[1]
    line = sys._getframe().f_lineno
    if way == "sent":
        expect(line + 4, -6, "-", os.getpid())
        ready.set(), sys.stdin.readline()
        signal.pthread_kill(threading.get_ident(), signal.SIGSEGV)
    import ctypes
    address = NOT_MAPPED
    if way == "code":
        address = ctypes.cast(ctypes.pythonapi.PyList_New, ctypes.c_void_p).value
    expect(line + 10, 1 if way == "null" else 2, hex(address), "-")
    ready.set(), sys.stdin.readline(), ctypes.memset(address, 0, 64)


ready = threading.Event()
thread = threading.Thread(target=crash, name="worker")
thread.start()
ready.wait()
print("ready", flush=True)
thread.join()
