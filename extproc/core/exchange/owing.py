"""Which responses must come here, and which of them are cut to what their caller may use."""

from typing import Final

from extproc.core import catalog
from extproc.core.masking import NO_MASKS
from extproc.core.model import Era, Message, MessageKind, Obligations, Recording

__all__ = ["is_cut", "owes_response"]

_FILTERED: Final = frozenset({*catalog.LISTS, "resources/read", "completion/complete", "subscriptions/listen"})
"""The methods whose responses are cut, whatever the recording level."""


def owes_response(message: Message, obligations: Obligations, *, can_be_asked: bool = False) -> bool:
    """Whether the response must come here at all.

    Every legacy response does, because it may carry a session id, and every one that is masked, whatever it answers,
    or that its client lets ask for something; another one only where it is recorded, filtered or a long-lived stream.
    """
    if can_be_asked or message.era is Era.LEGACY or obligations.masking.responses is not NO_MASKS:
        return True
    return message.id is not None and (obligations.recording is not Recording.NONE or is_cut(message))


def is_cut(message: Message) -> bool:
    """Whether the response is cut to what the caller may use."""
    return message.kind is MessageKind.STREAM or message.method in _FILTERED
