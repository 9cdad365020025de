"""What is checked of a candidate after its pattern fits: check digits, ranges, entropy."""

import ipaddress
import math
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from stdnum import numdb
from stdnum.exceptions import ValidationError

__all__ = ["account", "by", "card", "digits", "entropy", "ip_address", "mailbox", "phone", "us_ssn"]


_ISSUED: Final = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|5[06-9]\d{10,17}|6\d{11,18}|3[47]\d{13}|3(?:0[0-5]|09|6\d|[89]\d)\d{11,16}"
    r"|35\d{14,17}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|220[0-5]\d{12,15}"
    r"|1800\d{11}|2131\d{11}|122\d{12}"
)
"""How numbers of payment cards begin, and how long those are: the digits of a clock (``20261128…``) are none."""


_CARD_AND_MORE: Final = re.compile(r"(.*\d)[ \-]\d{1,3}", re.DOTALL)
"""What a number of four groups is followed by may be its end, or the month or the code that stand behind a card."""
_DOUBLED: Final = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
_BETWEEN: Final = str.maketrans("", "", " -.")
_NUMBERED: Final = str.maketrans({chr(ord("A") + place): str(10 + place) for place in range(26)})
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_PART: Final = re.compile(r"([1-9][0-9]*)!([nac])")
_KINDS: Final = {"n": "[0-9]", "a": "[A-Z]", "c": "[A-Z0-9]"}


def digits(text: str) -> str:
    """The digits of a text."""
    return text if text.isdigit() else "".join(filter(str.isdigit, text))


def card(text: str) -> int:
    """How much of a text is a payment card number (ISO/IEC 7812): issued, Luhn, and not one digit all over."""
    if _is_card(digits(text)):
        return len(text)
    more = _CARD_AND_MORE.fullmatch(text)
    return len(more[1]) if more is not None and _is_card(digits(more[1])) else 0


def _is_card(number: str) -> bool:
    return _ISSUED.fullmatch(number) is not None and len(set(number)) > 1 and luhn(number)


def luhn(number: str) -> bool:
    """Whether the last digit of a number is the check digit of the others (ISO/IEC 7812-1)."""
    raw = number.encode()
    single = raw[::-2]
    return (sum(single) - 48 * len(single) + sum(raw[-2::-2].translate(_DOUBLED))) % 10 == 0


def account(text: str) -> int:
    """How much of a text is an IBAN (ISO 13616): known country, its length and form, mod 97."""
    plain = (text if text.isalnum() else text.translate(_BETWEEN)).upper()
    length, form = _form(plain[:2])
    number = plain[:length]
    if not length or len(number) < length or not form.fullmatch(number):
        return 0
    if int((number[4:] + number[:4]).translate(_NUMBERED)) % 97 != 1:
        return 0
    if text[:length].isalnum():
        return length
    missing, end = length, 0
    while missing:
        missing -= text[end] not in " -."
        end += 1
    return end


@cache
def _form(country: str) -> tuple[int, re.Pattern[str]]:
    """Length and form of the IBANs of a country, 0 for one that has none."""
    told = numdb.get("iban").info(f"{country}00")[0][1].get("bban", "") if _COUNTRY.fullmatch(country) else ""
    parts = _PART.findall(told)
    form = "".join(f"{_KINDS[kind]}{{{number}}}" for number, kind in parts)
    return (4 + sum(int(number) for number, _ in parts) if parts else 0), re.compile(rf"[A-Z]{{2}}[0-9]{{2}}{form}")


def mailbox(text: str) -> bool:
    """Whether an address is somebody's: ``git@`` is how repositories are named."""
    return not text.startswith("git@")


def us_ssn(text: str) -> bool:
    """A US social security number that can have been given out."""
    number = digits(text)
    area, group, serial = number[:3], number[3:5], number[5:]
    return area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"


def ip_address(text: str) -> bool:
    """An IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def phone(text: str) -> bool:
    """As many digits as a phone number has (E.164: at most 15), not all the same."""
    number = digits(text)
    return 7 <= len(number) <= 15 and len(set(number)) > 2


def by(module: Any) -> Callable[[str], bool]:
    """The check of a module of python-stdnum."""

    def valid(text: str) -> bool:
        try:
            module.validate(text)
        except ValidationError:
            return False
        return True

    return valid


def entropy(text: str) -> float:
    """Shannon's entropy in bits for each character."""
    total = len(text)
    return -sum(count / total * math.log2(count / total) for count in Counter(text).values()) if text else 0.0
