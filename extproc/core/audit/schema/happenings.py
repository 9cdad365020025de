"""The events beside the calls: what humans decide, take out and read, and what befalls the service and its records."""

from collections.abc import Mapping
from typing import Final

from extproc.core.audit.schema.calls import DURING, KEYED, PERSON, PRINCIPAL
from extproc.core.audit.schema.shapes import Shape, anything, flag, listed, number, or_none, record, text

__all__ = ["HAPPENINGS"]

_BY: Final = text("Who did it.")
_TICKET: Final = text("The id of the request that humans answer.")
_NODE: Final = text("The node, as its settings name it.")
_WORKER: Final = text("The process of that node that writes this journal.")
_VERSION: Final = text("The version of mcp-extproc.")

_PEOPLE: Final[Mapping[str, tuple[str, Mapping[str, Shape], Mapping[str, Shape]]]] = {
    "approval": (
        "One step of a request to humans.",
        {
            "step": text(
                "`answering` is stored before an answer counts, `counted` needs more answers, `superseded` lost "
                "against a faster one, `resumed` is one round more of the call that used it.",
                *("asked", "answering", "approved", "denied", "counted", "superseded", "used", "resumed"),
                *("expired", "withdrawn"),
            ),
            "ticket": _TICKET,
            "arguments_digest": or_none(
                text(f"{KEYED} of the canonical arguments, as on the decision; null without any, or encrypted.")
            ),
            **DURING,
            "asks": text("What it asks for: that a call may run, or a role for a while.", "call", "access"),
            "approval": text("The approval, as the policy names it."),
            "policy": text("The digest of the policy that asks."),
            "principal": PRINCIPAL,
            "server": or_none(text("The server of the call.")),
            "method": or_none(text("The MCP method of the call.")),
            "target": or_none(text("The tool, prompt or resource of the call.")),
            "role": or_none(text("The role that is asked for.")),
            "seconds": or_none(number("For how many seconds it is asked for.")),
            "state": text(
                "The state of the request after this step.",
                *("pending", "approved", "used", "denied", "expired", "withdrawn"),
            ),
            "expires_at": number("When its time is over, in nanoseconds since the epoch."),
            "by": or_none(PERSON),
            "approves": or_none(flag("Whether the answer is yes.")),
            "forced": or_none(flag("Whether somebody approved alone what needs more.")),
            "reason": or_none(text("What the approver wrote.")),
        },
        {},
    ),
    "loan": (
        "A role was lent, or its loan ended before its time.",
        {
            "step": text("What happened.", "lent", "ended"),
            "ticket": _TICKET,
            "principal": PRINCIPAL,
            "role": text("The role."),
            "until": number("When it ends by itself, in nanoseconds since the epoch."),
            "by": _BY,
        },
        {},
    ),
    "revocation": (
        "Somebody or something was put out, or let in again.",
        {
            "step": text("What happened.", "revoked", "lifted"),
            "revocation": text("The id of the revocation."),
            "revokes": text("What it names.", "subject", "session", "token", "issuer"),
            "value": text("The subject, the session (as on record), the token's `jti`, or the issuer."),
            "issuer": or_none(text("The one issuer that it is about; null: every one.")),
            "until": or_none(number("When it ends by itself, in nanoseconds since the epoch; null: never.")),
            "reason": text("Why; may be empty."),
            "by": _BY,
        },
        {},
    ),
    "definition": (
        "The definition of a tool was seen for the first time, approved, or found changed.",
        {
            "step": text("What happened.", "pinned", "found", "changed", "restored", "approved"),
            "server": text("The server."),
            "tool": text("The tool."),
            "digest": text("SHA-256 of the canonical definition in hexadecimal digits."),
            "before": or_none(text("The digest of the one that was approved until then.")),
            "by": or_none(_BY),
            **DURING,
        },
        {},
    ),
    "login": (
        "Somebody signed in to the console, was refused there, or signed out.",
        {
            "step": text("What happened.", "signed_in", "refused", "signed_out"),
            "by": or_none({**PERSON, "description": "Who; null where nobody was recognised."}),
            "groups": listed("The groups that the login brought.", text("A group.")),
            "local": flag("Whether it was a local approver, without the identity provider."),
            "source": or_none(text("The address of the browser.")),
            "reason": or_none(text("Why it was refused, as a stable word.")),
        },
        {},
    ),
    "approver": (
        "A local approver was added, given a new secret, or removed.",
        {
            "step": text("What happened.", "added", "removed"),
            "name": text("The local name."),
            "groups": listed("The groups that he may answer for.", text("A group.")),
            "by": _BY,
        },
        {},
    ),
    "exported": (
        "Evidence was taken out; stored before its file is.",
        {
            "session": text("The session, as `extproc sessions` shows it."),
            "calls": number("How many calls it has."),
            "digest": text("SHA-256 of the file in hexadecimal digits."),
            "decrypted": flag("Whether encrypted payloads are in it in the clear."),
            "by": _BY,
        },
        {},
    ),
    "read": (
        "Somebody decrypted the payloads of a session; stored before they are shown.",
        {
            "session": text("The session, as `extproc sessions` shows it."),
            "calls": number("How many calls it has."),
            "recipient": text("The id of the key that opened them."),
            "by": _BY,
        },
        {},
    ),
    "key": (
        "A key of the recording changed.",
        {
            "step": text("`rotated` by a human, or found `in_use` by a writer.", "rotated", "in_use"),
            "of": text("What it is for: signing seals, or reading payloads.", "seals", "payloads"),
            "keys": listed("The public keys, or the ids of the recipients, from now on.", text("A key or its id.")),
            "by": or_none(_BY),
        },
        {},
    ),
}

_SERVICE: Final[Mapping[str, tuple[str, Mapping[str, Shape], Mapping[str, Shape]]]] = {
    "started": (
        "A worker serves from here.",
        {
            "node": _NODE,
            "worker": _WORKER,
            "version": _VERSION,
            "shadow": flag("Whether refusals are only written down."),
        },
        {},
    ),
    "stopped": ("A writer ended in good order.", {"reason": text("Why.")}, {}),
    "policy": (
        "A policy file was read.",
        {
            "source": text("The file."),
            "policy": or_none(text("The digest of the policy that is in force now.")),
            "ok": flag("Whether it is the one that was read."),
            "problems": number("How many problems keep it from being in force."),
        },
        {},
    ),
    "sink": (
        "A place that gets copies of the records stopped taking them, takes them again, or goes on without one.",
        {
            "step": text("What happened.", "failed", "recovered", "skipped"),
            "sink": text("Its name in the settings."),
            "reason": or_none(text("What it said; of `skipped`, why somebody has it go on.")),
        },
        {
            "skipped": record(
                "The record that it does not get; stored before it goes on.",
                {
                    "journal": text("Its journal."),
                    "seq": number("Its number there."),
                    "hash": text("Its hash, in hexadecimal digits."),
                    "said": text("What the place said of it."),
                    "by": _BY,
                },
            )
        },
    ),
    "opened": (
        "A writer begins here; the first event of every segment.",
        {
            "node": _NODE,
            "worker": _WORKER,
            "version": _VERSION,
            "segment": number("The number of the segment."),
            "previous": text("The hash of the line before, in hexadecimal digits; zeros where there is none."),
        },
        {},
    ),
    "recovered": (
        "A torn end, left by a crash, was cut off.",
        {
            "segment": number("The number of the segment."),
            "cut_bytes": number("How many bytes were cut off."),
            "cut_digest": text("SHA-256 of them in hexadecimal digits."),
            "fault": or_none(text("Damage further up, which stays as it is.")),
        },
        {},
    ),
    "unsynced": (
        "The disk refused to confirm events: a loss of power may have taken them.",
        {
            "segment": number("The number of the segment."),
            "first": number("The number of the first event in doubt."),
            "last": number("The number of the last one."),
        },
        {},
    ),
    "sealed": (
        "Journals were sealed.",
        {
            "notes": listed("The signed checkpoints.", text("A note (C2SP signed-note).")),
            "broken": {
                **anything("What was found of journals that were changed, and are sealed no more, by their names."),
                "additionalProperties": {"type": "string"},
            },
        },
        {},
    ),
    "purged": (
        "The time of records was over; stored before they are taken out.",
        {
            "journal": text("The journal."),
            "ranges": listed(
                "The places that are empty from now on.",
                listed("The first record's number, and how many.", number("A number or a count.")),
            ),
            "events": number("How many records this purge takes out."),
            "policy": text("The digest of the policy that says so."),
        },
        {},
    ),
    "damaged": (
        "A line of a journal that does not hold; only in copies of the records, in the place of the line.",
        {"file": text("The segment."), "said": text("What is wrong with it.")},
        {},
    ),
}

HAPPENINGS: Final = {**_PEOPLE, **_SERVICE}
"""Each kind with what it is, its members, and those that only some have."""
