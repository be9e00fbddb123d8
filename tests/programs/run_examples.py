"""Runs the examples of manual pages and of the README on a real process and its core.

usage: run_examples.py TOOL PID CORE ADDRESS PAGE...

Examples are the lines between .EX and .EE of a page, and in the README the indented lines that call
pycore-inspect. In them 1234 becomes the process, cores become the core, and an address that of an
object; coredumpctl is a stand-in. Each has to end with exit code 0 and to write something, and no
program of a pipe may fail. The current directory is where files may be written.

Prints each example that fails, then how many were run. Exit codes: 0 none failed, 1 some did.
"""

import os
import re
import subprocess
import sys

ESCAPES = {"\\-": "-", "\\(aq": "'", "\\(dq": '"', "\\e": "\\", "\\(bu": "*"}
# Examples of something else: lines of sysctl's files, what is compiled, debuggers.
ELSEWHERE = re.compile(r"kernel\.|cc |\(lldb\)|\(gdb\)|gdb |lldb |make |plugin load")
CORES = r"(?<![\w/])core\.(?:python3\.1000\.zst|old|new|\d+)(?!\w)"
COREDUMPCTL = """#!/bin/sh
case $1 in
dump) exec cat "$CORE" ;;
debug) exec "${3#--debugger=}" /no/such/executable -c "$CORE" ;;
esac
exit 2
"""


def manual_examples(text):
    for block in re.findall(r"^\.EX\n(.*?)^\.EE$", text, re.M | re.S):
        for line in block.splitlines():
            for escape, character in ESCAPES.items():
                line = line.replace(escape, character)
            yield line


def readme_examples(text):
    for line in re.findall(r"^    (?:\$ )?(.*pycore-inspect .*)$", text, re.M):
        yield re.split(" {2,}", line)[0]


def examples(path):
    with open(path) as file:
        text = file.read()
    for line in readme_examples(text) if path.endswith(".md") else manual_examples(text):
        if not ELSEWHERE.match(line):
            yield line


def substituted(line, pid, address):
    line = re.sub(r"-p (?:\d+|PID)\b", "-p " + pid, line)
    line = re.sub(r"\b0x[0-9a-f]+", address, line)
    return re.sub(CORES, lambda found: found.group() if found.group() in FILES else "core.1234", line)


FILES = ("core.1234", "core.old", "core.new", "core.python3.1000.zst")


def prepare(tool, core):
    """The files that examples name."""
    os.mkdir("bin")
    os.symlink(os.path.abspath(tool), "bin/pycore-inspect")
    with open("bin/coredumpctl", "w") as file:
        file.write(COREDUMPCTL)
    os.chmod("bin/coredumpctl", 0o755)
    for name in FILES[:3]:
        os.symlink(core, name)
    subprocess.run(["zstd", "-q", "-1", core, "-o", FILES[3]], check=True)
    os.environ.update(PATH=os.path.abspath("bin") + ":" + os.environ["PATH"], CORE=core)


def run(line):
    """@return what is wrong with it; an empty string: nothing"""
    written = re.search(r" -o (\S+)", line)
    result = subprocess.run(["bash", "-o", "pipefail", "-c", line], stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=120)
    output = result.stdout
    if result.returncode:
        return "exit code %d: %s" % (result.returncode, result.stderr)
    if written:
        with open(written.group(1)) as file:
            output += file.read()
    return "" if output.strip() not in ("", "null", "[]") else "no output"


def main():
    tool, pid, core, address = sys.argv[1:5]
    lines = [line for page in sys.argv[5:] for line in examples(page)]
    prepare(tool, core)
    failed = 0
    for line in lines:
        wrong = run(substituted(line, pid, address))
        if wrong:
            failed += 1
            print("%s\n  %s\n  %s" % (line, substituted(line, pid, address), wrong))
    print("%d examples, %d failed" % (len(lines), failed))
    return bool(failed) or len(lines) < 20


sys.exit(main())
