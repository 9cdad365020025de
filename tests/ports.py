"""Ports for the processes that tests start."""

import contextlib
import itertools
import os
import socket
from typing import Final

__all__ = ["free_ports"]

# Below the range from which the kernel takes the ports of outgoing connections (Linux: 32768): between our look and
# the listener's bind nobody else can take one. Each parallel test run has a stretch of its own.
_STRETCH: Final = 3000
_RUN: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_FIRST: Final = 12_000 + _RUN % 6 * _STRETCH
_next: Final = itertools.cycle(range(_FIRST + os.getpid() % _STRETCH, _FIRST + os.getpid() % _STRETCH + _STRETCH))


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on, all different."""
    found: list[int] = []
    while len(found) < count:
        port = _FIRST + next(_next) % _STRETCH
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            found.append(port)
    return found
