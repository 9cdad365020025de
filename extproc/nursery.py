"""The process that workers are forked from: it has loaded all that a worker needs, and does nothing else.

A worker that dies is back in the time of a fork instead of the seconds that loading takes, and the workers share the
memory of what was loaded. One thread and no open channel, so that a fork leaves nothing behind that does not work. A
worker is forked twice, so it becomes a child of the supervisor and does not die with this process.
"""

import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from typing import Final

from extproc import worker
from extproc.bond import die_with

__all__ = ["FAILED", "main"]

FAILED: Final = b"-"
"""The answer where the system has no process to give."""
_MOST_DIGITS: Final = 32
_LOOK_SECONDS: Final = 0.001


def main(arguments: Sequence[str]) -> int:
    """Fork workers for supervisor ``arguments[0]``, asked over the socket ``arguments[1]``, until it lets go of it.

    A question is the index of a worker, with what becomes its standard input; the answer is its process id.
    """
    parent, line = int(arguments[0]), socket.socket(fileno=int(arguments[1]))
    die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker.preload()
    gc.collect()
    gc.freeze()  # a collection in a worker would otherwise write to every page that they share
    while True:
        asked, files, _, _ = socket.recv_fds(line, _MOST_DIGITS, 1)
        if not asked:
            return 0
        telling, told = os.pipe()
        try:
            between = os.fork()
        except OSError:
            answer = FAILED
        else:
            if not between:
                return _bear(asked, files[0], told, parent, unused=(telling, line.detach()))
            os.waitpid(between, 0)  # from here on the worker is the supervisor's
            os.close(told)
            told = -1
            answer = os.read(telling, _MOST_DIGITS) or FAILED
        for each in (*files, telling, told):
            if each >= 0:
                os.close(each)
        line.send(answer)


def _bear(index: bytes, stdin: int, told: int, parent: int, *, unused: Sequence[int]) -> int:
    """In the process between: fork the worker, tell its id, and end; in the worker: its whole life."""
    between = os.getpid()
    try:
        born = os.fork()
    except OSError:
        os._exit(1)
    if born:
        os.write(told, str(born).encode())
        os._exit(0)
    for each in (*unused, told):
        os.close(each)
    os.dup2(stdin, sys.stdin.fileno())
    os.close(stdin)
    os.setsid()  # a terminal's Ctrl-C and hang-up are for the supervisor alone
    while os.getppid() == between:
        time.sleep(_LOOK_SECONDS)
    return worker.main([index.decode(), str(parent)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
