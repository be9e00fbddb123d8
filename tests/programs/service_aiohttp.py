"""A service on aiohttp that sends each event on in a task of its own, to a place that never answers.

usage: service_aiohttp.py COUNT     takes so many events, says "ready", and takes as many again for
each line of its input, of which a byte in the file "done" tells
"""

import asyncio
import sys

from aiohttp import ClientSession, web


class Upstream:
    def __init__(self):
        self.connected = asyncio.Event()

    async def send(self, user, body):
        await self.connected.wait()


upstream = None


async def notify(user, body):
    await upstream.send(user, body)


async def event(request):
    asyncio.ensure_future(notify(request.query["user"], await request.read()))
    return web.json_response({"ok": True})


async def ask(session, port, users):
    for user in users:
        url = "http://127.0.0.1:%d/event?user=user-%d" % (port, user)
        async with session.post(url, data=b"x" * 1000) as response:
            assert (await response.json())["ok"]


async def main():
    global upstream

    count = int(sys.argv[1])
    upstream = Upstream()
    app = web.Application()
    app.router.add_post("/event", event)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    async with ClientSession() as session:
        await ask(session, port, range(count))
        print("ready", flush=True)
        done = 0
        while await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
            done += 1
            await ask(session, port, range(done * count, (done + 1) * count))
            with open("done", "a") as file:
                file.write("x")


asyncio.run(main())
