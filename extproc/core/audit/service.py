"""The audit events of the service itself: its journals, its workers, the policy that is in force.

Pure constructors of plain dicts, like those of ``events``.
"""

from extproc.core.audit.begun import begun
from extproc.core.model import Json

__all__ = ["damaged", "opened", "policy_loaded", "recovered", "started", "stopped", "unsynced"]


def opened(*, at: int, node: str, worker: str, version: str, segment: int, previous: str) -> dict[str, Json]:
    """A writer begins here; first line of every segment. ``previous`` is the hash of the line before."""
    return begun("opened", at) | {
        "node": node,
        "worker": worker,
        "version": version,
        "segment": segment,
        "previous": previous,
    }


def recovered(*, at: int, segment: int, cut_bytes: int, cut_digest: str, fault: str | None) -> dict[str, Json]:
    """A torn tail was cut: how many bytes, and their SHA-256. ``fault`` is damage further up, which stays as it is."""
    return begun("recovered", at) | {
        "segment": segment,
        "cut_bytes": cut_bytes,
        "cut_digest": cut_digest,
        "fault": fault,
    }


def unsynced(*, at: int, segment: int, first: int, last: int) -> dict[str, Json]:
    """The disk refused to confirm events ``first`` to ``last``: a loss of power may have taken them."""
    return begun("unsynced", at) | {"segment": segment, "first": first, "last": last}


def policy_loaded(*, at: int, source: str, digest: str | None, problems: int) -> dict[str, Json]:
    """A policy was read. With problems it is not in force, and ``digest`` is that of the one that stays."""
    return begun("policy", at) | {
        "source": source,
        "policy": digest,
        "ok": problems == 0,
        "problems": problems,
    }


def started(*, at: int, node: str, worker: str, version: str, shadow_mode: bool) -> dict[str, Json]:
    """A worker serves from here."""
    return begun("started", at) | {"node": node, "worker": worker, "version": version, "shadow": shadow_mode}


def stopped(*, at: int, reason: str) -> dict[str, Json]:
    """A worker ended in good order."""
    return begun("stopped", at) | {"reason": reason}


def damaged(*, file: str, said: str) -> dict[str, Json]:
    """What a copy of the records has in the place of a line that does not hold; its time is not known, so 0."""
    return begun("damaged", 0) | {"file": file, "said": said}
