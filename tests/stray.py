"""A child for `l2t.child.Child` that starts a program in a session of its own, as the worker does
with the drawing process: no signal to the child's group reaches it."""

import subprocess
import sys
from multiprocessing.connection import Connection

if __name__ == "__main__":
    line = Connection(int(sys.argv[1]))
    program = [sys.executable, "-c", "import subprocess; subprocess.run(['sleep', '600'])"]
    line.send(subprocess.Popen(program, start_new_session=True).pid)
    line.recv()
