"""What masking may cost is counted, and what would cost more is left alone, whole and by name."""

import json

import pytest

from extproc.core.limits import MAX_JSON_RESPONSE_BYTES, MAX_MASKING_WORK
from extproc.core.masking import DETECTORS, UNREADABLE, Mask, Masks, Style
from extproc.core.redaction.detectors import compile_detectors
from extproc.core.redaction.masker import Masked, Masker
from extproc.core.redaction.work import Work
from masks import KEY, detect

EVERYTHING = Masks(detections=(detect(*DETECTORS),))
ALL = Masker(EVERYTHING, KEY)
POOR = Masker(EVERYTHING, KEY, budget=4000)
MARK = "[unreadable]"
MAIL = "bob@example.com"


def test_what_is_spent_is_gone():
    work = Work(10)
    assert work.spend(10)
    assert not work.over
    assert not work.spend(1)
    assert work.over


def exhausted(found):
    return found == Masked(value=MARK, counts={UNREADABLE: 1}, exhausted=True)


@pytest.mark.parametrize(
    "unit",
    [
        "4111 1111 1111 1112 ",
        "tax tin nif bsn 123456789 ",
        "://a:",
        '{"a":1} ',
        "ann@example.com ",
        "\\u0061",
        "QUtJQUlPU0ZPRE5ON0VYQU1QTEU\n",
    ],
)
def test_a_text_that_costs_too_much_leaves_nothing_wherever_it_stands(unit):
    text = MAIL + unit * (1 << 13)
    message = {"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": text}]}}
    for found in (POOR.document(text), POOR.params({"arguments": {"a": [text]}}), POOR.message(message)):
        assert exhausted(found)
    assert not POOR.document(MAIL + unit * 4).exhausted


def test_many_values_of_known_columns_cost_something_too():
    using = Masker(EVERYTHING, KEY, budget=20_000)
    few, many = ([{"mail": f"bob{number}@example.com"} for number in range(1000, end)] for end in (1200, 9000))
    assert using.document(few).counts == {"email": 200}
    assert exhausted(using.document(many))
    assert using.document(few).counts == {"email": 200}


def test_a_search_for_which_nothing_is_left_finds_nothing_more():
    detectors = compile_detectors(DETECTORS, (), threshold=0.5)
    text = f"{MAIL} and 4111 1111 1111 1111 " * 50
    whole, some = detectors.find([text])[0], detectors.find([text], None, Work(200))[0]
    assert 0 < len(some) < len(whole)
    assert detectors.find([MAIL], None, Work(-1)) == [()]


def row(number):
    return [
        number,
        f"ann.{number}@example.com",
        f"+49 30 {number}",
        f"536-22-{number % 9000 + 1000}",
        "4111111111111111",
        "DE89370400440532013000",
        "a note of some words that say nothing",
    ]


@pytest.mark.parametrize("style", [Style.REDACT, Style.HASH])
def test_the_largest_response_full_of_personal_data_is_masked(style):
    using = Masker(Masks(detections=(detect(*DETECTORS, mask=Mask(style)),)), KEY)
    size = len(json.dumps(row(1_000_000)))
    # a part of it says what the whole costs, because everything is counted by the piece
    share = 64
    rows = [row(number) for number in range(1_000_000, 1_000_000 + MAX_JSON_RESPONSE_BYTES // size // share)]
    as_text = "\n".join(";".join(map(str, each)) for each in rows)
    assert all(0 < using.document(each).cost * share < MAX_MASKING_WORK for each in (rows, as_text))


def test_the_same_value_costs_the_same_every_time():
    text = " ".join(map(str, row(1_234_567)))
    value = [f"{text} {number}" for number in range(1000, 1300)]
    costs = {Masker(EVERYTHING, KEY).document(value).cost for _ in range(2)}
    assert len(costs) == 1
