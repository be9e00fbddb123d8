"""Lines of all instructions of many code objects.

Compiles files of the standard library (as many as the argument says, spread over all) and code of
odd shapes, writes to the file "lines" for each code object "ID LINE*COUNT LINE*COUNT ..." as
PyCode_Addr2Line() gives them for instruction after instruction (-1 for those without a line), and
waits.
"""

import ctypes
import os
import sys
import types

wanted = int(sys.argv[1])
address_to_line = ctypes.pythonapi.PyCode_Addr2Line
address_to_line.argtypes = [ctypes.py_object, ctypes.c_int]
kept = []


def files():
    root = os.path.dirname(os.__file__)
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - {"__pycache__", "site-packages", "dist-packages"})
        found += [os.path.join(folder, name) for name in sorted(names) if name.endswith(".py")]
    step = max(1, len(found) // wanted)
    return found[::step]


odd = [
    # Lines far apart, backwards and forwards.
    "x = 1\n" + "\n" * 1000 + "y = (x +\n" + "\n" * 500 + "x)\nz = " + "[\n" * 40 + "]" * 40,
    "f(\n" + "\n" * 200 + "a,\n" + "\n" * 200 + "b)" + "(\n\n\nc)" * 3,
    "def f(a):\n  return (a\n    .b(1)\n    .c(\n2,\n3)\n    .d)\n",
    "x = " + " + ".join("a%d" % i for i in range(300)) + "\n",
    "".join("if a:\n  b\n\nelse:\n  c\n" for i in range(300)),
    "@d(\n1)\n@e\ndef f(\n  a=1,\n  *, b=(\n2)):\n  '''doc'''\n",
    "class A(\nB,\nmetaclass=\nC):\n  x = 1\n  def f(self):\n    return [\nx for x in\n self if (\nx)]\n",
    "try:\n  a\nexcept (\nB,\nC) as e:\n  d\nfinally:\n  while a:\n    break\n",
    "async def f():\n  async with (\na) as b:\n    async for c in b:\n      await (\nc)\n  return [\nd async for d in e]\n",
    "lambda: (\nyield)\n",
    "",
    "pass",
]


def add(code):
    kept.append(code)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            add(constant)


for source in odd:
    add(compile(source, "odd\n\u2603.py", "exec"))
# Lines that are not those of the source: templates do that.
for first in (0, 1, 100000):
    add(kept[0].replace(co_firstlineno=first))
for path in files():
    try:
        with open(path, "rb") as file:
            add(compile(file.read(), path, "exec"))
    except (SyntaxError, ValueError, RecursionError):
        pass  # fixtures of lib2to3 and the like

instructions = 0
with open("lines", "w") as out:
    for code in kept:
        runs = []
        size = len(code.co_code)
        instructions += size // 2
        for offset in range(0, size, 2):
            line = address_to_line(code, offset)
            if runs and runs[-1][0] == line:
                runs[-1][1] += 1
            else:
                runs.append([line, 1])
        out.write("%x" % id(code) + "".join(" %d*%d" % tuple(run) for run in runs) + "\n")

print("ready", flush=True)
sys.stdin.read()
