"""A record as one line of JSON, the same for every sink that takes text."""

from extproc.ports import Record

__all__ = ["line_of"]


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
