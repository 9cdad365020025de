"""Detectors on texts of our own: secrets and personal data as they stand in files and logs, and what is neither."""

import random
import re
import string
import uuid
from pathlib import Path

from extproc.core.masking import DETECTORS
from extproc.core.redaction.detectors import compile_detectors

HERE = Path(__file__).parent
ALL = compile_detectors(DETECTORS, (), threshold=0.5)
SETS = {
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "b62": string.ascii_letters + string.digits,
    "b64": string.ascii_letters + string.digits + "+/",
    "b64u": string.ascii_letters + string.digits + "-_",
    "b32": string.ascii_uppercase + "234567",
    "low": string.ascii_lowercase + string.digits,
    "UP": string.ascii_uppercase + string.digits,
    "d": string.digits,
}


def lines(name: str, seed: int) -> list[str]:
    """The lines of a file with random characters where it asks for them."""
    drawn = random.Random(seed)  # noqa: S311 - the same texts in each run

    def made(found: re.Match[str]) -> str:
        return "".join(drawn.choices(SETS[found[1]], k=int(found[2])))

    texts = [line for line in (HERE / name).read_text("utf-8").splitlines() if line and not line.startswith("#")]
    texts = [text.replace("{uuid}", str(uuid.UUID(int=drawn.getrandbits(128), version=4))) for text in texts]
    return [re.sub(r"\{(\w+):(\d+)\}", made, text).replace("\\n", "\n") for text in texts]


def test_all_of_each_secret_and_number_is_found() -> None:
    missed = []
    for seed in range(5):
        for line in lines("telling_texts.txt", seed):
            marked = line.partition(" | ")[2]
            start, end = marked.index("«"), marked.index("»") - 1
            (finds,) = ALL.find([marked.replace("«", "").replace("»", "")])
            covered = {place for find in finds for place in range(find.start, find.end)}
            if not covered.issuperset(range(start, end)):
                missed.append(line)
    assert not missed


def test_nothing_is_found_in_everyday_texts() -> None:
    alarms = []
    for seed in range(5):
        texts = lines("plain_texts.txt", seed)
        alarms += [
            (text, [(find.type, text[find.start : find.end]) for find in finds])
            for text, finds in zip(texts, ALL.find(texts), strict=True)
            if finds
        ]
    assert not alarms
