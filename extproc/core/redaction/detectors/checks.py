"""What is checked of a candidate after its pattern fits: check digits, ranges, entropy."""

import ipaddress
import math
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from stdnum import iban, luhn
from stdnum.exceptions import ValidationError

__all__ = ["by", "card", "digits", "entropy", "ip_address", "phone", "us_ssn", "valid_iban"]


_ISSUED: Final = re.compile(r"[2-6]\d{11,18}|1800\d{11}|2131\d{11}|122\d{12}")
"""How numbers of payment cards begin; JCB and UATP are the odd ones."""


def digits(text: str) -> str:
    """The digits of a text."""
    return "".join(character for character in text if character.isdigit())


def card(text: str) -> bool:
    """A payment card number (ISO/IEC 7812): Luhn, and not one digit all over."""
    number = digits(text)
    return len(set(number)) > 1 and _ISSUED.fullmatch(number) is not None and bool(luhn.is_valid(number))


def valid_iban(text: str) -> bool:
    """An IBAN (ISO 13616): known country and length, mod 97."""
    return bool(iban.is_valid(text, check_country=False))


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
