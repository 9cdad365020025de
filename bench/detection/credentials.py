"""Secrets: examples and counter-examples of three scanners' own rules."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

from family import Family, counted, rows

from extproc.core.masking import GROUPS, Detection, Mask, Masks
from extproc.core.redaction.detectors import compile_detectors
from extproc.core.redaction.masker import Masker

SEARCH = compile_detectors(GROUPS["secrets"], (), threshold=0.5)
MASKER = Masker(Masks(detections=(Detection(rule="report", types=GROUPS["secrets"], mask=Mask()),)), b"r" * 64)
PREFIXED = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}|\bgh[pousr]_|\bgithub_pat_|\bglpat-|\bglptt-|\bxox[abeprs]-|\bxapp-\d|\b[sr]k_(?:live|test)_"
    r"|\bAIza|\bnpm_|\bpypi-A|\bdckr_pat_|\bdop_v1_|\bshp(?:at|ss|ca|pa)_|\bSG\.\w|\bsk-ant-|\bsk-proj-|\bhf_|\bya29\."
    r"|\bGOCSPX-|\beyJ\w+\.eyJ\w+\.\w|-----BEGIN[ A-Z]*PRIVATE KEY|\bhvs\.|\bAGE-SECRET-KEY|\blin_api_|\bPMAK-|\btskey-"
)
"""How secrets begin that say themselves what they are; a row counts where one of these stands in it."""


def families(corpora: Path) -> Iterator[Family]:
    """All rows of each scanner; those with a telling prefix; those of which the exact secret is known."""
    prefixed: list[str] = []
    for name in ("kingfisher", "noseyparker", "secretlint"):
        known = [
            (base64.b64decode(row["b64"]).decode("utf-8", "replace"), row)
            for row in rows(corpora / "secrets" / f"{name}.dev.jsonl")
        ]
        bad = [text for text, row in known if row["secret"]]
        prefixed += [text for text in bad if PREFIXED.search(text)]
        yield counted(f"secrets: {name}", bad, [text for text, row in known if not row["secret"]], found)
        exact = [(text, key) for text, row in known for key in row.get("keys_b64", ())]
        if exact:
            yield counted(f"secrets: {name}, nothing of the key left", exact, [], is_gone)
    yield counted("secrets: with a prefix, of all three", prefixed, [], found)


def found(text: str) -> bool:
    return bool(SEARCH.find([text])[0])


def is_gone(row: tuple[str, str]) -> bool:
    text, key = row
    return base64.b64decode(key).decode("utf-8", "replace") not in MASKER.document(text).value
