"""A small asyncio service, looked at from within one of its requests.

Sessions and requests refer to each other; failed requests keep their exceptions; tasks are pending,
done, cancelled, and shut down in the middle of things.
"""

import truth  # first: it turns the automatic collection off

import asyncio
import contextlib
import contextvars
import logging
import sys
import warnings

warnings.simplefilter("ignore")
logging.basicConfig(filename="log", level=logging.DEBUG)
log = logging.getLogger("service")
request_id = contextvars.ContextVar("request_id")


class Session:
    def __init__(self, user):
        self.user = user
        self.requests = []
        self.cache = {}


class Request:
    def __init__(self, session, line):
        self.session = session
        self.line = line
        self.error = None
        self.done = asyncio.get_running_loop().create_future()
        session.requests.append(self)


class Service:
    def __init__(self):
        self.sessions = {}
        self.background = set()
        self.queue = asyncio.Queue()
        self.served = 0
        self.failures = []

    async def handle(self, reader, writer):
        """One connection."""
        session = Session(writer.get_extra_info("peername"))
        while True:
            line = await reader.readline()
            if not line:
                break
            request = Request(session, line.decode().strip())
            request_id.set(request)
            try:
                answer = await asyncio.wait_for(self.answer(request), 5)
            except Exception as error:
                request.error = error
                log.exception("request failed")
                answer = "error %r" % error
            writer.write(answer.encode() + b"\n")
            await writer.drain()
            self.served += 1
        writer.close()

    async def answer(self, request):
        words = request.line.split()
        method = getattr(self, "do_" + words[0])
        return await method(request, *words[1:])

    async def do_echo(self, request, *words):
        request.session.cache[words] = request
        return " ".join(words)

    async def do_fail(self, request, depth):
        if int(depth) == 0:
            raise ValueError(request)
        return await self.do_fail(request, int(depth) - 1)

    async def do_later(self, request, *words):
        task = asyncio.ensure_future(self.work(request))
        self.background.add(task)
        task.add_done_callback(lambda t: request.session.cache.update(task=t))
        return "later"

    async def do_gather(self, request, count):
        parts = [self.part(request, i) for i in range(int(count))]
        results = await asyncio.gather(*parts, return_exceptions=True)
        request.session.cache["gathered"] = results
        return str(len(results))

    async def do_truth(self, request):
        async for _ in self.stream(request):
            async with self.resource(request):
                truth.finish()
        return "not reached"

    async def part(self, request, i):
        await asyncio.sleep(0)
        if i % 2:
            raise KeyError(request.session)
        return request

    async def work(self, request):
        while True:
            item = await self.queue.get()
            request.session.cache[id(item)] = item

    async def stream(self, request):
        for i in range(3):
            yield request, i

    @contextlib.asynccontextmanager
    async def resource(self, request):
        try:
            yield self
        finally:
            request.done.cancel()


async def client(port, lines):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = []
    for line in lines:
        writer.write(line.encode() + b"\n")
        answers.append(await reader.readline())
    writer.close()
    return answers


async def main():
    service = Service()
    server = await asyncio.start_server(service.handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    lines = ["echo a b", "fail 3", "gather 4", "later x", "unknown", "echo c"]
    for _ in range(10):
        await asyncio.gather(*(client(port, lines) for _ in range(5)))
    for task in list(service.background)[::2]:
        task.cancel()
    await asyncio.sleep(0)
    # A connection that stays open in the middle of a request.
    pending = asyncio.ensure_future(client(port, ["echo a", "later y"]))
    await asyncio.sleep(0.05)
    never = asyncio.ensure_future(asyncio.wait([asyncio.get_running_loop().create_future()]))
    await asyncio.sleep(0)
    await client(port, ["truth"])
    return pending, never


asyncio.run(main())
sys.exit("not reached")
