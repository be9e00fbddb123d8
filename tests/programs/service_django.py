"""A Django site with a middleware that remembers each request, for a report that nobody asks for.

usage: service_django.py COUNT     serves so many requests, says "ready", and serves as many again for
each line of its input, of which a byte in the file "done" tells
"""

import sys

import django
from django.conf import settings
from django.http import JsonResponse
from django.test import Client
from django.urls import path


class AuditMiddleware:
    recent = []

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        self.recent.append(Visit(request))
        return self.get_response(request)


class Visit:
    def __init__(self, request):
        self.request = request
        self.note = "%s %s" % (request.method, request.path)


def item(request, number):
    return JsonResponse({"item": number, "names": ["part %d of %d" % (i, number) for i in range(20)]})


urlpatterns = [path("item/<int:number>", item)]


def serve(client, numbers):
    for number in numbers:
        assert client.get("/item/%d" % number).json()["item"] == number


def main():
    count = int(sys.argv[1])
    settings.configure(
        DEBUG=False,
        SECRET_KEY="not secret",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        MIDDLEWARE=[__name__ + ".AuditMiddleware"],
        DATABASES={},
    )
    django.setup()
    client = Client()
    serve(client, range(count))
    print("ready", flush=True)
    for done, line in enumerate(sys.stdin, 1):
        serve(client, range(done * count, (done + 1) * count))
        with open("done", "a") as file:
            file.write("x")


main()
