"""How fast masking is: ``python bench/masking.py [--keep]``.

The whole engine (taking apart, search, putting together) over parsed messages, on one core, in CPU time; MB are of the
message as JSON. Parsing and writing the message are not in it. Prints the best and the median of many rounds, because
other loads only ever add; ``--keep`` writes the table into bench/REPORT.md.
"""

import argparse
import statistics
import sys
import time

from masking_texts import KINDS, messages

from extproc.core.masking import DETECTORS, GROUPS, Detection, Mask, Masks
from extproc.core.redaction.masker import Masker
from extproc.core.wire import strict_json

COUNT, ROUNDS = 6, 15
DESIGN = ("email", "credit_card", "us_ssn", "iban", "phone", *GROUPS["secrets"])
"""The detectors of the policy in DESIGN section 6."""
FLOORS = {"clean text": 200, "PII rows": 40}


def masker(*types: str) -> Masker:
    return Masker(Masks(detections=(Detection(rule="bench", types=types, mask=Mask()),)), b"k" * 64)


def speed(using: Masker, kind: str, rounds: int = ROUNDS) -> tuple[float, float]:
    """MB a second: of the best round, and of the median one."""
    made = list(messages(kind, COUNT))
    size = sum(len(strict_json.encode(each)) for each in made)
    costs = []
    for _ in range(rounds):
        begun = time.process_time()
        for each in made:
            using.message(each)
        costs.append(time.process_time() - begun)
    return size / min(costs) / 1e6, size / statistics.median(costs) / 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="write the tables into bench/REPORT.md")
    asked = parser.parse_args()
    sets = {"policy of the README": masker(*DESIGN), "all detectors": masker(*DETECTORS)}
    print(f"{'MB/s, best (median)':46}" + "".join(f"{name:>24}" for name in sets))
    for kind in KINDS:
        cells = [speed(using, kind) for using in sets.values()]
        print(f"{kind:46}" + "".join(f"{best:16.0f} ({median:.0f})".rjust(24) for best, median in cells))
    return 0


if __name__ == "__main__":
    sys.exit(main())
