"""The audit events beside the calls: what humans decide, what is lent and taken back, what was sealed.

Pure constructors of plain dicts, like those of ``events``. They hold no arguments: the decision event of the call has
those, masked; the digest of the arguments and the decision's id tie the two.
"""

from collections.abc import Mapping, Sequence

import msgspec

from extproc.core.audit.begun import begun
from extproc.core.audit.correlation import NO_CALL, Correlation
from extproc.core.model import Json
from extproc.core.shared_state import Elevation, Pin, Revocation
from extproc.core.tickets import Approver, Ask, Ticket, Vote

__all__ = [
    "Skipped",
    "approval_step",
    "approver_step",
    "definition_step",
    "export_step",
    "key_step",
    "loan_step",
    "login_step",
    "purge_step",
    "read_step",
    "revocation_step",
    "seal_step",
    "sink_step",
]


def approval_step(
    *, at: int, step: str, ticket: Ticket, vote: Vote | None = None, ask: Ask | None = None
) -> dict[str, Json]:
    """One step of a ticket.

    ``step``: asked, answering (stored before an answer counts), approved, denied, counted (more answers are needed),
    superseded (somebody was faster), used, resumed (one round more of the call that used it), expired, withdrawn.
    ``vote`` is the answer of the step, where there is one; ``ask`` the question of the call that uses the ticket, which
    is a later one where nobody held the first open.
    """
    ask = ask or ticket.ask
    return begun("approval", at) | {
        "step": step,
        "ticket": ticket.id,
        "arguments_digest": ask.arguments_digest or None,
        "decision": ask.decision or None,
        "session": ask.session or None,
        "trace": ask.trace or None,
        "asks": ask.kind.value,
        "approval": ask.approval,
        "policy": ask.policy_digest,
        "principal": {"issuer": ask.issuer, "subject": ask.subject},
        "server": ask.server or None,
        "method": ask.method or None,
        "target": ask.recorded or ask.target or None,
        "role": ask.role or None,
        "seconds": ask.seconds or None,
        "state": ticket.state.value,
        "expires_at": ticket.expires_at,
        "by": None if vote is None else {"issuer": vote.issuer, "subject": vote.subject, "name": vote.name},
        "approves": None if vote is None else vote.approves,
        "forced": None if vote is None else vote.forced,
        "reason": None if vote is None else vote.reason,
    }


def loan_step(*, at: int, step: str, loan: Elevation, by: str) -> dict[str, Json]:
    """A role is ``lent``, or its loan is ``ended`` before its time; ``by`` is the approver or whoever ended it."""
    return begun("loan", at) | {
        "step": step,
        "ticket": loan.id,
        "principal": {"issuer": loan.issuer, "subject": loan.subject},
        "role": loan.role,
        "until": loan.until,
        "by": by,
    }


def revocation_step(*, at: int, step: str, revocation: Revocation, by: str) -> dict[str, Json]:
    """Somebody or something was ``revoked``, or that was ``lifted``."""
    return begun("revocation", at) | {
        "step": step,
        "revocation": revocation.id,
        "revokes": revocation.kind.value,
        "value": revocation.value,
        "issuer": revocation.issuer or None,
        "until": revocation.until,
        "reason": revocation.reason,
        "by": by,
    }


def definition_step(
    *, at: int, step: str, pin: Pin, before: str | None, during: Correlation = NO_CALL
) -> dict[str, Json]:
    """A tool's definition was ``pinned`` at first use, ``approved`` by hand, or found ``changed``.

    ``before`` is the digest of the definition that was approved until then; ``during`` the call whose answer showed it.
    """
    return begun("definition", at) | {
        "step": step,
        "server": pin.server,
        "tool": pin.tool,
        "digest": pin.digest,
        "before": before,
        "by": pin.by or None,
        "decision": during.decision or None,
        "session": during.session,
        "trace": during.trace,
    }


def login_step(
    *,
    at: int,
    step: str,
    person: Approver | None,
    local: bool,
    source: str | None = None,
    reason: str | None = None,
) -> dict[str, Json]:
    """Somebody ``signed_in`` to the console, was ``refused`` there for a reason, or ``signed_out``.

    ``local`` without the identity provider; ``source`` is the browser's address. Nobody who is not known is named:
    people type their secrets where the name belongs.
    """
    return begun("login", at) | {
        "step": step,
        "by": None if person is None else {"issuer": person.issuer, "subject": person.subject, "name": person.name},
        "groups": [] if person is None else sorted(person.groups),
        "local": local,
        "source": source,
        "reason": reason,
    }


def approver_step(*, at: int, step: str, name: str, groups: Sequence[str], by: str) -> dict[str, Json]:
    """A local approver was ``added`` (or given a new secret), or ``removed``."""
    return begun("approver", at) | {"step": step, "name": name, "groups": sorted(groups), "by": by}


def key_step(*, at: int, step: str, of: str, keys: Sequence[str], by: str | None = None) -> dict[str, Json]:
    """The keys of ``seals`` or ``payloads`` were ``rotated`` by somebody, or a writer has these ``in_use`` now."""
    return begun("key", at) | {"step": step, "of": of, "keys": list(keys), "by": by}


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """A record that a sink goes on without: which, what the sink ``said`` of it, and ``by`` whose word."""

    journal: str
    seq: int
    hash: str
    said: str
    by: str


def sink_step(
    *, at: int, step: str, sink: str, reason: str | None = None, skipped: Skipped | None = None
) -> dict[str, Json]:
    """A sink has ``failed`` and gets no copies for now, has ``recovered``, or goes on without one that was ``skipped``.

    ``reason`` is what a sink that failed said, or why somebody has it go on without a record.
    """
    event = begun("sink", at) | {"step": step, "sink": sink, "reason": reason}
    return event if skipped is None else event | {"skipped": msgspec.structs.asdict(skipped)}


def seal_step(*, at: int, notes: Sequence[str], broken: Mapping[str, str]) -> dict[str, Json]:
    """Journals were sealed: the signed checkpoints, which so reach every sink, and prove there what was here.

    ``broken`` says of journals that were found changed, and are sealed no more, what was found.
    """
    return begun("sealed", at) | {"notes": list(notes), "broken": dict(broken)}


def export_step(*, at: int, session: str, calls: int, digest: str, by: str, decrypted: bool = False) -> dict[str, Json]:
    """Evidence of ``session`` was taken out by somebody, as a file with this SHA-256; stored before the file is."""
    return begun("exported", at) | {
        "session": session,
        "calls": calls,
        "digest": digest,
        "decrypted": decrypted,
        "by": by,
    }


def read_step(*, at: int, session: str, calls: int, recipient: str, by: str) -> dict[str, Json]:
    """Somebody opens the payloads of ``session`` with the key of ``recipient``; stored before they are shown."""
    return begun("read", at) | {"session": session, "calls": calls, "recipient": recipient, "by": by}


def purge_step(
    *, at: int, journal: str, ranges: Sequence[tuple[int, int]], events: int, policy: str
) -> dict[str, Json]:
    """The time of ``events`` records of a journal was over by a policy; stored before they are taken out.

    ``ranges`` are the places that are empty from now on, each with its first record's number and how many it spans;
    what was taken out there earlier is a part of them.
    """
    return begun("purged", at) | {
        "journal": journal,
        "ranges": [[first, count] for first, count in ranges],
        "events": events,
        "policy": policy,
    }
