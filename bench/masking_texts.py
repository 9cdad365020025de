"""The messages that the masking benchmark masks, of about 64 KiB each, made from a seed and from Python's own files."""

import base64
import json
import pydoc_data.topics
import random
import statistics as source
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from stdnum import iban, luhn

__all__ = ["KINDS", "messages"]

SIZE = 64 << 10
TEXT = """the order was shipped after review and no further action is needed from your side because each item had been
checked by our team before it left the warehouse while customers in other regions may see a short delay when their
parcel crosses a border so please allow some days until tracking shows where things stand at present"""
WORDS = TEXT.split()
NAMES = ("anna", "boris", "carla", "david", "elena", "farid", "greta", "hugo", "irene", "jonas")
PLACES = ("example.com", "mail.example.org", "corp.example.net")


def prose(chance: random.Random) -> str:
    """Sentences of words, with a number now and then."""
    made: list[str] = []
    length = 0
    while length < SIZE:
        words = chance.choices(WORDS, k=chance.randint(6, 18))
        if chance.random() < 0.1:
            words[2] = str(chance.randint(2, 900))
        sentence = " ".join(words).capitalize() + "."
        made.append(sentence)
        length += len(sentence) + 1
    return " ".join(made)


def person(chance: random.Random, number: int) -> dict[str, Any]:
    """One row about a person, seven of its eleven values personal."""
    name = chance.choice(NAMES)
    card = str(chance.randint(4 * 10**14, 5 * 10**14 - 1))
    account = "".join(chance.choices("0123456789", k=18))
    return {
        "id": number,
        "name": f"{name} {chance.choice(NAMES)}son",
        "email": f"{name}.{number}@{chance.choice(PLACES)}",
        "phone": f"+49 30 {chance.randint(1000000, 9999999)}",
        "ssn": f"{chance.randint(100, 665)}-{chance.randint(10, 99)}-{chance.randint(1000, 9999)}",
        "card": card + luhn.calc_check_digit(card),
        "iban": f"DE{iban.calc_check_digits('DE00' + account)}{account}",
        "city": chance.choice(("Berlin", "Lyon", "Porto", "Graz")),
        "created": f"2026-0{chance.randint(1, 9)}-1{chance.randint(0, 9)}T0{chance.randint(0, 9)}:15:00Z",
        "total": chance.randint(100, 99999) / 100,
        "note": " ".join(chance.choices(WORDS, k=8)),
    }


def rows(chance: random.Random) -> list[dict[str, Any]]:
    return [person(chance, number) for number in range(1000, 1000 + SIZE // 330)]


def plain_row(chance: random.Random, number: int) -> dict[str, Any]:
    """A row with nothing to find."""
    return {
        "id": number,
        "sku": f"art-{chance.randint(10, 99)}",
        "label": " ".join(chance.choices(WORDS, k=4)),
        "stock": chance.randint(0, 500),
        "price": chance.randint(100, 9999) / 100,
        "updated": f"2026-0{chance.randint(1, 9)}-1{chance.randint(0, 9)}",
        "note": " ".join(chance.choices(WORDS, k=8)),
    }


def text(said: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": said}]}


def _part(whole: str, chance: random.Random) -> str:
    at = chance.randrange(max(len(whole) - SIZE, 1))
    return whole[at : at + SIZE]


def _base64(chance: random.Random) -> dict[str, Any]:
    """Half of it images, half of it texts in base64, as attachments of a mail have them."""
    parts = [
        {"type": "image", "mimeType": "image/png", "data": base64.b64encode(chance.randbytes(SIZE * 3 // 8)).decode()},
        {"type": "text", "text": base64.b64encode(prose(chance)[: SIZE * 3 // 8].encode()).decode()},
    ]
    return {"content": parts}


KINDS: dict[str, Callable[[random.Random], dict[str, Any]]] = {
    "clean text": lambda chance: text(prose(chance)),
    "documentation": lambda chance: text(_part("\n".join(pydoc_data.topics.topics.values()), chance)),
    "clean rows": lambda chance: {
        "content": [],
        "structuredContent": {"rows": [plain_row(chance, number) for number in range(1000, 1000 + SIZE // 150)]},
    },
    "PII rows": lambda chance: {"content": [], "structuredContent": {"rows": rows(chance)}},
    "PII rows, JSON in a text": lambda chance: text(json.dumps(rows(chance))),
    "PII rows, CSV in a text": lambda chance: text("\n".join(";".join(map(str, row.values())) for row in rows(chance))),
    "source code": lambda chance: text(_part(Path(source.__file__).read_text("utf-8"), chance)),
    "base64": _base64,
    "clean rows, JSON in a text in JSON in a text": lambda chance: text(
        json.dumps([{"row": json.dumps(plain_row(chance, number))} for number in range(1000, 1000 + SIZE // 180)])
    ),
}
"""What is measured, in the order of the report."""


def messages(kind: str, count: int) -> Iterator[dict[str, Any]]:
    """So many messages of a kind, each another one."""
    for number in range(count):
        chance = random.Random(f"{kind} {number}")  # noqa: S311 - the same figures every time
        yield {"jsonrpc": "2.0", "id": number, "result": KINDS[kind](chance)}
