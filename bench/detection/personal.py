"""Personal data: sentences and number plates of others, and documents made from a seed."""

import importlib.util
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from family import Family, counted, rows

from extproc.core.masking import DETECTORS
from extproc.core.redaction.detectors import compile_detectors

ALL = compile_detectors(DETECTORS, (), threshold=0.5)
PATTERNS = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "CREDIT_CARD": "credit_card",
    "US_SSN": "us_ssn",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip_address",
}
"""What Presidio finds with patterns alone, and what it is called here."""
CHECKED = {
    "au_tfn": "tfn",
    "ca_sin": "sin",
    "credit_card": "card",
    "crypto": "wallet",
    "es_nie": "nie",
    "iban": "iban",
    "es_nif": "dni",
    "in_aadhaar": "aadhaar",
    "it_fiscal_code": "codice fiscale",
    "kr_rrn": "rrn",
    "pl_pesel": "pesel",
    "se_personnummer": "personnummer",
    "sg_uen": "uen",
    "tr_national_id": "tckn",
    "uk_nhs": "nhs number",
    "za_id_number": "id number",
}
"""Recognisers of numbers that end in check digits, and the name of the member that such a number stands under."""
SYNTHETIC = {"CARD": "credit_card", "IBAN": "iban", "SSN": "us_ssn"}


def families(corpora: Path) -> Iterator[Family]:
    """Sentences with spans; single numbers of recognisers; the synthetic documents, where Faker is installed."""
    sentences = list(rows(corpora / "pii" / "presidio-research-500.dev.jsonl"))
    spans = [(row["text"], start, end) for row in sentences for kind, start, end in row["spans"] if kind in PATTERNS]
    few = compile_detectors(tuple(PATTERNS.values()), (), threshold=0.5)
    finds = {row["text"]: few.find([row["text"]])[0] for row in sentences}

    def covers(span: tuple[str, int, int]) -> bool:
        return any(find.start <= span[1] and find.end >= span[2] for find in finds[span[0]])

    plain = [row["text"] for row in sentences if not row["spans"]]
    yield counted("pii: six types in sentences (presidio-research)", spans, [], covers)
    yield counted("pii: sentences without any", [], plain, lambda text: bool(finds[text]))
    numbers = [row for row in rows(corpora / "pii" / "presidio-recognizers.dev.jsonl") if row["rec"] in CHECKED]
    yield counted(
        "pii: numbers with check digits (presidio's recognisers)",
        [row for row in numbers if row["n"]],
        [row for row in numbers if not row["n"]],
        lambda row: bool(ALL.find([row["text"]], [CHECKED[row["rec"]]])[0]),
    )
    yield from _synthetic(corpora)


def _synthetic(corpora: Path) -> Iterator[Family]:
    if importlib.util.find_spec("faker") is None:
        print("the synthetic documents need Faker, which is not installed: pip install Faker", file=sys.stderr)
        return
    maker = corpora / "pii_synthetic" / "mk_pii_set.py"
    made = subprocess.run([sys.executable, maker, "2000", "11"], capture_output=True, check=True).stdout
    documents = [json.loads(line) for line in made.splitlines()]
    finds = ALL.find([document["text"] for document in documents])
    by_type: dict[str, Counter[bool]] = {}
    alarms = 0
    for document, found in zip(documents, finds, strict=True):
        alarms += document["kind"] == "neg" and bool(found)
        for start, end, kind in document["spans"]:
            # of an address with a password it is the user and the password that go
            hit = any(
                find.start <= start and find.end >= end
                if kind != "DBURL"
                else start < find.start < find.end < end and find.type == "url_credentials"
                for find in found
            )
            by_type.setdefault(kind, Counter())[hit] += 1
    for name, kinds in (
        ("pii: synthetic, with check digits or ranges", ("CARD", "IBAN", "SSN")),
        ("pii: synthetic, other personal data", ("EMAIL", "PHONE", "IPV4", "IPV6", "UK_NINO")),
        (
            "secrets: synthetic, with a prefix",
            ("AWS_KEY", "GITHUB", "GITHUB_FG", "SLACK", "STRIPE", "GOOGLE", "OPENAI", "ANTHROPIC", "GITLAB", "NPM"),
        ),
        ("secrets: synthetic, others", ("JWT", "PEM", "DBURL", "GENERIC")),
    ):
        hits = sum(by_type[kind][True] for kind in kinds)
        yield Family(name, hits, hits + sum(by_type[kind][False] for kind in kinds))
    negative = sum(document["kind"] == "neg" for document in documents)
    yield Family("pii and secrets: synthetic, what only looks like it", alarms=alarms, good=negative)
