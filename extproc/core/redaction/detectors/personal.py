"""Detectors of personal and payment data. Anchors and forms: RFC 5322, E.164, ISO 7812, ISO 13616, RFC 4291."""

from typing import Final

from stdnum import bitcoin

from extproc.core.redaction.detectors import checks
from extproc.core.redaction.detectors.rules import ALONE, Rule, likely, only_near

__all__ = ["PERSONAL"]

_CALL: Final = (
    *("phone", "tel", "mobile", "cell", "fax", "call", "dial", "whatsapp", "sms", "contact", "reach", "hotline"),
    *("answering", "messages to", "message on", "registered", "number", "ext", "line", "mobil", "nummer", "numéro"),
    *("telefon", "telefono", "teléfono", "handy", "ring me", "text me"),
)
_BORN: Final = ("birth", "born", "dob", "geboren", "geburt", "nacimiento", "naissance", "birthday")
_CARD: Final = ("card", "visa", "mastercard", "amex", "credit", "debit", "payment", "pan", "discover", "diners")
_DATE: Final = r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/. ]\d{1,2}[-/. ]\d{2,4}"
_MONTH: Final = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_MONTHS: Final = rf"|\d{{1,2}}\.? {_MONTH} \d{{4}}|{_MONTH} \d{{1,2}},? \d{{4}})"

PERSONAL: Final[tuple[Rule, ...]] = (
    Rule(
        type="email",
        anchor=r"@[^\s@]+\.",
        pattern=r"[\pL\pN_%+'](?:[\pL\pN._%+'\-]*[\pL\pN_%+'\-])?@(?:[\pL\pN\-]+\.)+\pL\pL+",
        check=checks.mailbox,
        edges=False,
    ),
    Rule(
        type="phone",
        anchor=r"\+ ?[(\d]",
        pattern=r"\+ ?\d{1,3}[ .\-/]?(?:\(\d{1,5}\)[ .\-/]?)?\d{1,5}(?:[ .\-/]?\d{2,8}){1,4}"
        r"(?: ?(?i:x|ext\.?) ?\d{1,6})?",
        check=checks.phone,
        score=0.75,
    ),
    Rule(
        type="phone",
        anchor=r"\d\d\d[)\-. ] ?\d\d\d[\-. ]\d\d\d\d",
        pattern=r"(?:(?:00)?1[\-. ])?(?:\(\d{3}\) ?|\d{3}[\-. ])\d{3}[\-. ]\d{4}(?: ?(?i:x|ext\.?) ?\d{1,6})?",
        check=checks.phone,
        score=0.6,
        context=_CALL,
        near=0.9,
        joined="-",
    ),
    Rule(
        type="phone",
        anchor=r"\d",
        pattern=r"\(?\d{1,6}\)?(?:[ .\-/]{1,2}\(?\d{1,6}\)?){1,6}(?: ?(?i:x|ext\.?) ?\d{1,6})?|\b\d{7,13}\b",
        check=checks.phone,
        score=0.2,
        context=_CALL,
        near=0.7,
    ),
    Rule(
        type="credit_card",
        anchor=r"\d[ \-]?\d[ \-]?\d[ \-]?\d[ \-]?\d[ \-]?\d",
        pattern=r"\b(?:\d{4}(?:[ \-]\d{4}){3}(?:[ \-]\d{1,3})?|\d{4}[ \-]\d{6}[ \-]\d{4,5}|\d{12,19})\b",
        part=checks.card,
        score=0.8,
        context=_CARD,
        near=1.0,
        joined=ALONE,
    ),
    Rule(
        type="iban",
        anchor=r"[A-Za-z][A-Za-z]\d\d",
        pattern=r"\b[A-Za-z]{2}\d{2}(?:[ \-]?[A-Za-z0-9]{4}){2,7}(?:[ \-]?[A-Za-z0-9]{1,3})?",
        part=checks.account,
        score=0.95,
    ),
    likely("us_ssn", r"\d\d\d[\- ]\d\d[\- ]\d", r"\d{3}[\- ]\d{2}[\- ]\d{4}", checks.us_ssn, "ssn", "social security"),
    only_near("us_ssn", r"\d\d\d\d\d\d\d\d\d", r"\d{9}", checks.us_ssn, "ssn", "social security"),
    Rule(
        type="ip_address",
        anchor=r"\d\.\d+\.\d+\.\d",
        pattern=r"\b(?:\d{1,3}\.){3}\d{1,3}\b",
        check=checks.ip_address,
        score=0.8,
        joined="-.",
    ),
    Rule(
        type="ip_address",
        anchor=r":[0-9a-fA-F]*:",
        pattern=r"(?:[0-9a-fA-F]{1,4}:){1,7}[0-9a-fA-F:]{1,39}|::(?:[0-9a-fA-F]{1,4}:){0,6}[0-9a-fA-F]{1,4}",
        check=checks.ip_address,
        score=0.8,
    ),
    Rule(
        type="mac_address",
        anchor=r"[0-9a-fA-F][:\-][0-9a-fA-F][0-9a-fA-F][:\-]",
        pattern=r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}|[0-9a-fA-F]{2}(?:-[0-9a-fA-F]{2}){5}",
        score=0.7,
        joined=":-",
    ),
    Rule(
        type="date_of_birth",
        anchor=r"\d",
        pattern=_DATE + _MONTHS,
        score=0.1,
        context=_BORN,
        near=0.8,
    ),
    Rule(
        type="crypto_address",
        anchor=r"[13][a-km-zA-HJ-NP-Z1-9][a-km-zA-HJ-NP-Z1-9]|bc1",
        pattern=r"bc1[ac-hj-np-z02-9]{11,71}|[13][a-km-zA-HJ-NP-Z1-9]{25,34}",
        check=checks.by(bitcoin),
        score=0.9,
    ),
)
