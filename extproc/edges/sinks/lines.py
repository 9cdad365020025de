"""A record as one line of JSON, the same for every sink that takes text; on request in the words of OCSF."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from extproc.core.audit import encode
from extproc.core.ocsf import ocsf_event
from extproc.ports import Record

__all__ = ["LINES", "LineOf", "line_of"]

LineOf: TypeAlias = Callable[[Record], bytes]


def line_of(record: Record) -> bytes:
    """``{"journal":...,"seq":...,"hash":...,"event":{...}}`` without a line end; control characters stand escaped.

    ``journal``, ``seq`` and ``hash`` together are the record's identity: what comes twice has the same.
    """
    return b'{"journal":"%b","seq":%d,"hash":"%b","event":%b}' % (
        record.journal.encode(),
        record.seq,
        record.hash.encode(),
        record.encoded,
    )


def _ocsf_line_of(record: Record) -> bytes:
    """The OCSF event; the line above stands whole in its ``unmapped``."""
    return encode(ocsf_event(journal=record.journal, seq=record.seq, hash=record.hash, event=record.event))


LINES: Final[Mapping[str, LineOf]] = MappingProxyType({"lines": line_of, "ocsf": _ocsf_line_of})
"""What a line is, by the ``form`` that the file of sinks asks for."""
