"""How much is looked at when an event is handled: who serves many exchanges lets the others go on where it is much.

Bytes, counted before anything is done. What only passes by, or waits for its rest, weighs nothing.
"""

from extproc.core.exchange.events import (
    BodyReceived,
    DeadlinePassed,
    Event,
    HeadReceived,
    ResponseBodyReceived,
    ResponseHeadReceived,
    ResponseTrailersReceived,
    Stored,
    StoreFailed,
)
from extproc.core.exchange.responding import Responding

__all__ = ["weight"]


def weight(event: Event, request: int, responding: Responding | None) -> int:
    """The bytes that handling an event looks at; ``request`` are those of a request that is not decided yet."""
    match event:
        case BodyReceived(body=body):
            return len(body)
        case ResponseBodyReceived(chunk=chunk, last=last):
            return 0 if responding is None else responding.weight(chunk, last=last)
        case ResponseTrailersReceived():
            return 0 if responding is None else responding.weight(b"", last=True)
        case HeadReceived() | ResponseHeadReceived() | Stored() | StoreFailed() | DeadlinePassed():
            return 0
        case _:  # whatever is answered before the decision: it is judged or written down next, arguments and all
            return request
