import pytest

from extproc.core.redaction.detectors import compile_detectors
from extproc.core.redaction.detectors.national import NATIONAL


@pytest.mark.parametrize("text", ["BG 12 34 56 A", "GB123456A", "ZZ 12 34 56 D"])
def test_a_prefix_that_is_never_given_out_is_no_insurance_number(text):
    assert compile_detectors(("uk_nino",), (), threshold=0.1).find([text]) == [()]


def test_every_number_has_a_check():
    assert all(rule.check is not None for rule in NATIONAL)
