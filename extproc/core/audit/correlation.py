"""By what an event is found together with those of the call that it comes of."""

from typing import Final

import msgspec

from extproc.core.audit.events import session_digest

__all__ = ["NO_CALL", "Correlation"]


class Correlation(msgspec.Struct, frozen=True, kw_only=True):
    """The decision of a call, its session as it stands on record, and its trace id; None where it has none."""

    decision: str
    session: str | None = None
    trace: str | None = None

    @classmethod
    def of(cls, decision: str, session: str, trace: str | None) -> "Correlation":
        """That of a call in ``session``, the upstream's own id, empty where there is none."""
        return cls(decision=decision, session=session_digest(session) if session else None, trace=trace)


NO_CALL: Final = Correlation(decision="")
"""Of what comes of no call."""
