"""How fast masking is: ``python bench/masking.py``; writes into bench/REPORT.md.

The whole engine (taking apart, search, putting together) over parsed messages of about 64 KiB, on one core, in CPU
time; MB are of the message as JSON. Parsing and writing the message are not in it. The best of many rounds, because
other loads only ever add, and the median.
"""

import os
import statistics
import sys
import time
from pathlib import Path

from masking_texts import KINDS, messages
from report import machine, write_section

from extproc.core.masking import DETECTORS, GROUPS, Detection, Mask, Masks
from extproc.core.redaction.masker import Masker
from extproc.core.wire import strict_json

COUNT, ROUNDS = 4, 12
DESIGN = ("email", "credit_card", "us_ssn", "iban", "phone", *GROUPS["secrets"])
"""The detectors that policies name first."""
REPORT = Path(__file__).with_name("REPORT.md")
AIMS = {"clean text": 200, "PII rows": 40}


def masker(*types: str) -> Masker:
    """A masker that redacts what these detectors find."""
    return Masker(Masks(detections=(Detection(rule="bench", types=types, mask=Mask()),)), b"k" * 64)


def speed(using: Masker, kind: str, rounds: int = ROUNDS) -> tuple[float, float, float]:
    """MB a second of the best round and of the median one, and finds in a KB."""
    made = list(messages(kind, COUNT))
    size = sum(len(strict_json.encode(each)) for each in made)
    finds = sum(sum(using.message(each).counts.values()) for each in made)
    costs = []
    for _ in range(rounds):
        begun = time.process_time()
        for each in made:
            using.message(each)
        costs.append(time.process_time() - begun)
    return size / min(costs) / 1e6, size / statistics.median(costs) / 1e6, finds / size * 1000


def kinds() -> str:
    """A row for each kind of text."""
    sets = {"policy of the README": masker(*DESIGN), "all detectors": masker(*DETECTORS)}
    rows = [f"| text | finds/KB | {' | '.join(f'{name}, MB/s' for name in sets)} | aim |", "|---|---|---|---|---|"]
    for kind in KINDS:
        found = [speed(using, kind) for using in sets.values()]
        cells = [f"{best:.1f} ({median:.1f})" for best, median, _ in found]
        rows.append(f"| {kind} | {found[0][2]:.1f} | {' | '.join(cells)} | {AIMS.get(kind, '')} |")
    return "\n".join(rows)


def detectors() -> str:
    """A row for each detector alone."""
    rows = ["| detector alone, MB/s | clean text | PII rows | source code |", "|---|---|---|---|"]
    for name in DETECTORS:
        using = masker(name)
        cells = [f"{speed(using, kind, 3)[0]:.0f}" for kind in ("clean text", "PII rows", "source code")]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def main() -> int:
    """Measure, print and write."""
    load = os.getloadavg()[0]
    text = (
        f"Written by `make bench-masking`: {COUNT} messages of about 64 KiB of each kind, {ROUNDS} rounds, best round "
        f"and (median), CPU time of one core. {machine()} "
        f"Load average of everything else before the run: {load:.1f}.\n\n"
        f"{kinds()}\n\n{detectors()}\n"
    )
    print(text)
    write_section(REPORT, "Masking", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
