#!/usr/bin/env python3
"""typed -- runs a command on a terminal of its own and types answers to its questions.

    typed.py [ANSWER...] -- COMMAND...

Each time what was printed ends with ": ", the terminal must be without echo, and the next answer
and Enter are typed; there must be as many questions as answers. What was printed goes to standard
output. The exit code is the command's, or 70 with a line when the terminal was not as it should be.
`^C` is that key, `^H` the one that takes a character back.
"""
import fcntl
import os
import select
import sys
import termios
import time

SECONDS_MAX = 60


def fail(text):
    print("typed: " + text)
    sys.exit(70)


def has_echo(terminal):
    return termios.tcgetattr(terminal)[3] & termios.ECHO != 0


def main():
    split = sys.argv.index("--")
    answers, command = sys.argv[1:split], sys.argv[split + 1:]
    # we keep the command's end of the terminal too: its settings are asked for after it has ended
    terminal, keeper = os.openpty()
    child = os.fork()
    if child == 0:
        os.setsid()
        fcntl.ioctl(keeper, termios.TIOCSCTTY, 0)
        for stream in range(3):
            os.dup2(keeper, stream)
        os.execvp(command[0], command)
    printed, asked_at, code = b"", 0, None
    end = time.monotonic() + SECONDS_MAX
    while code is None:
        if time.monotonic() > end:
            os.kill(child, 9)
            os.waitpid(child, 0)
            fail("it goes on for over %d s" % SECONDS_MAX)
        if select.select([terminal], [], [], 0.05)[0]:
            printed += os.read(terminal, 4096)
            continue
        if printed.endswith(b": ") and len(printed) > asked_at:
            asked_at = len(printed)
            if has_echo(keeper):
                fail("it asks, and the terminal would show the answer")
            if not answers:
                fail("one question more than answers: " + printed.decode())
            answer = answers.pop(0).replace("^C", "\x03").replace("^H", "\x7f")
            os.write(terminal, answer.encode() + b"\n")
        done, status = os.waitpid(child, os.WNOHANG)
        if done == child:
            code = os.waitstatus_to_exitcode(status)
    while select.select([terminal], [], [], 0)[0]:
        printed += os.read(terminal, 4096)
    sys.stdout.write(printed.decode().replace("\r\n", "\n"))
    if not has_echo(keeper):
        fail("the terminal was left without echo")
    if answers:
        fail("it never asked for: " + " ".join(answers))
    return code


if __name__ == "__main__":
    sys.exit(main())
