"""A web application with a database, logging and errors, served by threads to itself."""

import truth  # first: it turns the automatic collection off

import dataclasses
import functools
import html
import http.client
import http.server
import json
import logging
import logging.handlers
import string
import threading
import typing
import urllib.parse
import uuid
import weakref

logging.basicConfig(filename="log", level=logging.DEBUG)
log = logging.getLogger("web")
memory = logging.handlers.MemoryHandler(1000, target=logging.NullHandler())
log.addHandler(memory)


@dataclasses.dataclass(eq=False)
class Session:
    id: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex)
    history: typing.List["Request"] = dataclasses.field(default_factory=list)
    data: dict = dataclasses.field(default_factory=dict)


class Request:
    def __init__(self, app, session, path, query):
        self.app = app
        self.session = session
        self.path = path
        self.query = query
        session.history.append(self)

    @functools.cached_property
    def user(self):
        return User(self, self.query.get("user", ["nobody"])[0])


class User:
    __slots__ = ("request", "name", "__weakref__")

    def __init__(self, request, name):
        self.request, self.name = request, name


class NotFound(Exception):
    def __init__(self, request):
        super().__init__(request.path)
        self.request = request


def route(path):
    def decorate(f):
        @functools.wraps(f)
        def wrapper(self, request):
            log.debug("%s -> %s", request.path, f.__name__)
            return f(self, request)

        App.routes[path] = wrapper
        return wrapper

    return decorate


class App:
    routes = {}
    page = string.Template("<h1>$title</h1>$body")

    def __init__(self):
        self.sessions = weakref.WeakValueDictionary()
        self.errors = []
        self.last = None

    def handle(self, target):
        url = urllib.parse.urlsplit(target)
        session = Session()
        self.sessions[session.id] = session
        request = Request(self, session, url.path, urllib.parse.parse_qs(url.query))
        try:
            view = self.routes.get(request.path)
            if view is None:
                raise NotFound(request)
            return 200, view(self, request)
        except NotFound as error:
            session.data["error"] = error
            return 404, html.escape(str(error))
        except Exception as error:
            log.exception("failed")
            session.data["error"] = error
            self.last = error
            return 500, repr(error)


@route("/user")
def user(self, request):
    return self.page.substitute(title=request.user.name, body=self.render(request.user.name))


@route("/json")
def as_json(self, request):
    request.session.data["parsed"] = json.loads('{"a": [1, {"b": null}]}', object_hook=Parsed)
    return json.dumps({"user": request.user.name})


@route("/fail")
def fail(self, request):
    items = [request]
    return [1 / len(request.query) for _ in items]


App.render = functools.lru_cache(maxsize=16)(lambda self, name: html.escape(name))


class Parsed(dict):
    pass


class Handler(http.server.BaseHTTPRequestHandler):
    app = App()

    def do_GET(self):
        status, body = self.app.handle(self.path)
        body = str(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        log.info(format, *args)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
thread = threading.Thread(target=server.serve_forever, args=(3600,), daemon=True)
thread.start()
for i in range(40):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port)
    connection.request("GET", ["/user?user=u%d" % i, "/json", "/fail", "/missing?x=1"][i % 4])
    connection.getresponse().read()
    connection.close()
kept = list(Handler.app.sessions.values())[::7]
while threading.active_count() > 2:
    threading.Event().wait(0.01)
threading.Event().wait(0.2)
truth.finish()
