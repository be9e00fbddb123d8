"""A program that grows in one place.

usage: growing.py cache|local|names|both|healthy
"""

import sys
import threading

ENTRIES = 20000


class Session:
    def __init__(self, number):
        self.user = "user-%d" % number
        self.history = [number]


class Cache:
    def __init__(self):
        self.hits = 0
        self._entries = {}


def worker(ready):
    batch = []
    for number in range(ENTRIES):
        batch.append(("item-%d" % number, float(number)))
    ready.set()
    threading.Event().wait()


def start_worker():
    ready = threading.Event()
    threading.Thread(target=worker, args=(ready,), daemon=True).start()
    ready.wait()


cache = Cache()
names = []
index = {}
place = sys.argv[1]
if place == "cache":
    for number in range(ENTRIES):
        cache._entries["key-%d" % number] = Session(number)
elif place == "local":
    start_worker()
elif place == "names":
    for number in range(ENTRIES):
        names.append("a name of some length-%d" % number)
elif place == "both":
    for number in range(ENTRIES):
        session = Session(number)
        names.append(session)
        index[number] = session
    del session
print("ready", flush=True)
sys.stdin.read()
