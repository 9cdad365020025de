"""The keys under which a session's calls are counted, and a call that is taken back is noted.

In the legacy era whoever hangs up has not cancelled, and whoever cancels has not hung up. Without a session nobody can
tell whose request has an id.
"""

from extproc.core.handles import Owner
from extproc.core.model import Era, Json, Message

__all__ = ["cancelled_as", "cancelling", "session"]


def session(owner: Owner) -> str:
    """The key of a session's calls."""
    return repr((owner.issuer, owner.subject, owner.server, owner.session))


def cancelling(owner: Owner, message: Message) -> str | None:
    """The key of the call that a message takes back; None where it takes none back."""
    if message.method != "notifications/cancelled" or message.era is not Era.LEGACY:
        return None
    return _key(owner, message.params.get("requestId"))


def cancelled_as(owner: Owner, message: Message) -> str | None:
    """The key under which a request would be taken back; None where it cannot be."""
    return _key(owner, message.id) if message.era is Era.LEGACY else None


def _key(owner: Owner, request_id: Json) -> str | None:
    if not owner.session or request_id is None:
        return None
    return repr(("cancelled", owner.issuer, owner.subject, owner.server, owner.session, request_id))
