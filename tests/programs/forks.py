"""A process and its fork, alike but for one leak: a cycle of OnlyInTheChild.

The child writes its process id to the file "child" and then waits as its parent does. Both end with
their standard input.
"""

import gc
import os
import sys

gc.disable()


class OnlyInTheChild:
    pass


reader, writer = os.pipe()
if os.fork():
    os.read(reader, 1)
    print("ready", flush=True)
else:
    leaked = OnlyInTheChild()
    leaked.itself = leaked
    del leaked
    with open("child", "w") as file:
        file.write(str(os.getpid()))
    os.write(writer, b".")
sys.stdin.read()
