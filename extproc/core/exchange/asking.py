"""A held call as a question to humans, and what its client is told while nobody has answered.

By what the client can do (MCP 2026-07-28 basic/patterns/mrtr and client/elicitation; 2025-11-25 elicitation): one that
can open URLs is sent to the page where the request waits, at once, and asks again; every other call is held open, and
then answered with words that name the page. Nothing that a client answers counts as an approval (threat A10).
"""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from extproc.core import audit
from extproc.core.access import Facts
from extproc.core.audit.correlation import Correlation
from extproc.core.exchange.intent import named
from extproc.core.exchange.outgoing import rewritten
from extproc.core.exchange.rounds import APPROVAL_KEY
from extproc.core.handles import KeyRing
from extproc.core.model import EMPTY, Decision, Effect, Era, Json, Message, Principal, Reply
from extproc.core.tickets import Ask, AskKind, Ticket, TicketState
from extproc.core.wire import headers, replies

__all__ = ["CAPABILITIES", "as_shown", "ask_of", "can_open_urls", "told"]

CAPABILITIES: Final = "io.modelcontextprotocol/clientCapabilities"
_VERBS: Final = {1: "query", 2: "mutate", 3: "admin"}
_REASON: Final = "io.mcp-extproc/reason"
"""In ``_meta``: why the requester wants it, for the approver's eye."""
_OWN_META: Final = frozenset(
    {
        headers.PROTOCOL_VERSION,
        headers.CLIENT_INFO,
        headers.CAPABILITIES,
        "io.modelcontextprotocol/logLevel",
        "progressToken",
        "traceparent",
        "tracestate",
        _REASON,
    }
)
"""The members of ``_meta`` that say nothing of what a call does."""
_ROUND: Final = frozenset({"inputResponses", "requestState"})
_NAMES: Final = frozenset({"name", "uri", "arguments", "_meta"}) | _ROUND
"""The parameters that are shown as the target and the arguments, or not at all."""


def as_shown(message: Message, *, goes_on: bool) -> Message:
    """The call without what its approver does not see, so that this is not what it does.

    That is what ``_meta`` holds beside the protocol's own, and, unless an earlier round ``goes_on``, answers to what
    nobody has asked and a state that nobody here has sealed.
    """
    params, unseen = message.params, frozenset[str]() if goes_on else _ROUND
    meta = params.get("_meta", EMPTY)
    if unseen.isdisjoint(params) and meta.keys() <= _OWN_META:
        return message
    kept = {name: value for name, value in params.items() if name not in unseen}
    # there always is one here: rounds are of the modern era, in which every request has it
    kept["_meta"] = {name: value for name, value in meta.items() if name in _OWN_META}
    return rewritten(message, kept)


def ask_of(
    principal: Principal,
    server: str,
    message: Message,
    decision: Decision,
    facts: Facts,
    *,
    during: Correlation,
    ring: KeyRing,
) -> Ask:
    """The question whether exactly this call may run (invariant 6).

    ``during`` and ``ring`` make what is on record of it: which call asks, of what, and for which arguments.
    """
    approval = decision.approval
    client = message.client
    found = [each.findings for each in facts.found]
    others = {name: value for name, value in message.params.items() if name not in _NAMES}
    arguments = audit.encode(message.arguments or others)
    reason = message.params.get("_meta", {}).get(_REASON) if message.params else None
    return Ask(
        kind=AskKind.CALL,
        issuer=principal.issuer,
        subject=principal.subject,
        human=principal.human,
        policy_digest=decision.policy_digest,
        approval=approval.name if approval is not None else "",
        server=server,
        method=message.method,
        target=_names(message),
        verb=_VERBS[decision.verb],
        rule=decision.rule,
        arguments=arguments.decode(),
        arguments_digest=ring.digests.of_bytes(arguments) if message.arguments else "",
        recorded=_names(named(message, decision.obligations.masking.recorded, ring.masking_key)),
        decision=during.decision,
        session=during.session or "",
        trace=during.trace or "",
        client=f"{client.name} {client.version}".strip() if client is not None else "",
        findings=tuple(finding for findings in found for finding in findings),
        reason=reason[:500] if isinstance(reason, str) else "",
    )


def _names(message: Message) -> str:
    return ", ".join(target.name for target in message.targets)


def can_open_urls(capabilities: Json) -> bool:
    """Whether a client's capabilities say that it opens URLs for its human (elicitation in URL mode)."""
    elicitation = capabilities.get("elicitation") if isinstance(capabilities, Mapping) else None
    return isinstance(elicitation, Mapping) and isinstance(elicitation.get("url"), Mapping)


def told(
    message: Message,
    decision: Decision,
    ticket: Ticket,
    *,
    decision_id: str,
    console: str,
    state: str | None,
    asks: bool,
) -> tuple[Decision, Reply]:
    """The decision and the answer while or after a ticket is not approved.

    ``console`` is where humans answer, empty without a page. ``asks``: the client opens URLs and has not been sent to
    this one; ``state``: it comes back by itself with this ``requestState``.
    """
    pending = ticket.state is TicketState.PENDING
    page = f"{console}/approvals/{ticket.id}" if console else ""
    words = _words(ticket, page)
    verdict = replace(
        decision,
        effect=Effect.HOLD if pending else Effect.DENY,
        reason=f"approval_{ticket.state}",
        message=words,
        ticket=ticket.id,
    )
    if pending and page and message.era is Era.MODERN and state is not None:
        asked = _elicitation(ticket, page, words) if asks else None
        return verdict, replies.input_required(message, state, {APPROVAL_KEY: asked} if asked else None)
    if pending and page and message.era is Era.LEGACY and asks:
        return verdict, replies.url_required(message, _elicitation(ticket, page, words)["params"])
    return verdict, replies.denial(message, verdict, decision_id)


def _elicitation(ticket: Ticket, page: str, words: str) -> dict[str, Json]:
    params = {"mode": "url", "elicitationId": ticket.id, "message": words, "url": page}
    return {"method": "elicitation/create", "params": params}


def _words(ticket: Ticket, page: str) -> str:
    where = f"at {page}" if page else f"as request {ticket.id}"
    rule = ticket.rule.name
    if ticket.state is TicketState.PENDING:
        return (
            f"This call needs approval `{rule}` and waits for it {where}. "
            "Ask an approver, then make exactly the same call again."
        )
    if ticket.state is TicketState.DENIED and ticket.votes:
        vote = ticket.votes[-1]
        because = f": {vote.reason}" if vote.reason else ""
        return f"This call was denied by {vote.name or vote.subject} (approval `{rule}`){because}. Do not repeat it."
    if ticket.state is TicketState.APPROVED:
        return f"The approval `{rule}` was for another state of things. Make the call again to ask anew."
    return f"Nobody approved this call in time (approval `{rule}`). Make it again to ask anew."
