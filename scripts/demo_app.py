"""A small web-like service with a leak, for "make demo".

It answers requests from several users, and caches what it may. Each Session refers to the request
that it is serving, and each Request to its session: a cycle, which only the garbage collector can
free. And it is off, as it often is where its pauses hurt. So every request stays in memory.

usage: demo_app.py [REQUESTS]    prints "ready" when that many were answered, and waits for the
end of its input
"""

import ctypes
import gc
import random
import sys


class User:
    def __init__(self, name):
        self.name = name
        self.visits = 0


class Session:
    def __init__(self, user):
        self.user = user
        self.request = None
        self.basket = []


class Request:
    def __init__(self, session, path, headers):
        self.session = session
        self.path = path
        self.headers = headers
        session.request = self


class RenderError(Exception):
    pass


class Application:
    def __init__(self):
        self.users = [User("user%d" % number) for number in range(100)]
        self.pages = {}
        self.last_error = None

    def render(self, request):
        if request.path.endswith("7"):
            raise RenderError(request.path)
        return "<h1>%s</h1>" % request.path

    def handle(self, number):
        user = random.choice(self.users)
        user.visits += 1
        request = Request(Session(user), "/item/%d" % (number % 500), {"Accept": "text/html"})
        request.session.basket.append(number)
        try:
            self.pages[request.path] = self.render(request)
        except RenderError as error:
            failure = error  # its traceback holds this frame, and this frame holds it
            self.last_error = str(failure)


def allow_debuggers():
    """Lets a debugger that is not our parent attach, where the kernel's Yama asks for that."""
    pr_set_ptracer, any_process = 0x59616D61, ctypes.c_ulong(-1)
    libc = ctypes.CDLL(None)
    libc.prctl(pr_set_ptracer, any_process, 0, 0, 0)


def main():
    allow_debuggers()
    gc.collect()  # what the imports left
    gc.disable()
    application = Application()
    for number in range(int(sys.argv[1]) if len(sys.argv) > 1 else 20000):
        application.handle(number)
    print("ready", flush=True)
    sys.stdin.read()


main()
