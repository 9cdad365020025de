"""Names and places in sentences of others, found by the language model of the extra presidio."""

import sys
from collections.abc import Iterator
from pathlib import Path

from family import Family, rows

from extproc.edges.names import presidio

WANTED = {"person_name": ("PERSON",), "place": ("GPE", "STREET_ADDRESS")}
"""What a find of a type may be; of addresses the model knows at most the street or the town."""
COUNTED = {"person_name": "PERSON", "place": "GPE"}


def families(corpora: Path) -> Iterator[Family]:
    """How many are covered whole by a find of their type, and how many finds touch nothing of theirs (false alarms)."""
    if not presidio.is_installed():
        print("names and places need the extra presidio, which is not installed: make names", file=sys.stderr)
        return
    sentences = list(rows(corpora / "pii" / "presidio-research-500.dev.jsonl"))
    found = presidio.load()([row["text"] for row in sentences])
    for kind, label in COUNTED.items():
        hits = spans = alarms = finds = 0
        for row, every in zip(sentences, found, strict=True):
            mine = [(find.start, find.end) for find in every if find.type == kind]
            meant = [(start, end) for of, start, end in row["spans"] if of in WANTED[kind]]
            named = [(start, end) for of, start, end in row["spans"] if of == label]
            spans += len(named)
            hits += sum(any(first <= start and end <= last for first, last in mine) for start, end in named)
            finds += len(mine)
            alarms += sum(not any(first < end and start < last for start, end in meant) for first, last in mine)
        yield Family(f"names: {label} in sentences (presidio-research)", hits, spans, alarms, finds)
