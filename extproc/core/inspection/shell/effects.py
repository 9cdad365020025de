"""What a part of a command line does, as a value that joins with that of the other parts.

Joining only ever adds: the verb is the strictest, and what one part does the whole does.
"""

from dataclasses import dataclass
from typing import Final

from extproc.core.model import Verb

__all__ = ["HARMLESS", "UNTOLD", "Effect", "finding", "joined", "unreadable"]

UNTOLD: Final = "?"
"""What stands in the place of a name or path that is not known, so that no condition over all of them is met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """The facts of one part; ``secret`` says that it names a file of credentials, ``unknown`` which commands are.

    ``touches`` are paths it writes that are not judged yet, ``writes`` those that are.
    """

    verb: Verb = Verb.QUERY
    commands: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    touches: tuple[str, ...] = ()
    network: bool = False
    readable: bool = True
    secret: bool = False
    findings: tuple[str, ...] = ()


HARMLESS = Effect()
"""The effect of what only reads, shared."""


def joined(*parts: Effect) -> Effect:
    """The effect of all parts together, in their order; what is said twice is kept once."""
    parts = tuple(part for part in parts if part is not HARMLESS)
    if len(parts) < 2:
        return parts[0] if parts else HARMLESS
    return Effect(
        verb=max(part.verb for part in parts),
        commands=tuple(name for part in parts for name in part.commands),
        unknown=tuple(dict.fromkeys(name for part in parts for name in part.unknown)),
        writes=tuple(dict.fromkeys(path for part in parts for path in part.writes)),
        touches=tuple(dict.fromkeys(path for part in parts for path in part.touches)),
        network=any(part.network for part in parts),
        readable=all(part.readable for part in parts),
        secret=any(part.secret for part in parts),
        findings=tuple(dict.fromkeys(sentence for part in parts for sentence in part.findings)),
    )


def finding(sentence: str) -> Effect:
    """Something destructive."""
    return Effect(verb=Verb.ADMIN, findings=(sentence,))


def unreadable(sentence: str) -> Effect:
    """Something whose meaning is not known here: nothing bad can be ruled out of it."""
    return Effect(
        verb=Verb.ADMIN, commands=(UNTOLD,), writes=(UNTOLD,), readable=False, network=True, findings=(sentence,)
    )
