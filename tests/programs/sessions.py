"""A small program that leaks: sessions and requests that refer to each other, never collected.

    sessions.py [COUNT]    COUNT cycles of a Session and a Request (default 1000)

A second thread waits too. Ends with its standard input.
"""

import gc
import sys
import threading

gc.disable()


class Session:
    pass


class Request:
    pass


def leak(count):
    for _ in range(count):
        session, request = Session(), Request()
        session.request, request.session = request, session


leak(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
waiting = threading.Event()
threading.Thread(target=waiting.wait, daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
