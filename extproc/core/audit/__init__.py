"""What happened, as events, and the chain that proves their order.

An event is a dict of plain JSON values with a ``kind`` and a time ``at`` in nanoseconds since the epoch. It never holds
a session id (only its digest) and never floats of our own; arguments and results come in already masked, or not at all.
"""

from extproc.core.audit.chain import Line, encode, link, read_event
from extproc.core.audit.events import concluded, decided, message, server_asked, session_digest
from extproc.core.audit.proof import GENESIS, Broken, Fault, Linked, Proof, Pruned, check
from extproc.core.audit.service import damaged, opened, policy_loaded, recovered, started, stopped, unsynced
from extproc.core.audit.sessions import Call, Session, Streamed, sessions

__all__ = [
    "GENESIS",
    "Broken",
    "Call",
    "Fault",
    "Line",
    "Linked",
    "Proof",
    "Pruned",
    "Session",
    "Streamed",
    "check",
    "concluded",
    "damaged",
    "decided",
    "encode",
    "link",
    "message",
    "opened",
    "policy_loaded",
    "read_event",
    "recovered",
    "server_asked",
    "session_digest",
    "sessions",
    "started",
    "stopped",
    "unsynced",
]
