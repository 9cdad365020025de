"""Requests that must be refused, to send through a running Envoy: what its configuration cannot show, they do.

Envoys before 1.39 let everything pass when ext_proc's cluster was missing (envoyproxy/envoy issue 45220).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from extproc.core.doctor.findings import Finding, Severity

__all__ = ["CANARIES", "Canary", "heard", "untried"]

_FORGED: Final = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJleHRwcm9jLWNhbmFyeSJ9."
"""A token of the algorithm ``none`` (RFC 7519 section 6), which nobody may take."""
_VERSION: Final = "2025-11-25"
_ASKED: Final = b'{"jsonrpc":"2.0","id":"extproc-canary","method":"tools/list"}'
_TWICE: Final = b'{"jsonrpc":"2.0","id":"extproc-canary","method":"tools/list","method":"ping"}'
OUR_WORDS: Final = "a member name appears twice in one object"
"""What only the policy service says, and what a policy cannot change."""
_HEADERS: Final = {
    "content-type": "application/json",
    "accept": "application/json, text/event-stream",
    "mcp-protocol-version": _VERSION,
}


@dataclass(frozen=True, slots=True)
class Canary:
    """A POST of ``body``. ``with_token``: needs a token that is valid at this gateway."""

    name: str
    body: bytes
    problem: str
    headers: Mapping[str, str]
    with_token: bool = False


CANARIES: Final = (
    Canary("a request without a token", _ASKED, "a request without a token is answered", _HEADERS),
    Canary(
        "a request with a token that nobody signed",
        _ASKED,
        "a token that nobody signed is taken",
        _HEADERS | {"authorization": f"Bearer {_FORGED}"},
    ),
    Canary(
        "a message that the policy service refuses",
        _TWICE,
        "a message that the policy service refuses is answered: nothing is judged",
        _HEADERS,
        with_token=True,
    ),
)


def heard(canary: Canary, status: int, body: bytes) -> Finding | None:
    """Judge the answer; None where the canary was refused as it should be."""
    message = _message(body)
    refused = status >= 400 or "error" in message
    if not refused:
        return Finding(
            Severity.UNSAFE,
            canary.problem,
            "examine the admin address of this Envoy",
            (f"answer {status} to {canary.name}",),
        )
    if canary.with_token and OUR_WORDS not in str(message.get("error")):
        return Finding(
            Severity.BROKEN,
            "refused, but not by the policy service: is the token valid there, the service ready, the path right?",
            "read `details` in Envoy's access log",
            (f"answer {status} to {canary.name}",),
        )
    return None


def untried(where: str) -> Finding:
    """What stays open where there is no token to send."""
    problem = "not tried whether the policy service is asked: that needs a token"
    return Finding(Severity.WEAK, problem, "set EXTPROC_TOKEN to one that is valid there", (where,))


def _message(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
