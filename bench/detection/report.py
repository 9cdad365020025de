"""What inspection and detection find in the corpora, family by family, beside the figures that were kept last.

``python bench/detection/report.py [CORPORA] [--keep]``: prints the table; ``--keep`` writes figures.json, which is
tracked, so that a change of a figure is a change of a file. Each module in FAMILIES is one kind of text.
"""

import argparse
import importlib
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CORPORA = HERE.parents[2] / "shared" / "corpora"
KEPT = HERE / "figures.json"
FAMILIES = ("shell", "mutants", "sql", "personal", "naming", "credentials")
FLOORS = {
    "shell: destructive commands, dcg": 97.0,
    "shell: destructive commands, safety-net": 97.0,
    "sql: at least what it does, its dialect": 100.0,
    "sql: at least what it does, no dialect": 100.0,
    # what Presidio 2.2.366 finds there with its pattern recognisers, without a language model
    "pii: six types in sentences (presidio-research)": 78.0,
    "pii: numbers with check digits (presidio's recognisers)": 98.0,
    "pii: synthetic, with check digits or ranges": 98.0,
    "secrets: with a prefix, of all three": 98.0,
    "secrets: synthetic, with a prefix": 98.0,
}
"""The least recall, in per cent."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", nargs="?", type=Path, default=CORPORA, help="the folder of the corpora")
    parser.add_argument("--keep", action="store_true", help="write figures.json")
    asked = parser.parse_args()
    if not asked.corpora.is_dir():
        print(f"the corpora are not here: {asked.corpora}; name their folder as the argument.", file=sys.stderr)
        return 2
    kept = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    figures = {}
    below = []
    print(f"{'family':56} {'recall':>18} {'floor':>6} {'false alarms':>18}   (kept)")
    for name in FAMILIES:
        for family in importlib.import_module(name).families(asked.corpora):
            figures[family.name] = family.figures
            before = kept.get(family.name, {})
            recall = cell(family.figures, before, "recall", "of")
            alarms = cell(family.figures, before, "false_alarms", "among")
            floor = FLOORS.get(family.name)
            if floor is not None and family.figures["recall"] < floor:
                below.append(family.name)
            print(f"{family.name:56} {recall:>18} {floor or '':>6} {alarms:>18}")
    if asked.keep:
        KEPT.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
        print(f"kept in {KEPT.name}")
    if below:
        print(f"below the floor: {'; '.join(below)}", file=sys.stderr)
    return int(bool(below))


def cell(now: dict, before: dict, rate: str, count: str) -> str:
    """A rate with the kept one in brackets, or what is not there."""
    if now[rate] is None:
        return "-"
    old = before.get(rate)
    return f"{now[rate]:.1f} % ({'-' if old is None else f'{old:.1f}'}) /{now[count]}"


if __name__ == "__main__":
    sys.exit(main())
