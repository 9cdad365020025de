"""All texts of one value, taken apart, searched at once, and put together again.

A text may hold JSON, and that JSON a text that holds base64: it is taken apart to the last text, or said to be
unreadable where that goes too deep. All pieces are searched in one call of the detectors. A piece that was changed is
searched again until nothing is found outside of marks, so masking twice is masking once. What does not come to rest is
unreadable, and of an unreadable text nothing is left. All of it is paid for (``work``): once nothing is left to spend,
the search ends wherever it is, and its answers are worth nothing.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from extproc.core.limits import MAX_MASKING_ROUNDS, MAX_TEXT_DEPTH
from extproc.core.masking import UNREADABLE, Find, Mask
from extproc.core.redaction import embedded, encodings, tree
from extproc.core.redaction.columns import Columns
from extproc.core.redaction.detectors import in_order
from extproc.core.redaction.embedded import Document, Documents
from extproc.core.redaction.encodings import Run, View
from extproc.core.redaction.glance import COMPLEX, Glance
from extproc.core.redaction.names import Names, can_hold
from extproc.core.redaction.rules import Rules
from extproc.core.redaction.sinks import Answering, Gathering, Key
from extproc.core.redaction.spans import Answer, Span, Stretches, replaced, settled, whole_answer
from extproc.core.redaction.work import BYTES_READ, DOCUMENT, ESCAPE, FIND, MARK, RUN, TEXT, TRY_CHARS, Work

__all__ = ["Search"]

_NESTED: Final = Glance(r"[{\[\"]")
"""What a text has that may hold a document."""
_SIMPLE_CHARS: Final = 5
"""A text that is no longer has room for itself alone, or for a shorter one in quotes."""
_REDACT: Final = Mask()


@dataclass(slots=True)
class _Piece:
    """A text without documents that holds more than its characters."""

    depth: int
    runs: tuple[tuple[Run, Key], ...]
    views: tuple[View, ...]


@dataclass(slots=True)
class _Inner:
    """A document in a text, and the texts in it."""

    document: Document
    texts: Sequence[Key] = ()


_Whole = list["Key | _Inner"]
"""A text with documents: in order the words between them, and the documents."""


class Search:
    """The search in one value: ``take`` its texts, ``settle``, then ask for each ``answer``."""

    def __init__(self, rules: Rules, columns: Columns, work: Work) -> None:
        self._rules: Final = rules
        self._columns: Final = columns
        self._work: Final = work
        self._names: Final = rules.names()
        self._seen: set[Key] = set()
        self._fresh: dict[Key, None] = {}
        """What is to be searched."""
        self._open: dict[Key, None] = {}
        """What has no answer yet, in order: what is read for names is counted, and the first are to be read first."""
        self._resolving: set[Key] = set()
        """What is being closed."""
        self._wholes: dict[Key, _Whole] = {}
        self._pieces: dict[Key, _Piece] = {}
        self._spans: dict[Key, tuple[Span, ...]] = {}
        self._answers: dict[Key, Answer] = {}
        self._touched: set[str] = set()
        self._unreadable: Final = Answer(rules.marks.of("", UNREADABLE, _REDACT), Counter((UNREADABLE,)))

    def take(self, keys: Sequence[Key], depth: int = 0) -> None:
        """Answer for the texts whose columns are known; take all others apart, each once."""
        self._work.spend(TEXT * len(keys))
        read: list[Key] = []
        others = keys
        if self._names is not None:  # a shape says nothing of whether words are a name
            others = []
            for key in keys:
                (read if self._is_read(key) and can_hold(key[0]) else others).append(key)
        for key in dict.fromkeys((*read, *self._columns.answer(others, self._close))):
            if key in self._seen:
                continue
            if not self._work.spend(TEXT):
                return
            self._seen.add(key)
            if (len(key[0]) <= _SIMPLE_CHARS and '"' not in key[0]) or not COMPLEX.in_(key[0]):
                self._fresh[key] = None
            elif key[2].inside().leads_on or _NESTED.in_(key[0]):
                self._take_apart(key, depth)
            else:
                self._take_piece(key, depth)

    def settle(self) -> Answering:
        """Search everything that was taken until it rests, and give what answers for it."""
        for _ in range(MAX_MASKING_ROUNDS):
            if self._work.over:
                return self._answering()
            fresh, self._fresh = list(self._fresh), {}
            self._find(fresh)
            for key in tuple(self._open):
                self._resolve(key)
            if not (self._open or self._fresh):
                break
        for key in (*self._fresh, *(key for key in self._open if key not in self._wholes)):
            self._close(key, self._unreadable)
        self._fresh.clear()
        for key in tuple(self._open):
            self._resolve(key)
        return self._answering()

    def _answering(self) -> Answering:
        return Answering(self._rules, self._answers, self._touched)

    def _close(self, key: Key, answer: Answer) -> None:
        self._work.spend(MARK)
        self._answers[key] = answer
        self._open.pop(key, None)
        if answer.text != key[0]:
            self._touched.add(key[0])

    # --- taking apart ------------------------------------------------------------------------------------------------

    def _take_apart(self, key: Key, depth: int) -> None:
        text, name, place = key
        found = embedded.documents(text)
        self._work.spend(found.cost // TRY_CHARS + DOCUMENT * len(found.found))
        whole: _Whole = []
        at = 0
        for document in found.found:
            if at < document.start:
                whole.append((text[at : document.start], name, place))
            whole.append(_Inner(document, []))
            at = document.end
        if at < len(text):
            whole.append((text[at:], name, place))
        if self._hides_fields(key, found, whole) or (found.found and depth >= MAX_TEXT_DEPTH):
            self._close(key, self._unreadable)
        elif not found.found:
            self._take_piece(key, depth)
        else:
            self._wholes[key] = whole
            self._open[key] = None
            for part in whole:
                if isinstance(part, _Inner):
                    gathering = Gathering(self._rules)
                    tree.document(part.document.value, place.inside(), gathering, name)
                    part.texts = gathering.keys
                    self.take(gathering.keys, depth + 1)
                elif part not in self._seen:
                    self._seen.add(part)
                    self._take_piece(part, depth)

    def _hides_fields(self, key: Key, found: Documents, whole: _Whole) -> bool:
        """Whether paths look into a text that could not be read as JSON."""
        if not key[2].inside().leads_on:
            return False
        unread = found.tangled or (not found.found and embedded.looks_like_json(key[0]))
        return unread or any(not isinstance(part, _Inner) and self._rules.names_a_field(part[0]) for part in whole)

    def _take_piece(self, key: Key, depth: int) -> None:
        text, name, place = key
        views = encodings.views(text)
        self._work.spend(ESCAPE * sum(len(view.places) for view in views))
        read = {(run.start, run.end): run for view in views[::-1] for run in self._runs_in(view)}
        read.update({(run.start, run.end): run for run in self._runs(text)})
        runs = tuple((run, (run.text, name, place.inside())) for run in read.values())
        if runs and depth >= MAX_TEXT_DEPTH:
            self._close(key, self._unreadable)
            return
        self._fresh[key] = None
        if runs or views:
            self._open[key] = None
            self._pieces[key] = _Piece(depth, runs, views)
            self.take([inner for _, inner in runs], depth + 1)

    def _runs(self, text: str) -> list[Run]:
        """The runs of a text; the digits of a mark are none."""
        found = encodings.runs(text)
        self._work.spend(len(text) // BYTES_READ + RUN * len(found))
        marks = Stretches(self._rules.marks.spans(text) if found else ())
        return [run for run in found if not marks.holds(run.start, run.end)]

    def _runs_in(self, view: View) -> list[Run]:
        """The runs that show once escapes are read, where they stand in the text."""
        placed = ((run, *view.span(run.start, run.end)) for run in self._runs(view.text))
        return [replace(run, start=start, end=end) for run, start, end in placed]

    # --- searching ---------------------------------------------------------------------------------------------------

    def _find(self, keys: Sequence[Key]) -> None:
        pieces = self._pieces
        viewed = [(key, view) for key in keys if key in pieces for view in pieces[key].views]
        texts = [key[0] for key in keys] + [view.text for _, view in viewed]
        said = self._rules.said
        names = [said(key[1]) for key in keys] + [said(key[1]) for key, _ in viewed]
        finds: Sequence[Sequence[Find]] = self._rules.detectors.find(texts, names, self._work)
        if not self._work.spend(FIND * sum(map(len, finds))):
            return
        if self._names is not None:
            finds = self._with_names(self._names, [*keys, *(key for key, _ in viewed)], texts, finds)
        found: dict[Key, list[Span]] = {}
        for key, each in zip(keys, finds, strict=False):
            if each and not (key not in pieces and self._is_one_value(key, each)):
                found[key] = self._rules.spans(key[0], each)
        for (key, view), each in zip(viewed, finds[len(keys) :], strict=True):
            found.setdefault(key, []).extend(
                Span(*view.span(span.start, span.end), span.kind, span.found, span.wanted)
                for span in self._rules.spans(view.text, each)
            )
        for key, spans in found.items():
            if key in self._answers:  # it could not be read
                continue
            # each bracket may begin a mark, and a mark may be a hash that is made again to see whose it is
            self._work.spend(MARK * key[0].count("["))
            apart = settled(key[0], spans, self._rules.marks)
            if apart:
                self._spans[key] = apart
                self._open[key] = None

    def _is_read(self, key: Key) -> bool:
        """Whether a text is read for names; one of the protocol's or a member's is an identifier without a space."""
        return key[2] is not self._rules.nowhere or " " in key[0]

    def _with_names(
        self, search: Names, keys: Sequence[Key], texts: Sequence[str], finds: Sequence[Sequence[Find]]
    ) -> list[Sequence[Find]]:
        """The finds with the names and places among them; a text that could not be read for these is unreadable."""
        marks = self._rules.marks
        read = [number for number, key in enumerate(keys) if self._is_read((texts[number], *key[1:]))]
        named = search.find([texts[number] for number in read], [marks.spans(texts[number]) for number in read])
        every = list(finds)
        for number, more in zip(read, named, strict=True):
            if more is None:
                self._close(keys[number], self._unreadable)
            elif more:
                every[number] = sorted((*every[number], *more), key=in_order)
        return every

    def _is_one_value(self, key: Key, finds: Sequence[Find]) -> bool:
        """Answer for a text that is found as a whole, as most values of rows are; says whether it was."""
        text, first = key[0], finds[0]
        whole = first.start == 0 and first.end == len(text) and (len(finds) == 1 or self._rules.wants_alike)
        if not whole or self._rules.marks.is_one(text):
            return False
        spans = self._rules.spans(text, finds[:1])
        if spans:
            self._close(key, whole_answer(spans[0], self._rules.marks))
        return True

    def _resolve(self, key: Key) -> None:
        """Close a text as soon as nothing in it is open; one that leads back to itself stays open."""
        if key in self._fresh or key not in self._open or key in self._resolving:
            return
        whole = self._wholes.get(key)
        self._resolving.add(key)
        answer = self._replaced(key) if whole is None else self._together(key, whole)
        self._resolving.discard(key)
        if answer is not None:
            self._close(key, answer)

    def _rests(self, keys: Iterable[Key]) -> bool:
        """Whether these texts are closed, or can be closed now."""
        for key in [key for key in keys if key in self._open]:
            self._resolve(key)
        return self._open.keys().isdisjoint(keys) and self._fresh.keys().isdisjoint(keys)

    def _replaced(self, key: Key) -> Answer | None:
        spans, piece = self._spans.get(key, ()), self._pieces.get(key)
        runs = () if piece is None else piece.runs
        if not self._rests([inner for _, inner in runs]):
            return None
        answer = replaced(key[0], spans, [(run, self._answers.get(inner)) for run, inner in runs], self._rules.marks)
        if answer.rests or answer.text == key[0]:
            return answer
        following = (answer.text, key[1], key[2])
        self.take((following,), 0 if piece is None else piece.depth)
        if not self._rests((following,)):
            return None
        rest = self._answers.get(following)
        return answer if rest is None else Answer(rest.text, answer.counts + rest.counts, answer.spans)

    def _together(self, key: Key, whole: _Whole) -> Answer | None:
        for part in whole:
            if not self._rests(part.texts if isinstance(part, _Inner) else (part,)):
                return None
        answering = self._answering()
        parts = [
            self._document(key, part.document, answering) if isinstance(part, _Inner) else answering.text(*part)
            for part in whole
        ]
        return Answer("".join(parts), answering.counts)

    def _document(self, key: Key, document: Document, answering: Answering) -> str:
        text, name, place = key
        root = place.inside()
        written = text[document.start : document.end]
        value = tree.document(document.value, root, answering, name)
        if value is document.value:
            return written
        # a path that names the document itself leaves a mark and no JSON
        return value if root.claim is not None else embedded.written(value, written)
