"""The audit event of a decision, made from what the corridor knows at that moment.

Arguments are kept masked, as a keyed digest, or not at all, as the recording level of the decision says; a refusal that
came before any decision keeps the digest alone. Masked means: without tokens, and without what any masking rule on this
server and thing claims, whoever calls. The URIs that a message names are masked always, also where it was refused.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from extproc.core import audit
from extproc.core.access import NO_FACTS, Facts
from extproc.core.handles import KeyRing, Owner
from extproc.core.masking import NO_MASKS, Masks
from extproc.core.model import EMPTY, Decision, Json, Message, Principal, Recording, RequestHead, ResourceKind
from extproc.core.policy import decide
from extproc.core.policy.rules import Policy
from extproc.core.redaction import tokens
from extproc.core.redaction.masker import masker
from extproc.core.rejection import Rejection

__all__ = ["Asked", "intent", "named"]

_WITH_URI: Final = frozenset({ResourceKind.RESOURCE, ResourceKind.TEMPLATE})


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a request when it is decided; None for what was not read, or could not be."""

    at: int
    head: RequestHead
    principal: Principal | None
    owner: Owner | None
    message: Message | None
    facts: Facts = NO_FACTS


def intent(
    asked: Asked,
    verdict: Decision | Rejection,
    policy: Policy,
    ring: KeyRing,
    *,
    decision_id: str,
    body_bytes: int,
    masked: Mapping[str, int] = EMPTY,
) -> dict[str, Json]:
    """The event that must be stored before the verdict takes effect (invariant 3).

    ``ring`` makes the hashes of masked values and the digest of the arguments; ``masked`` counts what was masked in the
    request by type.
    """
    recording = verdict.obligations.recording if isinstance(verdict, Decision) else Recording.DIGEST
    arguments = asked.message.arguments if asked.message is not None and asked.message.arguments else None
    masks = verdict.obligations.masking.recorded if isinstance(verdict, Decision) else _claimed(asked, policy)
    server = policy.servers.get(asked.head.server)
    key = ring.masking_key
    kept = _kept(arguments, masks, key) if recording is Recording.MASKED and arguments is not None else None
    return audit.decided(
        at=asked.at,
        decision_id=decision_id,
        head=asked.head,
        principal=asked.principal,
        message=None if asked.message is None else named(asked.message, masks, key),
        verdict=verdict,
        facts=asked.facts,
        session=asked.owner.session or None if asked.owner is not None else None,
        arguments=kept,
        arguments_masked=kept is not None and kept is not arguments and kept != arguments,
        arguments_digest=ring.digests.of(arguments) if arguments is not None else None,
        body_bytes=body_bytes,
        policy_digest=policy.digest,
        shadow_mode=policy.shadow if server is None else server.shadow,
        masked=masked,
    )


def _kept(arguments: Mapping[str, Json], masks: Masks, key: bytes) -> Json:
    """The arguments without what any masking rule claims, and without tokens."""
    if masks is NO_MASKS:
        return tokens.mask(arguments)
    found = masker(masks, key).params({"arguments": arguments})
    return found.value if found.exhausted else tokens.mask(found.value["arguments"])


def _claimed(asked: Asked, policy: Policy) -> Masks:
    """What the masking rules claim of a message that was refused before it was judged."""
    if asked.message is None or asked.principal is None:
        return NO_MASKS
    return decide.masking(policy, asked.principal, asked.head.server, asked.message.targets).recorded


def named(message: Message, masks: Masks, key: bytes) -> Message:
    """The message with the URIs that it names as the record may have them: without what the masks claim, nor tokens.

    A tool's or prompt's name is the policy's own.
    """
    if _WITH_URI.isdisjoint(target.kind for target in message.targets):
        return message
    targets = tuple(
        replace(target, name=_uri(target.name, masks, key)) if target.kind in _WITH_URI else target
        for target in message.targets
    )
    return replace(message, targets=targets)


def _uri(name: str, masks: Masks, key: bytes) -> Json:
    return tokens.mask(name if masks is NO_MASKS else masker(masks, key).document(name).value)
