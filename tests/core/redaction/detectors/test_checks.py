import pytest

from extproc.core.redaction.detectors import checks


@pytest.mark.parametrize(
    ("number", "good"),
    [("4111111111111111", True), ("4111111111111112", False), ("0000000000000000", False), ("180000826105910", True)],
)
def test_a_card_number_has_its_check_digit(number, good):
    assert checks.card(number) == len(number) * good


def test_entropy_is_in_bits_for_each_character():
    assert checks.entropy("") == 0.0
    assert checks.entropy("aaaa") == 0.0
    assert checks.entropy("abcd") == 2.0


@pytest.mark.parametrize(("number", "good"), [("123-4567", True), ("111-1111", False), ("12345", False)])
def test_a_phone_number_has_seven_to_fifteen_digits(number, good):
    assert checks.phone(number) is good
