"""Masking twice is masking once, what comes out is JSON, and a canary is in none of it: whatever is masked, and how.

`make unit` tries a few examples of each, `make fuzz-masking` 20,000.
"""

import os
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extproc.core.masking import Masks
from extproc.core.redaction.masker import Masked, Masker
from extproc.core.rejection import Rejection
from extproc.core.wire import strict_json
from leaks import leaks
from masks import KEY
from sensitive import CANARY, FEW_MASKS, MASKS, documents, encoded, placed, planted, texts

FEW, MANY, TOLD = 30, int(os.environ.get("EXAMPLES", "20000")), 500
VALUES = documents(st.one_of(texts(), st.integers(), st.just(4111111111111111), st.booleans(), st.none()), texts())
PLANTED = documents(planted(CANARY), encoded(st.just(CANARY)))


@cache
def masker(masks: Masks) -> Masker:
    return Masker(masks, KEY)


def rests(mask: Callable[[Any], Masked], value: Any) -> bytes:
    """The masked value as it is written; masked once more, it stays and nothing in it is counted."""
    once = mask(value)
    written = strict_json.encode(once.value)
    read = strict_json.read(written, twins=True)
    assert not isinstance(read, Rejection), read
    assert read.value == once.value
    again = mask(once.value)
    assert again.value == once.value
    assert not again.counts
    return written


def document_rests(value: Any, masks: Masks) -> None:
    rests(masker(masks).document, value)


def message_rests(value: Any, masks: Masks) -> None:
    rests(masker(masks).message, value)


def canary_stays(value: Any, masks: Masks) -> None:
    assert not leaks(rests(masker(masks).message, value), CANARY)


@pytest.mark.parametrize(
    ("examples", "masks"),
    [
        pytest.param(FEW, st.sampled_from(FEW_MASKS), id="few"),
        pytest.param(MANY, st.sampled_from(MASKS), id="many", marks=(pytest.mark.slow, pytest.mark.timeout(6 * 3600))),
    ],
)
@pytest.mark.parametrize(
    ("holds", "values"),
    [
        pytest.param(document_rests, VALUES, id="document"),
        pytest.param(message_rests, placed(VALUES), id="message"),
        pytest.param(canary_stays, placed(PLANTED), id="canary"),
    ],
)
def test_whatever_is_masked_however(
    holds: Callable[[Any, Masks], None], values: st.SearchStrategy[Any], examples: int, masks: st.SearchStrategy[Masks]
) -> None:
    done = 0

    # the few are the same each time: what is new is looked for by whoever asks for many
    @settings(max_examples=examples, derandomize=examples == FEW, suppress_health_check=list(HealthCheck))
    @given(values, masks)
    def holds_for(value: Any, masks: Masks) -> None:
        nonlocal done
        holds(value, masks)
        done += 1
        if done % TOLD == 0:
            sys.stderr.write(f"{holds.__name__}: {done} of {examples}\n")

    holds_for()
