"""No token reaches a recording: by name, by form, once and for all."""

import base64
import copy
import json
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.core.audit import encode
from extproc.core.redaction import tokens
from extproc.core.redaction.tokens import mask, may_tell

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbmEiLCJleHAiOjF9.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nabc==\n-----END RSA PRIVATE KEY-----"
FORMS = [
    (JWT, "[masked:jwt]"),
    (PEM, "[masked:private_key]"),
    ("LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQ==", "[masked:private_key]"),
    ("-----BEGIN PRIVATE KEY-----\nMIIE", "[masked:private_key]"),
    ("Bearer 2YotnFZFEjr1zCsicMWpAA", "Bearer [masked:bearer]"),
    ("bearer%202YotnFZFEjr1zCsicMWpAA", "bearer%20[masked:bearer]"),
    ("Authorization: Basic dXNlcjpwYXNz", "Authorization: [masked:authorization]"),
    ("authorization=Negotiate YIIabcdefghij", "authorization=[masked:authorization]"),
    ("AKIAIOSFODNN7EXAMPLE", "[masked:aws_key]"),
    ("ghp_" + "a1B2" * 9, "[masked:github]"),
    ("github_pat_" + "a1B2_" * 16, "[masked:github]"),
    ("glpat-" + "aB3-" * 5, "[masked:gitlab]"),
    ("npm_" + "a1B2" * 9, "[masked:npm]"),
    ("xoxb-123456789012-abcdefghijkl", "[masked:slack]"),
    ("AIza" + "Sy1_" * 9, "[masked:google]"),
    ("ya29." + "a0Af" * 6, "[masked:google]"),
    ("sk-proj-" + "aB3d" * 8, "[masked:api_key]"),
    ("sk_live_" + "aB3d" * 6, "[masked:api_key]"),
    ("postgres://app:hunter2@db/sales", "postgres://app:[masked:url_password]@db/sales"),
    ("password=hunter2", "password=[masked:password]"),
    ('{"password": "hunter2", "n": 1}', '{"password": "[masked:password]", "n": 1}'),
    ('{\\"passwd\\":\\"hunter2\\"}', '{\\"passwd\\":\\"[masked:password]\\"}'),
    ("password: Bearer abcdefghij", "password: [masked:password] [masked:bearer]"),
    ("export API_KEY=0123456789abcdef", "export API_KEY=[masked:secret]"),
    ("client_secret: 0123456789abcdef", "client_secret: [masked:secret]"),
    ("https://x/?access_token=0123456789abcdef&n=1", "https://x/?access_token=[masked:secret]&n=1"),
]


@pytest.mark.parametrize(("text", "masked"), FORMS)
def test_each_form_is_masked_wherever_it_stands(text, masked):
    assert mask(text) == masked
    assert mask({"a": [{"b": f"see\n{text}"}]}) == {"a": [{"b": f"see\n{masked}"}]}
    assert mask(f"ü {text}") == f"ü {masked}"


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "Password",
        "db_password",
        "PASSWD",
        "authorization",
        "Proxy-Authorization",
        "cookie",
        "Set-Cookie",
        "secret",
        "client_secret",
        "clientSecret",
        "token",
        "accessToken",
        "refresh_token",
        "api_key",
        "apiKey",
        "X-API-Key",
        "private_key",
        "aws.secret.access.key",
        "credentials",
        "Mcp-Session-Id",
    ],
)
def test_a_telling_name_masks_text_and_numbers_under_it(name):
    assert mask({name: "x"}) == {name: "[masked:secret]"}
    assert mask({name: 12345}) == {name: "[masked:secret]"}
    assert mask({name: [1.5, {"deep": "y"}]}) == {name: ["[masked:secret]", {"deep": "[masked:secret]"}]}
    assert mask({name: [None, True, ""]}) == {name: [None, True, ""]}


@pytest.mark.parametrize(
    "value",
    [
        {"sql": "SELECT * FROM customers WHERE id = 7", "limit": 10},
        {"max_tokens": 4096, "tokenizer": "bpe", "_meta": {"progressToken": 7}},
        {"text": "the bearer of this letter, a task-management-system and a skeleton key"},
        {"text": "they.went.away eyes.and.ears", "keyboard": "qwerty"},
        {"n": [1, 2.5, None, True, ""], "uri": "https://example.com:8080/a@b"},
        "tokens and secrets are kept out",
    ],
)
def test_what_is_no_credential_stays_as_it_is(value):
    assert mask(value) == value


def test_clean_values_come_back_as_the_same_object():
    value = {"sql": "select 1", "n": [1, 2]}
    assert mask(value) is value


def test_a_token_in_a_name_is_masked_and_no_member_is_lost():
    first, second = "ghp_" + "a" * 36, "ghp_" + "b" * 36
    masked = mask({first: 1, second: 2, "n": 3})
    assert masked == {"[masked:github]": 1, "[masked:github]#2": 2, "n": 3}
    assert mask(masked) == masked


def test_the_input_is_never_changed():
    value = {"password": "hunter2", "a": [JWT, {"token": "t"}]}
    before = copy.deepcopy(value)
    mask(value)
    assert value == before


def test_every_value_has_an_answer():
    deep: object = JWT
    for _ in range(100_000):
        deep = [deep]
    assert "masked:too_deep" in json.dumps(mask(deep))
    assert mask(MappingProxyType({"token": "t", "n": (1, 2)})) == {"token": "[masked:secret]", "n": [1, 2]}
    assert mask({"n": 2**80, "a": f"\ud800 {JWT}"}) == {"n": 2**80, "a": "? [masked:jwt]"}
    assert mask({1: "password=hunter2"}) == {"1": "password=[masked:password]"}
    assert mask(None) is None
    assert mask(2**80) == 2**80


words = st.text(max_size=12) | st.sampled_from(
    [text for text, _ in FORMS]
    + ["password", "token", "Bearer", "://", "@", ":", "=", " ", "\n", '"', "sk-", "ey", "."]
)
texts = st.lists(words, max_size=6).map("".join)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(texts | st.sampled_from(["password", "X-Api-Key", "n", "progressToken"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(values)
def test_masking_twice_is_masking_once(value):
    once = mask(value)
    assert mask(once) == once


@given(values)
def test_the_quick_look_never_misses_what_the_walk_finds(value):
    assert mask(value) == tokens._walk(value, tokens._FORMS, 0, telling=False)


@given(values)
def test_what_is_encoded_for_the_record_tells_as_much_as_the_value(value):
    assert may_tell(encode(value)) or mask(value) == value


@pytest.mark.parametrize("beside", ["\ud800", 10**40, MappingProxyType({"n": 1}), "\u2028"])
def test_a_token_shows_also_beside_what_is_encoded_in_another_way(beside):
    assert may_tell(encode({"a": beside, "b": f"x {JWT}"}))


@given(
    texts,
    st.sampled_from([JWT, "ghp_" + "a1B2" * 9, "AKIAIOSFODNN7EXAMPLE"]),
    st.sampled_from(["\n", " ", '"', "\t", ""]),
)
def test_a_token_never_survives_between_other_text(text, token, edge):
    assert token not in json.dumps(mask([f"{text}{edge}{token}{edge}"]))


def test_published_examples_of_vendor_tokens_are_masked(corpora):
    # the kinds of the corpus whose every example is a credential of a form or name that this module claims to know
    claimed = {"github", "openai", "anthropic", "stripe", "postgres", "mongodb", "twitter", "linkedin"}
    kept = []
    for line in (corpora / "secrets" / "noseyparker.dev.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        if case["secret"] and case["id"].split(".")[1] in claimed:
            text = base64.b64decode(case["b64"]).decode("utf-8", "replace")
            if mask(text) == text:
                kept.append(case["id"])
    assert kept == []
