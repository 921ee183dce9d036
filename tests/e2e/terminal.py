"""Runs a command at a terminal of its own and answers each question that it asks.

terminal.py ANSWERS COMMAND...: ANSWERS is one text with | between; "^C" is the key. What the
terminal showed goes to stdout; the exit code is the command's, 130 when a signal ended it. After
the last answer the input ends.
"""
import os
import pty
import select
import sys
import time

SECONDS_MAX = 20


def main():
    answers, command = sys.argv[1].split("|"), sys.argv[2:]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    shown, asked, end = b"", 0, time.monotonic() + SECONDS_MAX
    while time.monotonic() < end:
        ready, _, _ = select.select([terminal], [], [], 0.1)
        if ready:
            try:
                part = os.read(terminal, 65536)
            except OSError:  # the other side is gone
                part = b""
            if not part:
                break
            shown += part
        if shown[asked:].rstrip(b"\r").endswith(b": "):
            asked = len(shown)
            answer = answers.pop(0) if answers else "^D"
            keys = {"^C": b"\x03", "^D": b"\x04"}.get(answer, answer.encode() + b"\n")
            os.write(terminal, keys)
    else:
        os.kill(pid, 9)
    sys.stdout.write(shown.decode().replace("\r", ""))
    status = os.waitpid(pid, 0)[1]
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 130


sys.exit(main())
