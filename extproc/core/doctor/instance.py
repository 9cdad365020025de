"""The Envoy itself: its version, its admin interface, its bounds."""

from collections.abc import Iterator
from typing import Final

from extproc.core.doctor.findings import Finding, Severity
from extproc.core.doctor.setup import Setup
from extproc.core.loopback import is_loopback

__all__ = ["OLDEST", "instance", "too_old"]

OLDEST: Final = (1, 39, 1)
"""The first Envoy without the ext_proc faults that would let a request pass."""


def instance(setup: Setup) -> Iterator[Finding]:
    """Judge what belongs to no listener."""
    if setup.version and too_old(setup.version):
        yield Finding(
            Severity.UNSAFE, f"Envoy {setup.version} has known ways past ext_proc", "take Envoy 1.39.1 or newer"
        )
    if setup.draining:
        yield Finding(
            Severity.UNSAFE,
            "connections that were opened before a listener was changed go on by its old filters, which nobody can see",
            "examine again once they are drained, or restart Envoy",
        )
    address = setup.admin.get("address", {}).get("socket_address", {}).get("address")
    if address is not None and not is_loopback(address):
        yield Finding(
            Severity.UNSAFE,
            f"the admin interface on {address} can stop Envoy and shows its secrets",
            "admin: {address: {socket_address: {address: 127.0.0.1, ...}}}",
        )
    if not setup.overload:
        yield Finding(
            Severity.WEAK, "nothing bounds Envoy's memory and connections", "overload_manager, as in the shipped file"
        )


def too_old(version: str) -> bool:
    """Whether a version such as ``1.39.1`` or ``1.40.0-dev`` is below the oldest that is safe; unreadable ones are."""
    parts = version.partition("-")[0].split(".")
    if len(parts) < len(OLDEST) or not all(part.isdecimal() for part in parts):
        return True
    return tuple(map(int, parts)) < OLDEST
