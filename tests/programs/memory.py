"""A process whose memory is used in a way that is known, with what its allocators say of it.

usage: memory.py fragmented|healthy|large|leaking|threads

  fragmented   many small objects, of which every 500th is kept
  healthy      many small objects, all kept
  large        some bytes, lists and buffers that malloc maps by itself, one advised as numpy does
  leaking      malloc without free, which no Python object knows of
  threads      threads that used much of their stacks, and memory of their own arenas

What mallinfo2() says is written to the file `mallinfo`, what sys._debugmallocstats() says to
`stats`; nothing is allocated or freed after that.
"""

import ctypes
import os
import signal
import sys
import threading
import time

libc = ctypes.CDLL(None)


class Information(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in
                "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()]


libc.mallinfo2.restype = Information
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]


def fragmented():
    objects = [bytes(8 + i % 100) for i in range(500000)]
    return objects[::500]


def healthy():
    return [(i, str(i)) for i in range(200000)]


def large():
    advised = ctypes.create_string_buffer(b"x" * (16 << 20))
    # From the second page on, which makes two mappings of it. 14 is MADV_HUGEPAGE.
    start = (ctypes.addressof(advised) + 4095) & ~4095
    libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(8 << 20), 14)
    return [os.urandom(8 << 20) for _ in range(4)], [None] * 4000000, advised


def leaking():
    for size in (1000, 5000, 300000):
        for _ in range(10000000 // size):
            libc.memset(libc.malloc(size), 1, size)


def threads():
    started = threading.Barrier(9)

    def work():
        kept = [bytearray(2000) for _ in range(1000)]
        libc.memset(ctypes.create_string_buffer(1000), 0, 1000)
        started.wait()
        hold.acquire()
        return kept

    hold = threading.Lock()
    hold.acquire()
    for _ in range(8):
        threading.Thread(target=work, daemon=True).start()
    started.wait()
    time.sleep(0.2)  # until all of them wait for the lock
    return hold


def finish():
    information = os.open("mallinfo", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    stats = os.open("stats", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    say, line = b"ready\n", ""
    # A name that is looked up for the first time may push another one, which it frees, out of the
    # cache of attributes of types.
    write, pause = os.write, signal.pause
    for _ in range(4):
        found = libc.mallinfo2()
        line = "%d %d %d %d\n" % (found.arena, found.fordblks, found.hblks, found.hblkhd)
        os.ftruncate(information, 0)
        os.pwrite(information, line.encode(), 0)
    os.dup2(stats, 2)
    sys._debugmallocstats()
    # What the first one leaves behind is in the second; a loop would have an iterator meanwhile.
    os.ftruncate(stats, 0)
    os.lseek(stats, 0, os.SEEK_SET)
    sys._debugmallocstats()
    write(1, say)
    pause()


kept = globals()[sys.argv[1]]()
finish()
