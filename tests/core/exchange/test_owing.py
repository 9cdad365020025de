"""Which responses come here at all, and which are cut."""

import pytest
from msgspec.structs import replace

from asked import message, tool
from extproc.core.exchange.owing import is_cut, owes_response
from extproc.core.masking import Detection, Mask, Masking, Masks
from extproc.core.model import Era, MessageKind, Obligations, Recording

CALL = replace(message(tool("query")), era=Era.MODERN, id=1)
UNRECORDED = Obligations(recording=Recording.NONE)
MASKED = Masks(detections=(Detection(rule="r", types=("email",), mask=Mask()),))


def test_a_call_that_owes_nothing_does_not_come_back_here():
    assert not owes_response(CALL, UNRECORDED)
    assert not owes_response(replace(CALL, id=None), Obligations())


@pytest.mark.parametrize(
    ("call", "obligations", "asked"),
    [
        (replace(CALL, era=Era.LEGACY, id=None), UNRECORDED, False),
        (replace(CALL, id=None), replace(UNRECORDED, masking=Masking(responses=MASKED)), False),
        (CALL, UNRECORDED, True),
        (CALL, replace(UNRECORDED, recording=Recording.DIGEST), False),
        (replace(CALL, method="tools/list"), UNRECORDED, False),
        (replace(CALL, kind=MessageKind.STREAM), UNRECORDED, False),
    ],
    ids=["legacy", "masked", "can be asked", "recorded", "list", "stream"],
)
def test_whatever_owes_something_comes_back_here(call, obligations, asked):
    assert owes_response(call, obligations, can_be_asked=asked)


@pytest.mark.parametrize(
    ("method", "cut"),
    [
        ("tools/list", True),
        ("prompts/list", True),
        ("resources/templates/list", True),
        ("resources/read", True),
        ("completion/complete", True),
        ("subscriptions/listen", True),
        ("tools/call", False),
        ("prompts/get", False),
    ],
)
def test_lists_and_what_names_resources_are_cut(method, cut):
    assert is_cut(replace(CALL, method=method)) is cut
