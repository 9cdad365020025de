"""The events of calls: what was asked and decided, what came back, what a server asked of a client."""

from collections.abc import Mapping
from typing import Final

from extproc.core.audit.schema.shapes import (
    Shape,
    anything,
    counts,
    either,
    flag,
    listed,
    number,
    or_none,
    record,
    text,
)
from extproc.core.limits import MAX_CALL_DEPTH

__all__ = ["CALLS", "DURING", "KEYED", "PERSON", "PRINCIPAL"]

PRINCIPAL: Final = record(
    "Who: issuer and subject together name somebody.",
    {"issuer": text("The token's issuer, or the trust domain of a workload."), "subject": text("Its subject.")},
)

PERSON: Final = record(
    "A human at the console, or a local approver.",
    {
        "issuer": text("The issuer of the login; `local` for a local approver."),
        "subject": text("Its subject, or the local name."),
        "name": text("The name to show."),
    },
)
_VERBS: Final = ("query", "mutate", "admin")
_ID: Final = ("string", "integer")
_DECISION: Final = text("The id of the decision that all events of one call bear: 24 hexadecimal digits.")
_SERVER: Final = text("The server that the Envoy route names.")
_SESSION: Final = or_none(
    text(
        "What stands for the MCP session: 16 hexadecimal digits of a SHA-256 over its id, which is a capability and "
        "never on record; null in a revision without sessions, and before the handshake is answered."
    )
)
KEYED: Final = (
    "The keyed digest, `hmac-sha256:<id of the key>:<64 hexadecimal digits>` under a key of the deployment "
    "(extproc payloads digest),"
)
_TRACE: Final = or_none(
    text("The trace id of W3C trace-context, from `_meta` or else the header `traceparent`; null without one.")
)
DURING: Final[Mapping[str, Shape]] = {
    "decision": or_none(text("The decision of the call that it comes of; null where it comes of none.")),
    "session": _SESSION,
    "trace": _TRACE,
}
"""How what is no call itself is found with one."""
_MASKED: Final = counts("How many values were masked, by what they are.")
_CUT: Final = record(
    "What is missing of a value that was too large to be kept whole.",
    {"bytes": number("The size of all of it as canonical JSON.")},
    {"members": number("How many of its members were left out; without it, all of it was.")},
)

_SQL: Final = record(
    "What inspection found in the SQL of the call.",
    {
        "verb": text("The effect of the strongest statement.", *_VERBS),
        "parsed": flag("Whether all of it could be read; what cannot be read is admin."),
        "statements": listed("The kind of each statement, in order.", text("As `SELECT`.")),
        "tables": listed("Every table it names.", text("As written, with its schema.")),
        "functions": listed("Every function it calls.", text("In lower case.")),
        "unbounded_write": flag("Whether it writes without a condition."),
        "findings": listed("What is dangerous about it.", text("A sentence.")),
    },
)
_SHELL: Final = record(
    "What inspection found in the command line of the call.",
    {
        "verb": text("The effect of the strongest command.", *_VERBS),
        "parsed": flag("Whether all of it could be read; what cannot be read is admin."),
        "commands": listed("Every program it runs.", text("Its name.")),
        "network": flag("Whether it reaches the network."),
        "destructive": flag("Whether it destroys something."),
        "findings": listed("What is dangerous about it.", text("A sentence.")),
    },
)


def _called(depth: int) -> Shape:
    """What inspection found in a tool that calls others; calls inside of calls to ``depth``."""
    inner = {"calls": _called(depth - 1)} if depth else {}
    call = record(
        "One call.",
        {"server": text("The server that it is of."), "tool": text("The tool, as the caller names it.")},
        {"sql": _SQL, "shell": _SHELL, **inner},
    )
    return record(
        "What a tool that calls others would call.",
        {
            "verb": text("The effect of the strongest call.", *_VERBS),
            "parsed": flag(
                "Whether the arguments say what is called as the policy declares it; what does not is admin."
            ),
            "fault": or_none(text("What does not fit; null where all does.")),
            "tools": listed("Every call, in order.", call),
        },
    )


CALLS: Final[Mapping[str, tuple[str, Mapping[str, Shape], Mapping[str, Shape]]]] = {
    "decision": (
        "The answer to one request, stored before anything is forwarded.",
        {
            "decision": _DECISION,
            "server": _SERVER,
            "source": text("The caller's address as Envoy saw it: host and port."),
            "http_method": text("The method of the HTTP request."),
            "body_bytes": number("Bytes of the request body, of the one that is forwarded."),
            "session": _SESSION,
            "principal": or_none(
                record(
                    "Who called; null where nobody was identified.",
                    {
                        "issuer": text("The token's issuer, or the trust domain of a workload."),
                        "subject": text("Its subject."),
                        "groups": listed("Groups from the token.", text("A group.")),
                        "roles": listed("Roles from the token.", text("A role.")),
                        "workload": or_none(text("The SPIFFE id of the peer certificate.")),
                    },
                )
            ),
            "arguments": or_none(
                anything("The arguments of the call, masked; null where they are not kept, or encrypted.")
            ),
            "arguments_digest": or_none(
                text(f"{KEYED} of the canonical arguments as they were judged; null without any, or encrypted.")
            ),
            "effect": text(
                "What was answered: `hold` waits for an approval, `shadow` would be a refusal and was let through, "
                "`reject` is a message that no policy was asked about.",
                *("allow", "hold", "deny", "shadow", "reject"),
            ),
            "verb": or_none(text("The effect of the call.", *_VERBS)),
            "rule": or_none(text("What decided: `role:analyst#1`, `deny:no-dumps`, `default`.")),
            "reason": text("Why, as a stable word."),
            "policy": text("The digest of the policy that decided."),
            "shadow": flag("Whether refusals of this server are only written down."),
        },
        {
            "arguments_cut": _CUT,
            "arguments_masked": flag("Whether something in the recorded arguments was masked; only if so."),
            "message": text("What was sent.", "request", "notification", "response", "stream", "end"),
            "method": text("The MCP method."),
            "era": text("The family of MCP revisions.", "legacy", "modern"),
            "revision": text("The MCP revision, as a date."),
            "id": or_none(either("The JSON-RPC id.", *_ID)),
            "targets": listed(
                "What was asked for.",
                record(
                    "One thing.",
                    {
                        "kind": text("What it is.", "server", "tool", "prompt", "resource", "template"),
                        "name": text("Its name or URI, masked; empty for the server as a whole."),
                    },
                ),
            ),
            "client": or_none(
                record(
                    "What the client says of itself; nobody has verified it.",
                    {"name": text("Its name."), "version": text("Its version.")},
                )
            ),
            "trace": _TRACE,
            "rewritten": flag("Whether the message was written anew before it was forwarded."),
            "sql": _SQL,
            "shell": _SHELL,
            "calls": _called(MAX_CALL_DEPTH),
            "masking": listed("The masking rules that the response owes.", text("The name of a rule.")),
            "masked": _MASKED,
            "approval": text("The approval that the call needs, as the policy names it."),
            "ticket": or_none(text("The id of the approval that it ran on; null while it has none.")),
            "approved_by": listed("Who approved it; only of a call that ran on an approval.", PERSON),
            "status": number("The HTTP status of a rejection."),
            "code": number("The JSON-RPC code of a rejection."),
        },
    ),
    "outcome": (
        "What came of a call that was let through.",
        {
            "decision": _DECISION,
            "server": _SERVER,
            "session": _SESSION,
            "trace": _TRACE,
            "status": or_none(number("The HTTP status.")),
            "result": text(
                "`withheld` could not be read or masked, `cut` ended before its end.",
                *("complete", "error", "withheld", "cut"),
            ),
            "bytes": number("Bytes of the body that the client got."),
            "digest": or_none(text(f"{KEYED} of the body that the client got; null if encrypted.")),
            "payload": or_none(
                anything(
                    "The JSON-RPC result or error, masked; null where none is kept, where it is encrypted, and in a "
                    "stream, whose messages are events of their own."
                )
            ),
            "duration_ns": number("Nanoseconds from the request to here."),
            "hidden": number("How many entries of lists were left out, because the caller may not use them."),
            "masked": _MASKED,
        },
        {
            "payload_cut": _CUT,
            "messages": number("How many messages the stream had; only of a stream."),
            "reason": text("Why it was withheld: to mask it costs more than one message may.", "masking_budget"),
        },
    ),
    "message": (
        "One message of a streamed response, stored before the client gets it.",
        {
            "decision": _DECISION,
            "server": _SERVER,
            "session": _SESSION,
            "trace": _TRACE,
            "direction": text("Where it goes: what clients send is a decision of its own.", "to_client"),
            "number": number("Its place in the stream, from 0."),
            "message": text("What was sent.", "request", "notification", "response"),
            "method": or_none(text("The MCP method; null of a response.")),
            "id": or_none(either("The JSON-RPC id; of a request the server's own, which its answer bears.", *_ID)),
            "bytes": number("Bytes of the message as the client gets it."),
            "digest": or_none(text(f"{KEYED} of those bytes; null if encrypted.")),
            "payload": or_none(
                anything(
                    "The result, the error or the parameters, masked; null if there are none, too many, or encrypted."
                )
            ),
            "masked": _MASKED,
        },
        {"payload_cut": _CUT},
    ),
    "server_request": (
        "A server asked something of a client.",
        {
            "decision": _DECISION,
            "server": _SERVER,
            "session": _SESSION,
            "trace": _TRACE,
            "principal": PRINCIPAL,
            "asks": text("What it asked for.", "sampling", "roots", "elicitation", "other"),
            "host": or_none(text("Where it would send somebody; the rest of a URL may be a secret.")),
            "effect": text("What became of it.", "allow", "deny", "shadow"),
            "reason": or_none(text("Why it was refused, as a stable word.")),
        },
        {},
    ),
}
"""Each kind with what it is, its members, and those that only some have."""
