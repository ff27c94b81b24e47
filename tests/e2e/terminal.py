"""Runs a command on a terminal and types when told: terminal.py COMMAND [EXPECT TYPE]...

Each EXPECT is waited for in what the terminal shows since the last one, then TYPE is sent (with
\\xNN and \\n escapes). All that was shown is printed at the end; the exit code is the command's.
"""

import os
import pty
import select
import sys
import time

PATIENCE = 30


def main():
    command, script = sys.argv[1], sys.argv[2:]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp("sh", ["sh", "-c", command])
    shown, since = b"", 0
    deadline = time.monotonic() + PATIENCE
    while True:
        if script and script[0].encode() in shown[since:]:
            since = len(shown)
            os.write(terminal, script[1].encode().decode("unicode_escape").encode("latin-1"))
            script = script[2:]
            deadline = time.monotonic() + PATIENCE
        if time.monotonic() > deadline:
            print(f"waited in vain for {script[:1]} in {shown!r}", file=sys.stderr)
            os.kill(pid, 9)
            break
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:  # the other end is gone
            break
        if not data:
            break
        shown += data
    sys.stdout.buffer.write(shown)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


main()
