"""Runs a command on a terminal and types when told: terminal.py COMMAND [EXPECT TYPE]...

Each EXPECT is waited for in what the terminal shows after the last one, then TYPE is sent (with
\\xNN and \\n escapes). busybox's shell asks for the cursor (`ESC[6n`) when it has prompted and reads:
typed any sooner, the echo comes from the kernel and its place in the output is chance. All that was
shown is printed at the end; the exit code is the command's.
"""

import os
import pty
import select
import sys
import time

PATIENCE = 180


def main():
    command, script = sys.argv[1], sys.argv[2:]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp("sh", ["sh", "-c", command])
    shown, since = b"", 0
    deadline = time.monotonic() + PATIENCE
    while True:
        found = shown.find(script[0].encode(), since) if script else -1
        if found >= 0:
            since = found + len(script[0])
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
