"""What an allow owes in masking: nouns shared by the room that compiles policies and the room that masks.

Values only. The names of the detectors stand here because a policy may name no other; ``redaction`` has what they do.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

__all__ = [
    "DETECTORS",
    "FIELD",
    "GROUPS",
    "NAMES",
    "NAME_SCORE",
    "NO_MASKING",
    "NO_MASKS",
    "OPAQUE",
    "UNREADABLE",
    "Block",
    "Detection",
    "FieldMask",
    "Find",
    "Mask",
    "Masking",
    "Masks",
    "OwnDetector",
    "Recogniser",
    "Step",
    "Style",
]


FIELD: Final = "masked"
"""The type of a value that a path names."""
OPAQUE: Final = "opaque"
"""The type of bytes without text."""
UNREADABLE: Final = "unreadable"
"""The type of a text that could not be searched whole."""


_SECRETS: Final = ("api_key", "jwt", "password", "private_key", "url_credentials")
_NATIONAL: Final = (
    *("ar_cuit", "at_insurance", "au_tfn", "be_national", "bg_personal", "br_cpf", "ca_sin", "ch_insurance", "cl_rut"),
    *("cz_birth_number", "de_tax_id", "dk_personal", "es_nie", "es_nif", "fi_personal", "fr_nir", "gr_amka", "ie_pps"),
    *("il_id", "in_aadhaar", "in_pan", "it_fiscal_code", "kr_resident", "mx_curp", "nl_bsn", "no_personal", "nz_ird"),
    *("pl_pesel", "pt_tax_id", "ro_cnp", "se_personal", "sg_uen", "tr_id", "uk_nhs", "uk_nino", "us_itin", "us_ssn"),
    "za_id",
)
_PERSONAL: Final = ("date_of_birth", "email", "ip_address", "mac_address", "phone")
_PAYMENT: Final = ("credit_card", "crypto_address", "iban")
DETECTORS: Final = tuple(sorted((*_SECRETS, *_NATIONAL, *_PERSONAL, *_PAYMENT)))
"""The built-in detectors; a policy may name no other, besides its own and ``NAMES``."""
NAMES: Final = ("person_name", "place")
"""What no pattern finds: it takes a ``Recogniser``, which whoever loads a policy hands over."""
NAME_SCORE: Final = 0.85
"""How sure every such find is: the model does not say, and Presidio takes it for this."""
GROUPS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "secrets": _SECRETS,
        "national_ids": _NATIONAL,
        "payment": _PAYMENT,
        "pii": (*_PERSONAL, *_PAYMENT, *_NATIONAL),
    }
)
"""Names that stand for several detectors."""


class Find(NamedTuple):
    """One find in one text: characters ``start`` to ``end``, the detector's name, and how sure it is (0 to 1)."""

    start: int
    end: int
    type: str
    score: float


Recogniser: TypeAlias = Callable[[Sequence[str]], Sequence[Sequence[Find]]]
"""Finds ``NAMES`` in each of several texts, always the same in equal ones. Raises where it cannot say."""


class Style(StrEnum):
    """What becomes of a value, strictest first: what is left of it says ever more."""

    REDACT = "redact"
    """``[email]``: the type alone."""
    REPLACE = "replace"
    """A fixed text of the operator; in the name of a member, which says what is under it, the type stands instead."""
    HASH = "hash"
    """``[email:1f3a9c...]``: keyed, so that equal values can be joined and none guessed without the key."""
    KEEP_LAST = "keep_last"
    """All but the last few characters."""


@dataclass(frozen=True, slots=True)
class Mask:
    """A style with its parameter: ``keep`` characters for ``keep_last``, ``text`` for ``replace``."""

    style: Style = Style.REDACT
    keep: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a field path: a member by name, an item by number, every one (both None), or at any depth (``deep``).

    A negative ``index`` counts from the end.
    """

    name: str | None = None
    index: int | None = None
    deep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMask:
    """Everything under the path ``steps`` is masked; ``path`` is the path as the operator wrote it."""

    rule: str
    path: str
    steps: tuple[Step, ...]
    mask: Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Everything that one of the detectors ``types`` finds with a score of ``threshold`` or more is masked."""

    rule: str
    types: tuple[str, ...]
    mask: Mask
    threshold: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDetector:
    """A detector of the operator's: RE2 patterns, and words that stand alone, whatever their case.

    A find scores ``score``; with ``context`` words, only where one of them is near, or in the name of the member.
    """

    name: str
    patterns: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    score: float = 1.0
    context: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Masks:
    """What is looked for in one value and what becomes of it; where two claim one value, the stricter wins.

    Compared by identity: equal ones are made once per policy, and what is compiled from one is kept beside it.
    ``blocks_opaque``: images, audio and other bytes without text are masked too. ``recogniser`` is there where one of
    ``NAMES`` is detected.
    """

    fields: tuple[FieldMask, ...] = ()
    detections: tuple[Detection, ...] = ()
    own: tuple[OwnDetector, ...] = ()
    blocks_opaque: bool = False
    recogniser: Recogniser | None = None


NO_MASKS: Final = Masks()
"""Nothing to look for, shared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A masking rule that refuses the request in which it finds something; ``message`` is the operator's sentence."""

    rule: str
    masks: Masks
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Masking:
    """All that one allow owes; who owes nothing has ``NO_MASKING`` itself.

    ``rules`` are the names of the masking rules, for the record. ``recorded`` is what the journal owes: everything that
    any rule masks on this target, for everybody, since an exception opens a value to its caller and not to the record.
    """

    rules: tuple[str, ...] = ()
    responses: Masks = NO_MASKS
    requests: Masks = NO_MASKS
    blocks: tuple[Block, ...] = ()
    recorded: Masks = NO_MASKS


NO_MASKING: Final = Masking()
"""An allow that owes no masking, shared."""
