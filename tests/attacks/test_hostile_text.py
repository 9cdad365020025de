"""X07, X13: text that is written to be slow to search costs what its length costs, with every detector at once."""

import time
from typing import Final

import pytest

from extproc.core.masking import DETECTORS
from extproc.core.redaction.detectors import compile_detectors

ALL: Final = compile_detectors(DETECTORS, (), threshold=0.5)
HOSTILE: Final = {
    "nested-quantifiers": "a" * 100,
    "digits": "4111111111111111 ",
    "digits-alone": "4" * 100,
    "signs": "@" * 100,
    "addresses-without-end": "a.b-c" * 20,
    "almost-a-key": "-----BEGIN RSA PRIVATE " + "KEY-----\n",
    "almost-a-token": "eyJhbGciOiJ" + "." * 3,
    "wide-digits": "\uff14\uff11" * 50,
    "zero-width": "4\u200b" * 50,
    "assignments": "password = " + '"' * 20,
    "backslashes": "\\" * 100,
}
SIZE: Final = 8 << 10
TIMES: Final = 8


def cost(unit: str, size: int) -> float:
    """The least CPU time of two searches of a text of that size."""
    text = unit * (size // len(unit)) + "!"
    spent = []
    for _ in range(2):
        began = time.process_time()
        ALL.find([text], [""])
        spent.append(time.process_time() - began)
    return min(spent)


@pytest.mark.parametrize("name", HOSTILE)
def test_eight_times_the_text_costs_about_eight_times_as_much(name: str) -> None:
    # what is quadratic would cost 64 times as much; a hundredth of a second is the clock's own doubt
    assert cost(HOSTILE[name], TIMES * SIZE) < 4 * TIMES * max(cost(HOSTILE[name], SIZE), 0.01)
