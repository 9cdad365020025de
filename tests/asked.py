"""Who asks what, for tests of decisions."""

from typing import Any

from extproc.core.model import Era, Message, MessageKind, Principal, ResourceKind, Target, Verb

__all__ = ["ALICE", "SERVER", "message", "tool", "uri"]

ALICE = Principal(issuer="https://idp", subject="alice", groups=frozenset({"readers"}))


def message(*targets: Target, method: str = "tools/call", verb: Verb = Verb.QUERY, **arguments: Any) -> Message:
    return Message(
        kind=MessageKind.REQUEST,
        method=method,
        era=Era.MODERN,
        revision="2026-07-28",
        verb=verb,
        targets=targets,
        arguments=arguments,
    )


def tool(name: str) -> Target:
    return Target(kind=ResourceKind.TOOL, name=name)


def uri(name: str) -> Target:
    return Target(kind=ResourceKind.RESOURCE, name=name)


SERVER = Target(kind=ResourceKind.SERVER)
