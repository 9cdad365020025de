"""The audit event of a decision, made from what the corridor knows at that moment.

Arguments are kept masked, as a digest, or not at all, as the recording level of the decision says; a refusal that came
before any decision keeps the digest alone.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from extproc.core import audit
from extproc.core.handles import Owner
from extproc.core.model import Decision, Json, Message, Principal, Recording, RequestHead
from extproc.core.policy.rules import Policy
from extproc.core.redaction import tokens
from extproc.core.rejection import Rejection

__all__ = ["Asked", "intent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is known of a request when it is decided; None for what was not read, or could not be."""

    at: int
    head: RequestHead
    principal: Principal | None
    owner: Owner | None
    message: Message | None


def intent(
    asked: Asked, verdict: Decision | Rejection, policy: Policy, *, decision_id: str, body_bytes: int
) -> dict[str, Json]:
    """The event that must be stored before the verdict takes effect (invariant 3)."""
    recording = verdict.obligations.recording if isinstance(verdict, Decision) else Recording.DIGEST
    arguments = asked.message.arguments if asked.message is not None and asked.message.arguments else None
    server = policy.servers.get(asked.head.server)
    return audit.decided(
        at=asked.at,
        decision_id=decision_id,
        head=asked.head,
        principal=asked.principal,
        message=asked.message,
        verdict=verdict,
        session=asked.owner.session or None if asked.owner is not None else None,
        arguments=tokens.mask(arguments) if recording is Recording.MASKED and arguments is not None else None,
        arguments_digest=_digest(arguments) if arguments is not None else None,
        body_bytes=body_bytes,
        policy_digest=policy.digest,
        shadow_mode=policy.shadow if server is None else server.shadow,
    )


def _digest(arguments: Mapping[str, Json]) -> str:
    return hashlib.sha256(audit.encode(arguments)).hexdigest()
