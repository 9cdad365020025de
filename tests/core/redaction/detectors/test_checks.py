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


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("AT61 1904 3002 3457 3201 is", 24),
        ("AT611904300234573201", 20),
        ("at61 1904 3002 3457 3201", 24),
        ("AT61 1904 3002 3457 3202", 0),
        ("AT61 1904 3002", 0),
        ("ZZ61 1904 3002 3457 3201", 0),
        ("AT61 1904 30a2 3457 3201", 0),
        ("9961190430023457", 0),
    ],
)
def test_an_account_ends_where_its_country_says(text, length):
    assert checks.account(text) == length


@pytest.mark.parametrize(
    ("text", "length"),
    [("4111 1111 1111 1111 12", 19), ("4111-1111-1111-1111-123", 19), ("4111 1111 1111 1112 12", 0)],
)
def test_a_card_ends_before_its_month_or_code(text, length):
    assert checks.card(text) == length
