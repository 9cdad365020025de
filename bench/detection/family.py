"""One family of texts and what was found in it."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Family:
    """How many of the texts with something to find were found, and how many of the others raised a false alarm."""

    name: str
    found: int = 0
    bad: int = 0
    alarms: int = 0
    good: int = 0

    @property
    def figures(self) -> dict[str, float | int | None]:
        """Recall and false-alarm rate in per cent, None where there is nothing of that kind."""
        return {
            "recall": round(100 * self.found / self.bad, 2) if self.bad else None,
            "of": self.bad,
            "false_alarms": round(100 * self.alarms / self.good, 2) if self.good else None,
            "among": self.good,
        }


def counted(name: str, bad: Iterable[Row], good: Iterable[Row], is_found: Callable[[Row], bool]) -> Family:
    """The family of these texts by this finder."""
    hits, alarms = [is_found(row) for row in bad], [is_found(row) for row in good]
    return Family(name, sum(hits), len(hits), sum(alarms), len(alarms))


def rows(file: Path) -> Iterator[dict]:
    """The records of a JSON lines file."""
    for line in file.read_text("utf-8").splitlines():
        yield json.loads(line)
