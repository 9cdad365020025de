"""Detectors of secrets: keys and tokens by their form, passwords by what stands before them.

The forms of vendors are data (``gitleaks``); those here are the general ones. Names of members that tell a secret are
``tokens.tells``, which recordings use too.
"""

import re
from collections.abc import Callable
from typing import Final

import re2

from extproc.core.redaction.detectors.checks import entropy
from extproc.core.redaction.detectors.gitleaks import GITLEAKS, SecretForm
from extproc.core.redaction.detectors.rules import Rule

__all__ = ["SECRETS"]

_SAYS: Final = r"[\"'\\]{0,4}(?:\s{0,3}|[ \t]{4,24})(?::=|=>|[:=])\s{0,3}[\"'\\]{0,4}"
_URL: Final = r"[^\s:/@\"'\[\]]"


_SURER: Final = {"s.": r"s\.[a-z0-9][a-z0-9][a-z0-9][a-z0-9][a-z0-9][a-z0-9]"}
"""Words of gitleaks that stand at the end of many a sentence, with what comes behind them in a secret."""


def _rule(form: SecretForm) -> Rule:
    """A form of gitleaks as a rule: its words are its anchor."""
    anchor = "(?i)" + "|".join(_SURER.get(word, re.escape(word)) for word in form.words)
    groups = re2.compile(form.pattern).groups
    return Rule(
        type="api_key",
        anchor=anchor,
        pattern=form.pattern,
        check=_checked(form),
        score=0.5 if form.name == "generic-api-key" else 0.9,
        edges=False,
        group=form.group or (1 if groups else 0),
        apart=True,
    )


_WORDS: Final = r"^(?:(?:[a-z]{1,14}|v?\d{1,3})(?:[\-_./:]|$)){2,}$"
"""A name made of words: what a cache, a topic or a template is called stands behind ``key`` too."""


def _checked(form: SecretForm) -> Callable[[str], bool] | None:
    if not (form.entropy or form.harmless):
        return None
    harmless = [re2.compile(pattern) for pattern in form.harmless]
    if form.name == "generic-api-key":
        harmless.append(re2.compile(_WORDS))

    def check(secret: str) -> bool:
        return entropy(secret) >= form.entropy and not any(pattern.search(secret) for pattern in harmless)

    return check


_STANDS_FOR: Final = re.compile(
    r"(?i:required|optional|string|str|varchar|text|null|none|nil|undefined|true|false|hidden|changed|expired|invalid"
    r"|missing|incorrect|unset|empty|redacted|masked|\*+|#{3,}|x{3,}|\.{3,})[.!?]?"
    r"|\$[A-Z_][A-Z0-9_]*|(?:os|process\.env|env|getpass|config|settings|self|this|args|request|req|options|opts|params|secrets"
    r"|data|var|local|module|vault)(?:\.[A-Za-z_]\w*)+"
)
"""What is written where a password would stand: its type, its state, or where a program takes it from."""


_SLOT: Final = re.compile(r"\$\{[^}]*\}|\{\{[^}]*\}\}|\{\w+\}|<[^>]*>|\$[A-Z_][A-Z0-9_]*|%\w|[*#]{3,}|x{3,}")
"""What stands in a template in the place of a password."""


def _filled_in(text: str) -> bool:
    """Whether a user and a password are more than the slots of a template."""
    return _SLOT.fullmatch(text.partition(":")[2]) is None


def _told(text: str) -> bool:
    """Whether it is a password, and not a word that stands for one."""
    return _STANDS_FOR.fullmatch(text) is None


def _drawn(text: str) -> bool:
    """Whether a word looks drawn by lot, and not like one of a sentence: with a digit, or a capital inside."""
    return any(character.isdigit() or character.isupper() for character in text[1:]) and not text.isupper()


def _mixed(text: str) -> bool:
    """Whether a value looks made by a machine: with digits in it, and no reference to a variable."""
    return any(character.isdigit() for character in text) and not text.startswith("$")


SECRETS: Final[tuple[Rule, ...]] = (
    Rule(
        type="private_key",
        anchor=r"PRIVATE KEY|LS0tLS1CRUdJTi|AGE-SECRET-KEY-1|PuTTY-User-Key",
        pattern=r"-----BEGIN[ A-Z0-9_\-]{0,60}PRIVATE KEY(?: BLOCK)?-----[^\x00]*?"
        r"(?:-----END[ A-Z0-9_\-]{0,60}PRIVATE KEY(?: BLOCK)?-----|\x00|\z)"
        r"|LS0tLS1CRUdJTi[A-Za-z0-9+/=_\-]{20,}|AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"
        r"|PuTTY-User-Key-File-\d:[^\x00]*?Private-MAC: [0-9a-f]+",
        edges=False,
    ),
    Rule(
        type="jwt",
        anchor=r"ey[A-Za-z0-9_\-]+\.|ZXlK",
        pattern=r"(?:eyJ|\bey)[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*\.[A-Za-z0-9_\-.]*|ZXlK[A-Za-z0-9+/=]{40,}",
        edges=False,
    ),
    Rule(
        type="url_credentials",
        anchor=r"://[^\s/@]*:[^\s/@]+@",
        pattern=rf"[A-Za-z][A-Za-z0-9+.\-]{{1,20}}://({_URL}{{0,256}}:[^\s/@\"'\[\]]{{1,256}})@",
        check=_filled_in,
        edges=False,
        group=1,
    ),
    Rule(
        type="password",
        anchor=r"(?i)bearer|basic|dpop|authorization",
        pattern=r"(?i:(?:bearer|dpop|basic)(?:\s|%20|\+){1,8})([A-Za-z0-9._~+/=%\-]{12,})",
        check=lambda text: not text.isalpha(),
        edges=False,
        group=1,
    ),
    Rule(
        type="password",
        anchor=r"(?i)passw|passphrase|pwd|passcode",
        pattern=rf"(?i:(?:password|passwd|passphrase|passcode|pwd){_SAYS})([^\s\"'\\,;&<>{{}}()\[\]\x00]{{3,128}})",
        check=_told,
        score=0.8,
        edges=False,
        group=1,
    ),
    Rule(
        type="password",
        anchor=r"(?i)--[a-z\-]*(?:pass|secret|token|key)",
        pattern=r"(?i:--(?:[a-z]+-){0,2}(?:password|passwd|passphrase|secret|token|api-?key))[ \t]{1,3}"
        r"[\"']?([^\s\"'\\,;&<>{}()\[\]\x00|\-$][^\s\"'\\,;&<>{}()\[\]\x00|]{5,127})",
        check=_drawn,
        score=0.7,
        edges=False,
        group=1,
    ),
    Rule(
        type="password",
        anchor=r"(?i)secret|token|key|credential",
        pattern=rf"(?i:(?:secret|token|credential|(?:api|access|private|secret|auth|account)[_\- ]?key){_SAYS})"
        r"([A-Za-z0-9_.~+/=\-%|!$#*^@]{8,256})",
        check=_mixed,
        score=0.7,
        edges=False,
        group=1,
    ),
    *(
        Rule(type="api_key", anchor=anchor, pattern=pattern, edges=False)
        for anchor, pattern in (
            ("A(?:KI|SI|BI|CC)A|A3T", r"\b(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
            ("gh[pousr]_|github_pat_", r"gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}"),
            ("gl[a-z]+-", r"gl(?:pat|oas|ptt|rt|cbt|dt|ft|soat|imt|agent|ffct)-[A-Za-z0-9_.\-]{20,}"),
            ("npm_|pypi-|dckr_|hf_|dop_v1|shp", r"npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_\-]{50,}|hf_[A-Za-z0-9]{30,}"),
            ("dckr_pat_|dop_v1_|doo_v1_", r"dckr_pat_[A-Za-z0-9_\-]{20,}|do[op]_v1_[a-f0-9]{60,}"),
            ("shp[a-z]+_", r"shp(?:at|ca|pa|ss)_[a-zA-Z0-9]{32}"),
            ("tskey-", r"tskey-[a-z]+-[A-Za-z0-9]{6,}-[A-Za-z0-9]{6,}"),
            ("xox[a-z]|xapp-", r"xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9\-]{10,}|xapp-\d-[A-Z0-9]+-\d+-[a-z0-9]+"),
            ("AIza|ya29|GOCSPX", r"AIza[A-Za-z0-9_\-]{30,}|ya29\.[A-Za-z0-9_\-]{20,}|GOCSPX-[A-Za-z0-9_\-]{20,}"),
            ("sk-|k_(?:live|test|prod)_", r"\bsk-[A-Za-z0-9_\-]{20,}|[srp]k_(?:live|test|prod)_[A-Za-z0-9]{10,}"),
            ("SG\\.|key-", r"SG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}|\bkey-[0-9a-f]{32}\b"),
            ("hooks\\.slack|discord", r"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9+/]{20,}"),
            ("webhooks/", r"https://(?:ptb\.|canary\.)?discord(?:app)?\.com/api/webhooks/\d+/[A-Za-z0-9_\-]{40,}"),
            ("hv[sb]\\.", r"\bhv[sb]\.[A-Za-z0-9_\-]{24,}"),
            ("EAA[A-Z]", r"EAA[A-Z][A-Za-z0-9]{40,}"),
            (
                "whsec_|NRAK-|sbp_|r8_",
                r"whsec_[A-Za-z0-9+/=]{24,}|NRAK-[A-Z0-9]{27}|sbp_[a-f0-9]{40}|\br8_[A-Za-z0-9]{37}",
            ),
            (
                "sq0[a-z]+-|figd_|gsk_",
                r"sq0[a-z]{3}-[A-Za-z0-9_\-]{22,}|figd_[A-Za-z0-9_\-]{30,}|\bgsk_[A-Za-z0-9]{40,}",
            ),
            ("xai-|:AA", r"\bxai-[A-Za-z0-9]{60,}|\b\d{8,10}:AA[A-Za-z0-9_\-]{33}"),
            ("AccountKey=|SharedAccess", r"(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40,}={0,2}"),
        )
    ),
    *(_rule(form) for form in GITLEAKS),
)
