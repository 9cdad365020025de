"""The worst texts that were thought of, for every detector and every parser of responses: ``python bench/worst.py``.

Each is measured at 64 KiB, at twice and at four times that: twice the text must not cost much more than twice the time,
as the mean of the two doublings, and none may take a worker longer than it is given. CPU time, the best of several
rounds through all sizes, with nothing collected meanwhile. Something quadratic is measured first, and must be seen.
Then whole responses as they come to a worker, with every detector on, of 1 MiB and of the 8 MiB that are read at all:
what masking one of them takes, and whether it was masked or withheld because that would cost more than its budget.
Ends with 1 where one is worse than that.
"""

import base64
import gc
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from extproc.core.limits import MAX_JSON_RESPONSE_BYTES, MAX_MASKING_WORK
from extproc.core.masking import DETECTORS, Detection, FieldMask, Mask, Masks, Step
from extproc.core.redaction import embedded, encodings
from extproc.core.redaction.detectors import BUILT_IN, compile_detectors
from extproc.core.redaction.detectors.gitleaks import GITLEAKS
from extproc.core.redaction.masker import Masker
from extproc.core.wire import jsonrpc, sse, strict_json

SIZES = (64 << 10, 128 << 10, 256 << 10)
GROWTH = 2.5
"""Twice the text may cost so much more, as the mean of the doublings: 2 would be linear, 4 quadratic."""
ROUNDS, MORE_ROUNDS = 2, 7
"""How often all sizes are measured, and how often more where the growth is too much at first."""
LONGEST = 2.0
"""Seconds of CPU time for 128 KiB."""
LONGEST_RESPONSE = 40.0
"""Seconds of CPU time for one response, however large it is."""
TOO_SHORT = 0.02
"""Seconds for the largest size below which a growth says nothing."""

ALL = compile_detectors(DETECTORS, (), threshold=0.1)
MASKS = Masks(
    detections=(Detection(rule="worst", types=DETECTORS, mask=Mask()),),
    fields=(FieldMask(rule="worst", path="$..ssn", steps=(Step(name="ssn", deep=True),), mask=Mask()),),
)
MASKER = Masker(MASKS, b"w" * 64)
WORDS = " ".join(sorted({word for form in GITLEAKS for word in form.words}))
CONTEXT = " ".join(sorted({word for rule in BUILT_IN for word in rule.context}))

UNITS: dict[str, str] = {
    "digits": "4",
    "digits and spaces": "4 ",
    "digits and dashes": "12-",
    "brackets and digits": "(0)",
    "plus and digits": "+1 ",
    "almost cards": "4111 1111 1111 1112 ",
    "cards": "4111 1111 1111 1111 ",
    "almost accounts": "DE88 3704 0044 0532 0130 00 ",
    "accounts": "DE89 3704 0044 0532 0130 00 ",
    "at signs": "a@",
    "mails": "ann@example.com ",
    "mails behind an accent": "é ann@example.com ",
    "a mail without an end": "a.",
    "colons": "a:",
    "dots": "1.",
    "private keys that do not end": "-----BEGIN PRIVATE KEY-----",
    "tokens": "eyJhbGciOiJIUzI1NiJ9.",
    "addresses with passwords": "://a:",
    "passwords": "password=",
    "passwords with a value": "password=hunter22 ",
    "every vendor's word": f"{WORDS} ",
    "every vendor's word and a value": " ".join(f"{word}='x9'" for word in WORDS.split()) + " ",
    "numbers behind every word that makes them surer": f"{CONTEXT} 123456789 12345678901 ",
    "numbers close behind a word": "tax tin nif bsn 123456789 ",
    "zero width": "\u200b4",
    "letters of other scripts": "\u0430\u0435\u043e\u0440\u0441",
    "accents": "é",
    "months": "jan 1 ",
    "hexadecimal": "ab:",
    "base64": "QUtJQUlPU0ZPRE5ON0VYQU1QTEU",
    "lines of base64": "QUtJQUlPU0ZPRE5ON0VYQU1QTEU\n",
    "lines of hexadecimal": "616e6e406578616d706c652e636f6d\n",
    "escapes": "\\u0061",
    "percent": "%61",
    "references": "&#97;",
    "ampersands": "&amp",
    "open objects": '{"a":',
    "open lists": "[[1 ",
    "documents": '{"ssn":1} ',
    "documents that are none": '{"a":1,} ',
    "quotes": '"',
    "backslashes": "\\",
    "backslashes and quotes": '\\"',
    "marks": "[email]",
    "marks and mails": "[email]a@b.de",
    "stars": "****1234",
    "names of fields": "'ssn' : ",
}


def nested(size: int) -> str:
    """JSON in JSON in JSON, as deep as it is read, in base64 at the bottom."""
    text = base64.b64encode(b"ann@example.com " * (size // 64)).decode()
    for _ in range(3):
        text = json.dumps({"a": text})
    return text


def shapes(size: int) -> list[str]:
    """Short texts, each of another shape."""
    return ["a" * (number % 40) + "1" * (number // 40 % 40) for number in range(size // 40)]


def both_encodings(text: str) -> None:
    encodings.runs(text)
    encodings.unescaped(text)


def stream(size: int, line: bytes) -> list[bytes]:
    whole = line * (size // len(line)) + b"\n\n"
    return [whole[at : at + 1] for at in range(len(whole))]


def read_stream(chunks: list[bytes]) -> None:
    reader = sse.EventReader()
    for chunk in chunks:
        reader.feed(chunk)


CASES: list[tuple[str, Callable[[int], Any], Callable[[Any], object]]] = [
    *(
        (f"{name}, all detectors", lambda size, unit=unit: unit * (size // len(unit)), lambda text: ALL.find([text]))
        for name, unit in UNITS.items()
    ),
    *(
        (f"{name}, masked", lambda size, unit=unit: unit * (size // len(unit)), MASKER.document)
        for name, unit in UNITS.items()
    ),
    ("nested encodings, masked", nested, MASKER.document),
    ("many short texts, masked", lambda size: [f"{n}" for n in range(size // 8)], MASKER.document),
    ("many shapes, masked", shapes, MASKER.document),
    ("many members, masked", lambda size: {f"k{n}": n for n in range(size // 10)}, MASKER.document),
    ("members of one masked name", lambda size: {f"a{n}@b.de": 1 for n in range(size // 12)}, MASKER.document),
    *(
        (f"{name}, read as JSON", lambda size, unit=unit: (unit * (size // len(unit))).encode(), strict_json.read)
        for name, unit in (("open lists", "["), ("open objects", '{"a":'), ("escapes", '"\\u0061'), ("digits", "1"))
    ),
    *(
        (f"{name}, documents in a text", lambda size, unit=unit: unit * (size // len(unit)), embedded.documents)
        for name, unit in UNITS.items()
        if any(sign in unit for sign in '{["')
    ),
    *(
        (f"{name}, encoded", lambda size, unit=unit: unit * (size // len(unit)), both_encodings)
        for name, unit in UNITS.items()
        if any(sign in unit for sign in "Q6\\%&")
    ),
    ("a stream byte by byte", lambda size: stream(size, b"data: x\n"), read_stream),
    ("a stream of one line byte by byte", lambda size: stream(size, b"data: xxxxxxxx"), read_stream),
    ("a stream of CR byte by byte", lambda size: stream(size, b"\r"), read_stream),
]  # fmt: skip


def quadratic(text: str) -> None:
    """What must be seen: the rest of a text is searched from every place in it."""
    for at in range(0, len(text), 4):
        text.find("\0", at)


class Measured(NamedTuple):
    """What one kind of text costs: seconds of CPU time for each of ``SIZES``, at best."""

    costs: tuple[float, ...]

    @property
    def growth(self) -> float:
        """What twice the text costs, in times, as the mean of the doublings."""
        doublings = math.log2(SIZES[-1] / SIZES[0])
        return float((self.costs[-1] / self.costs[0]) ** (1 / doublings))

    @property
    def grows_too_much(self) -> bool:
        """Whether it takes long enough to say so, and more than its share for more text."""
        return self.costs[-1] > TOO_SHORT and self.growth > GROWTH


def measured(make: Callable[[int], Any], run: Callable[[Any], object]) -> Measured:
    """The costs, each size in turn, so that what disturbs one round disturbs all of them alike."""
    made = [make(size) for size in SIZES]
    run(made[0])  # patterns are compiled when they are first used
    gc.collect()
    gc.disable()
    try:
        found = Measured(_round(made, run))
        for number in range(1, ROUNDS + MORE_ROUNDS):
            if number >= ROUNDS and not found.grows_too_much:
                break
            found = Measured(tuple(map(min, found.costs, _round(made, run))))
    finally:
        gc.enable()
    return found


def _round(made: Sequence[Any], run: Callable[[Any], object]) -> tuple[float, ...]:
    costs = []
    for each in made:
        begun = time.process_time()
        run(each)
        costs.append(time.process_time() - begun)
    return tuple(costs)


def response(text: str, size: int) -> bytes:
    """A result of a tool that says this over and over."""
    said = text * (size // len(json.dumps(text)[1:-1].encode()) - 1)
    return strict_json.encode({"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": said}]}})


def responses() -> list[str]:
    """Mask whole responses, each as it comes; the lines of those that took too long."""
    bad = []
    print(f"\n{'1 MiB':>10} {'8 MiB':>10}  work, in millions of {MAX_MASKING_WORK / 1e6:g}")
    for name, unit in UNITS.items():
        cells, costs = [], []
        for size in (1 << 20, MAX_JSON_RESPONSE_BYTES - 1000):
            raw = response(unit, size)
            begun = time.process_time()
            found = MASKER.message(jsonrpc.read_server_message(raw).value)
            taken = time.process_time() - begun
            cells.append(f"{taken:8.2f} s")
            costs.append("withheld" if found.exhausted else f"{found.cost / 1e6:.2f}")
        line = f"{' '.join(cells)}  {', '.join(costs)}  {name}"
        print(line, flush=True)
        if taken > LONGEST_RESPONSE:
            bad.append(line)
    return bad


def main() -> int:
    """Measure all, each as it comes, and name those that are not linear or take too long."""
    bad = []
    control = measured(lambda size: " " * size, quadratic)
    if not control.grows_too_much:
        print(f"something quadratic was not seen: twice the text, {control.growth:.2f} times the time")
        return 1
    print(f"{'128 KiB':>10} {'growth':>6}")
    print(f"{control.costs[1] * 1000:7.0f} ms {control.growth:6.2f}  something quadratic, which must be seen")
    for name, make, run in CASES:
        found = measured(make, run)
        line = f"{found.costs[1] * 1000:7.0f} ms {found.growth:6.2f}  {name}"
        print(line, flush=True)
        if found.costs[1] > LONGEST or found.grows_too_much:
            bad.append(line)
    bad += responses()
    print(f"{len(CASES)} texts; not linear, or too long: {len(bad)}", *bad, sep="\n")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
