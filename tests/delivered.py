"""What every test of a sink shares: a recording of hostile texts, its delivery, and what must have arrived in the end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from extproc.edges.journal.reader import journals, last_seq
from extproc.ports import Sink
from extproc.shipping import Shipper
from stores import Store

HOSTILE = [
    '\n{"verdict":"allow"}',
    "\r\n<14>1 - - - - - evil",
    "\x1b[2J\x00\x7f",
    "a\u2028b\u2029c\x85d\u202e\ufeff",
    "\U0001f600 \u00e9",
    "CEF:0|a|b=c\\|${jndi:ldap://x}%n%s",
    '"}],"seq":0',
    "lone \ud800 and \udfff",
]


def intact(text: str) -> str:
    """What of a text a record can hold: all but halves of characters, which no UTF-8 has."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def hostile(n: int) -> dict[str, object]:
    """An event with a hostile text in every place that a caller can fill."""
    text = HOSTILE[n % len(HOSTILE)]
    return {
        "kind": "decision",
        "at": n,
        "n": n,
        "text": text,
        **dict.fromkeys(("server", "method", "rule", "reason", "source", "session", "trace", "decision"), text),
        "principal": {"subject": text, "issuer": text, "groups": [text]},
        "client": {"name": text},
        "targets": [{"kind": "tool", "name": text}],
        "arguments": {text: [text]},
    }


async def written(root: Path, count: int = 40) -> Store:
    store = Store(root, segment_bytes=20_000)
    for journal in ("n-0", "n-1"):
        await store.write(journal, [hostile(n) for n in range(count)])
    return store


def checked(records: list[dict[str, Any]], count: int = 40) -> None:
    """All are there, in the order of each journal once what came twice is left out, and intact."""
    seen: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        own = seen.setdefault(record["journal"], [])
        if all((each["seq"], each["hash"]) != (record["seq"], record["hash"]) for each in own):
            own.append(record)
    assert seen.keys() == {"n-0", "n-1"}
    for own in seen.values():
        assert [each["seq"] for each in own] == list(range(len(own)))
        decisions = [each["event"] for each in own if each["event"]["kind"] == "decision"]
        assert [event["n"] for event in decisions] == list(range(count))
        texts = [intact(HOSTILE[n % len(HOSTILE)]) for n in range(count)]
        assert [event["text"] for event in decisions] == texts
        assert [event["arguments"] for event in decisions] == [{text: [text]} for text in texts]


async def everything(root: Path, sink: Sink, until: Callable[[], bool] = lambda: True) -> None:
    """Deliver until nothing waits, whatever fails on the way."""
    shipper = Shipper(root, "copy", sink)
    while True:
        delivered = await shipper.deliver()
        if delivered == 0 and until():
            break
    await sink.close()


def everyone(root: Path) -> set[tuple[str, int]]:
    return {(directory.name, seq) for directory in journals(root) for seq in range(last_seq(directory) + 1)}
