import pytest

from extproc.core.redaction.detectors import compile_detectors
from extproc.core.redaction.detectors.national import NATIONAL


@pytest.mark.parametrize("text", ["BG 12 34 56 A", "GB123456A", "ZZ 12 34 56 D"])
def test_a_prefix_that_is_never_given_out_is_no_insurance_number(text):
    assert compile_detectors(("uk_nino",), (), threshold=0.1).find([text]) == [()]


def test_every_number_has_a_check():
    assert all(rule.check is not None for rule in NATIONAL)


@pytest.mark.parametrize(
    ("text", "kind", "good"),
    [
        ("960121-1234567", "kr_resident", True),
        ("961321-1234567", "kr_resident", False),
        ("rrn 9601211234567", "kr_resident", True),
        ("1111111G", "es_nif", True),
        ("1111111-G", "es_nif", True),
        ("1111111H", "es_nif", False),
        ("personnummer 200109022392", "se_personal", True),
        ("uen T16RF0037C", "sg_uen", True),
    ],
)
def test_numbers_are_known_in_each_of_their_forms(text, kind, good):
    found = compile_detectors((kind,), (), threshold=0.5).find([text])[0]
    assert bool(found) is good
