"""A web shop on Flask whose cache of rendered pages never forgets a page: its key has the user in it.

usage: service_flask.py COUNT     serves so many requests, says "ready", and serves as many again for
each line of its input, of which a byte in the file "done" tells
"""

import http.client
import sys
import threading

from flask import Flask, request
from werkzeug.serving import WSGIRequestHandler, make_server

app = Flask("shop")
page_cache = {}


class Page:
    def __init__(self, path, user, html):
        self.path = path
        self.user = user
        self.html = html
        self.hits = [0]


def render(path, user):
    return "<html><body>" + "".join("<p>%s: %s %d</p>" % (path, user, i) for i in range(100))


@app.route("/item/<number>")
def item(number):
    key = (number, request.args["user"])
    if key not in page_cache:
        page_cache[key] = Page(request.path, key[1], render(request.path, key[1]))
    page_cache[key].hits[0] += 1
    return page_cache[key].html


def ask(port, users):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for user in users:
        connection.request("GET", "/item/%d?user=user-%d" % (user % 50, user))
        assert connection.getresponse().read().startswith(b"<html>")
    connection.close()


def main():
    count = int(sys.argv[1])
    WSGIRequestHandler.log = lambda *arguments: None
    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True, name="server").start()
    ask(server.port, range(count))
    print("ready", flush=True)
    for done, line in enumerate(sys.stdin, 1):
        ask(server.port, range(done * count, (done + 1) * count))
        with open("done", "a") as file:
            file.write("x")


main()
