import base64
import re

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from extproc.core.masking import DETECTORS, GROUPS, Find, OwnDetector
from extproc.core.redaction.detectors import BUILT_IN, compile_detectors
from extproc.core.redaction.detectors.rules import Rule

ALL = compile_detectors(DETECTORS, (), threshold=0.5)
WIDE = "\uff14\uff11\uff11\uff11"
KEY = "AKIA" + "IOSFODNN7" + "EXAMPLE"
JWT = "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiJhbm4ifQ." + "c2lnbmF0dXJlLXNpZ25hdHVyZQ"
PEM = "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIEowIBAAKCAQEA\n-----END RSA PRIVATE " + "KEY-----"


def found(text: str, name: str = "") -> list[tuple[str, str]]:
    return [(find.type, text[find.start : find.end]) for find in ALL.find([text], [name])[0]]


@pytest.mark.parametrize(
    ("text", "kind", "what"),
    [
        ("write to ann.o'neil+x@mail.example.co.uk.", "email", "ann.o'neil+x@mail.example.co.uk"),
        ("grüße@müller.example", "email", "grüße@müller.example"),
        ("card 4111 1111 1111 1111.", "credit_card", "4111 1111 1111 1111"),
        ("378282246310005", "credit_card", "378282246310005"),
        ("5555-5555-5555-4444", "credit_card", "5555-5555-5555-4444"),
        ("ssn 536-22-1234", "us_ssn", "536-22-1234"),
        ("social security number 536221234", "us_ssn", "536221234"),
        ("DE89 3704 0044 0532 0130 00", "iban", "DE89 3704 0044 0532 0130 00"),
        ("gb82west12345698765432", "iban", "gb82west12345698765432"),
        ("+44 20 7946 0958", "phone", "+44 20 7946 0958"),
        ("(202) 555-0143", "phone", "(202) 555-0143"),
        ("call me at 0412 345 678", "phone", "0412 345 678"),
        ("from 192.168.7.41, port 22", "ip_address", "192.168.7.41"),
        ("at 2001:db8::8a2e:370:7334 now", "ip_address", "2001:db8::8a2e:370:7334"),
        ("00:1B:44:11:3A:B7", "mac_address", "00:1B:44:11:3A:B7"),
        ("born on 1984-07-12", "date_of_birth", "1984-07-12"),
        ("pay 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "crypto_address", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        ("AB 12 34 56 C", "uk_nino", "AB 12 34 56 C"),
        ("nhs number 943 476 5919", "uk_nhs", "943 476 5919"),
        ("12345678Z", "es_nif", "12345678Z"),
        ("X-1234567-L", "es_nie", "X-1234567-L"),
        ("RSSMRA85T10A562S", "it_fiscal_code", "RSSMRA85T10A562S"),
        ("pesel: 44051401359", "pl_pesel", "44051401359"),
        ("bsn 111222333", "nl_bsn", "111222333"),
        ("390.533.447-05", "br_cpf", "390.533.447-05"),
        ("811218-9876", "se_personal", "811218-9876"),
        ("131052-308T", "fi_personal", "131052-308T"),
        ("756.9217.0769.85", "ch_insurance", "756.9217.0769.85"),
        ("85.07.30-033.28", "be_national", "85.07.30-033.28"),
        ("2345 6789 0124", "in_aadhaar", "2345 6789 0124"),
        (KEY, "api_key", KEY),
        ("ghp_" + "a1B2" * 9, "api_key", "ghp_" + "a1B2" * 9),
        ("sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc", "api_key", "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"),
        (JWT, "jwt", JWT),
        (PEM, "private_key", PEM),
        (PEM[:60], "private_key", PEM[:60]),
        ("postgres://app:hunter2@db/sales", "url_credentials", "app:hunter2"),
        ("Authorization: Bearer 3f7b9c21d8e0455a", "password", "3f7b9c21d8e0455a"),
        ('{"password": "hunter22"}', "password", "hunter22"),
        ("client_secret=9f8e7d6c5b4a39281706", "password", "9f8e7d6c5b4a39281706"),
    ],
)
def test_what_is_personal_or_secret_is_found_whole(text, kind, what):
    assert (kind, what) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The quick brown fox jumps over 13 lazy dogs.",
        "order 12345678 of 2024-01-02, version 10.2.3",
        "4111 1111 1111 1112",
        "1234567890123456",
        "000-12-3456",
        "666-12-3456",
        "DE88 1234 0044 0532 0130 00",
        "1.2.3.4.5",
        "999.1.1.1",
        "https://example.com/a/b?c=d",
        "a@b",
        "the password is required",
        "uuid 123e4567-e89b-12d3-a456-426614174000",
        "sha 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "pesel: 44051401358",
        "token = get_token()",
        "1405-1401",
    ],
)
def test_what_only_looks_like_it_is_left(text):
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (f"{WIDE} {WIDE[1] * 4} {WIDE[1] * 4} {WIDE[1] * 4}", f"{WIDE} {WIDE[1] * 4} {WIDE[1] * 4} {WIDE[1] * 4}"),
        ("٤١١١١١١١١١١١١١١١", "٤١١١١١١١١١١١١١١١"),
        ("4111\u200b1111\u00ad1111\u20601111", "4111\u200b1111\u00ad1111\u20601111"),
        ("4111\u00a01111\u20091111\u202f1111", "4111\u00a01111\u20091111\u202f1111"),
        ("x 4111\u20131111\u20111111\u20141111 y", "4111\u20131111\u20111111\u20141111"),
        ("ann\uff20example.com", "ann\uff20example.com"),
        ("\u0430nn@ex\u0430mple.com", "\u0430nn@ex\u0430mple.com"),
        ("\u202e4111111111111111", "4111111111111111"),
        ("é 4111111111111111", "4111111111111111"),
    ],
)
def test_other_digits_and_what_is_invisible_are_seen_through(text, what):
    assert what in [text[find.start : find.end] for find in ALL.find([text])[0]]


def test_the_name_of_a_member_says_what_a_value_is():
    assert found("open sesame", "db_password") == [("password", "open sesame")]
    assert found("", "password") == []
    assert ("us_ssn", "536221234") in found("536221234", "ssn")
    assert found("536221234", "amount") == []


def test_each_text_gets_its_own_finds():
    texts = ["ann@example.com", "nothing", "é bob@example.com", KEY]
    assert [[find.type for find in finds] for finds in ALL.find(texts)] == [["email"], [], ["email"], ["api_key"]]
    assert ALL.find([]) == []


def test_nothing_is_found_across_two_texts():
    assert ALL.find(["4111 1111", "1111 1111"]) == [(), ()]
    (first, second) = ALL.find([PEM[:50], "nothing of the key"])
    assert [find.type for find in first] == ["private_key"]
    assert second == ()


def test_only_the_wanted_types_are_looked_for():
    emails = compile_detectors(("email",), (), threshold=0.5)
    assert [find.type for find in emails.find([f"ann@example.com {KEY}"])[0]] == ["email"]
    assert compile_detectors((), (), threshold=0.5).find(["ann@example.com"]) == [()]


def test_a_threshold_leaves_out_what_is_less_sure():
    sure = compile_detectors(DETECTORS, (), threshold=0.95)
    assert sure.find(["(202) 555-0143"]) == [()]
    unsure = compile_detectors(DETECTORS, (), threshold=0.3)
    assert unsure.find(["44051401359"])[0]


def test_an_operators_detector_finds_patterns_and_words_and_minds_its_context():
    own = OwnDetector(name="staff_id", patterns=(r"E\d{5}",), words=("Project X",), score=0.8, context=("employee",))
    wanted = compile_detectors(("staff_id",), (own,), threshold=0.5)
    assert wanted.find(["employee E12345"]) == [(Find(9, 15, "staff_id", 0.8),)]
    assert wanted.find(["order E12345"]) == [()]
    assert wanted.find(["E12345"], ["employee_no"])[0]
    always = compile_detectors(("x",), (OwnDetector(name="x", words=("project x",)),), threshold=0.5)
    assert [find.start for find in always.find(["the PROJECT X plan"])[0]] == [4]


def test_what_takes_the_place_of_a_find_is_no_find():
    for kind in DETECTORS:
        assert found(f"[{kind}]") == []


def test_the_names_that_a_policy_may_use_are_those_that_are_found():
    assert {rule.type for rule in BUILT_IN} == set(DETECTORS)
    assert all(set(kinds) <= set(DETECTORS) for kinds in GROUPS.values())
    assert len(GROUPS["national_ids"]) >= 20


@pytest.mark.parametrize("rule", BUILT_IN, ids=lambda rule: rule.type)
def test_an_anchor_stands_wherever_its_pattern_is_found(rule: Rule):
    assert rule.anchor
    assert rule.near >= rule.score or not rule.context


@given(st.lists(st.text(alphabet=st.characters(codec="utf-8", max_codepoint=0x2100), max_size=60), max_size=6))
def test_finds_lie_inside_of_their_texts_whatever_stands_there(texts):
    for text, finds in zip(texts, ALL.find(texts), strict=True):
        assert all(0 <= find.start < find.end <= len(text) for find in finds)


@given(st.text(max_size=80), st.text(max_size=80))
def test_a_text_has_the_same_finds_alone_and_among_others(one, other):
    assert ALL.find([one, other]) == [*ALL.find([one]), *ALL.find([other])]


def test_lone_surrogates_are_no_trouble():
    assert [find.type for find in ALL.find(["\ud800 ann@example.com"])[0]] == ["email"]


@pytest.mark.parametrize("unit", ["4", "a@", "-----BEGIN ", "eyJ", "://", "1-", "password=", "A1", "\u200b4", "(0)"])
def test_a_long_hostile_text_is_searched_to_its_end(unit):
    text = unit * (65536 // len(unit)) + " ann@example.com"
    assert any(find.end == len(text) for find in ALL.find([text])[0])


def test_a_secret_in_base64_is_not_this_room_s_to_open():
    assert found(base64.b64encode(b"ann@example.com").decode()) == []


@pytest.mark.parametrize("rule", [rule for rule in BUILT_IN if not rule.apart], ids=lambda rule: rule.type)
def test_an_anchor_stands_in_every_text_that_its_pattern_finds(rule: Rule) -> None:
    anchor, pattern = re2.compile(rule.anchor), re2.compile(rule.pattern)
    as_python_reads_it = rule.pattern.replace(r"\pL", "a-zA-Z").replace(r"\pN", "0-9").replace(r"\z", r"\Z")

    @settings(max_examples=30)
    @given(st.from_regex(re.compile(as_python_reads_it, re.ASCII), fullmatch=True))
    def holds(text: str) -> None:
        finds = [match[rule.group] for match in pattern.finditer(text)]
        is_one = any(rule.check is None or rule.check(each) for each in finds)
        assert anchor.search(text) is not None or not is_one

    holds()
    assert found("::1") == [("ip_address", "::1")]
