"""Addresses as the operator writes them: ``host:port``, or ``unix:/path``."""

import ipaddress
from typing import Final

__all__ = ["MAX_UNIX_PATH", "UNIX", "host_and_port", "is_private"]

UNIX: Final = "unix:"
MAX_UNIX_PATH: Final = 104
"""``sun_path`` holds 108 bytes on Linux and 104 on the BSDs, the closing zero included."""


def host_and_port(address: str) -> tuple[str, int]:
    """Split ``127.0.0.1:50051`` or ``[::1]:50051``.

    Raises:
        ValueError: not an IP address or localhost with a port.
    """
    host, colon, port = address.rpartition(":")
    if not (colon and port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise ValueError("write host:port, for example 127.0.0.1:50051")
    if host.startswith("[") and host.endswith("]"):
        return str(ipaddress.IPv6Address(host[1:-1])), int(port)
    if host == "localhost":
        return "127.0.0.1", int(port)
    try:
        return str(ipaddress.IPv4Address(host)), int(port)
    except ValueError:
        raise ValueError("the host must be an IP address (IPv6 in brackets) or localhost") from None


def is_private(address: str) -> bool:
    """Whether nobody outside of this machine can reach an address."""
    return address.startswith(UNIX) or ipaddress.ip_address(host_and_port(address)[0]).is_loopback
