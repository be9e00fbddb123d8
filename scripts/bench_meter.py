"""Measures a command, for "make bench": its best time of several runs, and its peak memory.

usage: bench_meter.py RUNS COMMAND...

Prints "SECONDS RSS ANONYMOUS": the shortest wall time; and from one more run, sampled, the peak of
resident memory and of that part of it that is not file pages (a mapped core is shared with the
page cache and costs the machine nothing), in bytes. The output of the command is thrown away.
"""

import subprocess
import sys
import time


def run(command):
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def check(process):
    message = process.stderr.read()
    if process.wait() != 0:
        sys.exit("%s: exit code %d\n%s" % (process.args[0], process.returncode, message.decode()))


def seconds(command):
    start = time.perf_counter()
    check(run(command))
    return time.perf_counter() - start


def peak_memory(command):
    process = run(command)
    peak = {"RssAnon": 0, "VmHWM": 0}
    while process.poll() is None:
        with open("/proc/%d/status" % process.pid) as status:
            for line in status:
                name, _, rest = line.partition(":")
                if name in peak:
                    peak[name] = max(peak[name], int(rest.split()[0]) * 1024)
        time.sleep(0.002)
    check(process)
    return peak["VmHWM"], peak["RssAnon"]


def main():
    runs, command = int(sys.argv[1]), sys.argv[2:]
    print("%.3f %d %d" % ((min(seconds(command) for _ in range(runs)),) + peak_memory(command)))


main()
