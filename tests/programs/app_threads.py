"""A thread pool at work, looked at from one of its workers.

    app_threads.py [worker|main]   who looks
"""

import truth  # first: it turns the automatic collection off

import concurrent.futures
import logging
import queue
import sys
import threading
import traceback

logging.basicConfig(filename="log", level=logging.DEBUG, format="%(threadName)s %(message)s")
log = logging.getLogger("pool")
local = threading.local()


class Job:
    def __init__(self, number, parent=None):
        self.number = number
        self.parent = parent
        self.children = []
        self.result = None
        if parent:
            parent.children.append(self)

    def run(self):
        local.job = self
        log.info("job %d", self.number)
        if self.number % 3 == 0:
            self.result = Job(self.number + 1, self).run()
        if self.number % 5 == 0:
            raise RuntimeError("job %d" % self.number, self)
        return self


class Blocked:
    """What a thread that waits holds."""

    def __init__(self):
        self.event = threading.Event()
        self.started = threading.Semaphore(0)

    def wait_in_frames(self, depth):
        kept = [depth, Job(depth)]
        if depth:
            self.wait_in_frames(depth - 1)
            return kept
        self.started.release()
        condition = threading.Condition()
        with condition:
            condition.wait_for(self.event.is_set)
        return kept


def consume(jobs):
    while True:
        job = jobs.get()
        try:
            job.run()
        except RuntimeError as error:
            job.result = error
            log.error("%s", "".join(traceback.format_exc()))
        jobs.task_done()


blocked = Blocked()
pool = concurrent.futures.ThreadPoolExecutor(max_workers=4)
futures = [pool.submit(Job(i).run) for i in range(100)]
concurrent.futures.wait(futures)
failed = [f.exception() for f in futures if f.exception()][:3]
del futures

jobs = queue.Queue()
threads = [threading.Thread(target=consume, args=(jobs,), daemon=True) for _ in range(3)]
threads += [
    threading.Thread(target=blocked.wait_in_frames, args=(i * 5,), daemon=True) for i in range(3)
]
for thread in threads:
    thread.start()
for i in range(100):
    jobs.put(Job(i))
jobs.join()
for _ in range(3):
    blocked.started.acquire()
# Long since done, and gone.
for _ in range(5):
    thread = threading.Thread(target=Job(1).run)
    thread.start()
    thread.join()

assert all(t.is_alive() for t in threads)
if sys.argv[1:] == ["worker"]:
    pool.submit(truth.finish).result()
else:
    truth.finish()
