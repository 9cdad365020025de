"""The detectors on texts that others wrote; skipped where those are not at hand."""

import base64
import json

from extproc.core.masking import GROUPS
from extproc.core.redaction.detectors import compile_detectors

NAMES = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "CREDIT_CARD": "credit_card",
    "US_SSN": "us_ssn",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip_address",
}


def rows(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_more_personal_data_is_found_than_by_presidios_patterns_and_nothing_else(corpora):
    search = compile_detectors(tuple(NAMES.values()), (), threshold=0.5)
    wanted = found = wrong = 0
    for row in rows(corpora / "pii" / "presidio-research-500.dev.jsonl"):
        finds = search.find([row["text"]])[0]
        for kind, start, end in row["spans"]:
            if kind in NAMES:
                wanted += 1
                found += any(find.start <= start and find.end >= end for find in finds)
        wrong += sum(not any(find.start < end and find.end > start for _, start, end in row["spans"]) for find in finds)
    assert found / wanted > 0.78, f"{found} of {wanted}"
    assert wrong == 0


def test_half_of_all_forms_of_secrets_are_known(corpora):
    search = compile_detectors(GROUPS["secrets"], (), threshold=0.5)
    known = [row for row in rows(corpora / "secrets" / "kingfisher.dev.jsonl") if row["secret"]]
    texts = [base64.b64decode(row["b64"]).decode("utf-8", "replace") for row in known]
    found = sum(bool(finds) for finds in search.find(texts))
    assert found / len(texts) > 0.5, f"{found} of {len(texts)}"
