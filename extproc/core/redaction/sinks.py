"""The two ends of a walk: one gathers the texts that are to be searched, the other gives what stands for them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final, TypeAlias

from extproc.core.masking import FIELD, OPAQUE, Mask, Style
from extproc.core.model import Json
from extproc.core.redaction.fields import Claim, Place
from extproc.core.redaction.marks import strictest
from extproc.core.redaction.rules import Rules
from extproc.core.redaction.spans import Answer, Span
from extproc.core.wire import strict_json

__all__ = ["Answering", "Gathering", "Key"]

Key: TypeAlias = tuple[str, str, Place]
"""A text, the name of the member it stands under, and its place among the paths."""

_REDACT: Final = Mask()
_TAGS: Final = {bool: "b", int: "n", float: "n"}


class Gathering:
    """Keeps every text; everything comes back as it was."""

    __slots__ = ("_rules", "keys", "names", "owes")

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.names: dict[str, bool] = {}
        self.keys: Final[list[Key]] = []
        self.owes = False
        """Whether something is masked wherever it stands: what a path names, or bytes that must not pass."""

    def text(self, text: str, name: str, place: Place) -> str:
        """Keep a text."""
        if text:
            self.keys.append((text, name, place))
        return text

    def learn(self, name: str) -> None:
        """Keep the name of a member."""
        self.names[name] = False
        if name:
            self.keys.append((name, "", self._rules.nowhere))

    def name(self, name: str) -> str:
        """Nothing yet."""
        return name

    def number(self, number: float, name: str) -> Json:
        """Keep the digits of a number."""
        digits = self._rules.digits(number)
        if digits is not None:
            self.keys.append((digits, name, self._rules.nowhere))
        return number

    def claimed(self, value: Json, claim: Claim) -> Json:
        """Keep a claimed text where another rule may ask for more."""
        self.owes = True
        if value and value.__class__ is str and self._rules.may_overrule(claim):
            self.keys.append((value, "", self._rules.nowhere))
        return value

    def opaque(self) -> str:
        """Nothing yet."""
        self.owes = True
        return ""


class Answering:
    """Gives what stands for each text, number and claimed value, and counts what was masked by type.

    ``touched`` are the texts that do not stay as they are under every member; all others have no answer.
    """

    __slots__ = ("_answers", "_counts", "_given", "_rules", "_touched", "names")

    def __init__(self, rules: Rules, answers: Mapping[Key, Answer], touched: Collection[str]) -> None:
        self._rules, self._answers, self._touched = rules, answers, touched
        self.names: dict[str, bool] = {}
        self._counts: Final[Counter[str]] = Counter()
        self._given: Final[list[Answer]] = []
        """Each answer as often as it was given; most are the same few, and counted together."""

    @property
    def counts(self) -> Counter[str]:
        """What was masked so far, by type."""
        counts = self._counts.copy()
        answers = {id(answer): answer for answer in self._given}
        for number, times in Counter(map(id, self._given)).items():
            for kind, found in answers[number].counts.items():
                counts[kind] += found * times
        return counts

    @property
    def stays(self) -> bool:
        """Whether no text is to be changed."""
        return not self._touched

    def text(self, text: str, name: str, place: Place) -> str:
        """What stands for a text."""
        if text not in self._touched:
            return text
        answer = self._answers.get((text, name, place))
        if answer is None or answer.text == text:
            return text
        self._given.append(answer)
        return answer.text

    def learn(self, name: str) -> None:
        """Say whether the name of a member changes."""
        self.names[name] = name in self._touched and (name, "", self._rules.nowhere) in self._answers

    def name(self, name: str) -> str:
        """What stands for the name of a member: a mark of the whole where an operator's words would be in it.

        Such words may say what is under a name, or be a name that a path names, and the value is masked for that.
        """
        masked = self.text(name, "", self._rules.nowhere)
        if masked is name or not self._rules.marks.replaces(masked):
            return masked
        spans = self._answers[name, "", self._rules.nowhere].spans
        return self._rules.marks.of(name, _widest(spans).kind if spans else FIELD, _REDACT)

    def number(self, number: float, name: str) -> Json:
        """What stands for a number: itself, or the mark of the whole."""
        digits = self._rules.digits(number)
        if digits is None or digits not in self._touched:
            return number
        answer = self._answers.get((digits, name, self._rules.nowhere))
        if answer is None or not answer.spans:
            return number
        widest = _widest(answer.spans)
        self._counts[widest.kind] += 1
        return self._rules.marks.of(digits, widest.kind, strictest(mask for mask, _ in widest.wanted), tag="n")

    def claimed(self, value: Json, claim: Claim) -> Json:
        """What stands for a value that a path names; nothing and the empty text tell nothing, and stay."""
        if value is None or value == "":
            return value
        marks = self._rules.marks
        if value.__class__ is str:
            text, tag, mask = value, "s", self._strictest(value, claim)
            if marks.covers(value, mask.style):
                return value
        else:
            text, tag, mask = strict_json.encode(value).decode(), _TAGS.get(value.__class__, "j"), claim.mask
            if mask.style is Style.KEEP_LAST and tag != "n":  # the end of a list is a whole value
                mask = _REDACT
        masked = marks.of(text, FIELD, mask, tag=tag)
        if masked == value:
            return value
        self._counts[FIELD] += 1
        return masked

    def opaque(self) -> str:
        """The mark of bytes that must not pass."""
        self._counts[OPAQUE] += 1
        return self._rules.marks.of("", OPAQUE, _REDACT)

    def _strictest(self, text: str, claim: Claim) -> Mask:
        answer = self._answers.get((text, "", self._rules.nowhere))
        if answer is None or not self._rules.may_overrule(claim):
            return claim.mask
        others = [mask for span in answer.spans for mask, rule in span.wanted if rule not in claim.rules]
        if answer.counts and not answer.spans:  # found in a document or a run inside
            others.append(_REDACT)
        return strictest([claim.mask, *others])


def _widest(spans: Sequence[Span]) -> Span:
    return max(spans, key=lambda span: span.end - span.start)
