"""What one exchange rests on, and what it says of itself to the metrics."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from extproc.core.handles import KeyRing
from extproc.core.identity.acquaintances import Acquaintances
from extproc.core.identity.tokens import KeySets, Memory
from extproc.core.model import empty
from extproc.core.policy.rules import Policy
from extproc.core.redaction.masker import masker
from extproc.core.shared_state import NOTHING_SHARED, SharedState

__all__ = ["Snapshot", "Verdict", "prepare"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What is true at one instant: an exchange is decided by one, and by a newer one after a hold.

    ``keys`` are the token issuers' keys where this service verifies tokens itself, and ``memory`` what it verified
    lately; both are None where Envoy's jwt_authn does it, and ``acquaintances`` are whom it named lately. ``console``
    is the address at which humans answer, without a slash at its end; empty where there is none.
    """

    policy: Policy
    ring: KeyRing
    keys: KeySets | None = None
    memory: Memory | None = None
    acquaintances: Acquaintances | None = None
    shared: SharedState = NOTHING_SHARED
    console: str = ""


def prepare(policy: Policy, ring: KeyRing) -> None:
    """Make ready what the first call would wait for: the patterns of all masking rules take some time to compile."""
    for masks in {rule.masks for server in policy.servers.values() for rule in server.masks}:
        masker(masks, ring.masking_key)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided, for the metrics: label values from closed sets only; ``masked`` in the request, by type."""

    server: str = "unknown"
    verb: str = "none"
    effect: str = "reject"
    masked: Mapping[str, int] = msgspec.field(default_factory=empty)
