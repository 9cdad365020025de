import base64
import json
import time
from dataclasses import replace

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from extproc.core.identity.key_sets import Key, read_key_set
from extproc.core.identity.tokens import KEY_UNKNOWN, Memory, VerifiedToken, check_header, open_signed, verify
from extproc.core.model import Issuer
from extproc.core.rejection import Rejection
from signing import CORP, NOW, b64, claims, jwk, jws, key_set, private_key, token

KINDS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


def keys_of(*kinds: str, variant: int = 0) -> tuple[Key, ...]:
    read = read_key_set(key_set(*(jwk(private_key(kind, variant), kid=kind) for kind in kinds)))
    assert isinstance(read, tuple)
    return read


def judge(given_token: str, *kinds: str, now: float = NOW, issuers: tuple[Issuer, ...] = (CORP,)):
    return verify(given_token, issuers, {"corp": keys_of(*(kinds or ("ES256", "RS256")))}, now=now)


def reason(given_token: str, *kinds: str, now: float = NOW) -> str:
    verified = judge(given_token, *kinds, now=now)
    assert isinstance(verified, Rejection), verified
    assert (verified.status, verified.code, verified.challenge) == (401, 1403, None)
    return verified.reason


def forged(header: bytes | dict, payload: bytes | dict | None = None, signature: bytes = b"signature") -> str:
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    payload = payload if isinstance(payload, bytes) else json.dumps(payload or claims()).encode()
    return f"{b64(header)}.{b64(payload)}.{b64(signature)}"


def signed(header: bytes | dict, payload: bytes | dict | None = None) -> str:
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    payload = payload if isinstance(payload, bytes) else json.dumps(payload or claims()).encode()
    return jws(header, payload, private_key("ES256"), "ES256")


@pytest.mark.parametrize("alg", KINDS)
def test_a_token_signed_by_the_issuers_key_is_verified(alg):
    verified = judge(token(alg, header={"kid": alg}), alg)
    assert isinstance(verified, VerifiedToken)
    assert verified.issuer is CORP
    assert verified.claims["sub"] == "ann"
    assert verified.header["alg"] == alg
    assert verified.expires_at == NOW + 600


def test_the_clock_is_the_one_that_is_handed_in():
    assert abs(time.time() - NOW) > 1000
    assert isinstance(judge(token()), VerifiedToken)
    assert reason(token(), now=NOW + 700) == "token_expired"


@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "NONE", ""])
@pytest.mark.parametrize("signature", [b"", b"x"])
def test_an_unsigned_token_is_refused(alg, signature):
    assert reason(forged({"alg": alg}, signature=signature)) in {"token_algorithm", "token_form"}


@pytest.mark.parametrize(
    "alg", ["HS256", "HS384", "HS512", "ES256K", "RSA-OAEP", "dir", "es256", None, 7, ["ES256"], ...]
)
def test_an_algorithm_outside_of_the_list_is_refused(alg):
    header = {} if alg is ... else {"alg": alg}
    assert reason(signed(header)) == "token_algorithm"


def test_a_public_key_used_as_a_shared_secret_is_refused_in_every_form():
    public = private_key("RS256").public_key()
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = public.public_bytes(serialization.Encoding.PEM, spki)
    secrets = [
        pem,
        pem.strip(),
        public.public_bytes(serialization.Encoding.DER, spki),
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1),
        json.dumps(jwk(private_key("RS256"))).encode(),
    ]
    for secret in secrets:
        signing_input = (
            f"{b64(json.dumps({'alg': 'HS256', 'kid': 'RS256'}).encode())}.{b64(json.dumps(claims()).encode())}"
        )
        mac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(signing_input.encode(), secret)
        assert reason(f"{signing_input}.{b64(mac)}") == "token_algorithm"


def test_an_algorithm_that_is_not_its_keys_own_is_refused():
    assert reason(token("RS256", header={"kid": "ES256"})) == "token_algorithm"
    assert reason(token("ES256", header={"kid": "RS256"})) == "token_algorithm"
    pinned = read_key_set(key_set(jwk(private_key("RS256"), kid="k", alg="RS256")))
    ps256 = jws(b'{"alg": "PS256", "kid": "k"}', json.dumps(claims()).encode(), private_key("RS256"), "PS256")
    assert isinstance(pinned, tuple)
    refusal = verify(ps256, (CORP,), {"corp": pinned}, now=NOW)
    assert isinstance(refusal, Rejection)
    assert refusal.reason == "token_algorithm"


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512"])
def test_a_signature_of_zeros_is_refused(alg):
    size = {"ES256": 64, "ES384": 96, "ES512": 132}[alg]
    for signature in (bytes(size), bytes(size - 1), bytes(size + 1), b"\x30\x06\x02\x01\x00\x02\x01\x00"):
        assert reason(forged({"alg": alg, "kid": alg}, signature=signature), alg) == "token_signature"


def test_a_signature_in_der_is_refused():
    header, payload = b'{"alg":"ES256","kid":"ES256"}', json.dumps(claims()).encode()
    signing_input = f"{b64(header)}.{b64(payload)}"
    der = private_key("ES256").sign(signing_input.encode(), ec.ECDSA(hashes.SHA256()))
    assert reason(f"{signing_input}.{b64(der)}") == "token_signature"


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_token_signed_by_another_key_of_the_same_kind_is_refused(alg):
    assert reason(token(alg, variant=1), alg, "ES384") == "token_signature"


def test_changed_claims_are_refused():
    header, _, signature = token().split(".")
    assert reason(f"{header}.{b64(json.dumps(claims(sub='sam')).encode())}.{signature}") == "token_signature"


@pytest.mark.parametrize(
    "parameter",
    [
        {"jwk": jwk(private_key("ES256", 1))},
        {"jku": "https://idp.example.com@evil.example/keys"},
        {"jku": "http://169.254.169.254/latest"},
        {"x5u": "https://evil.example/c.pem"},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"]},
        {"crit": []},
        {"b64": False},
        {"b64": True},
        {"zip": "DEF"},
        {"enc": "A128GCM"},
        {"cty": "JWT"},
        {"jku": None},
    ],
)
def test_a_header_that_brings_a_key_or_changes_what_is_signed_is_refused(parameter):
    assert reason(signed({"alg": "ES256", "kid": "ES256", **parameter})) == "token_header"


@pytest.mark.parametrize(
    "typ",
    ["id+jwt", "logout+jwt", "dpop+jwt", "oauth-id-jag+jwt", "secevent+jwt", "JOSE", "text/jwt", "", None, 7, ["JWT"]],
)
def test_a_token_of_another_type_is_refused(typ):
    assert reason(token(header={"typ": typ})) == "token_type"


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/JWT", ...])
def test_an_access_token_may_name_its_type_or_not(typ):
    assert isinstance(judge(token(header={"typ": typ})), VerifiedToken)


@pytest.mark.parametrize("kid", ["../../dev/null", "' UNION SELECT 1", "|id", "a\x00", "", "x" * 8000, "RS256 "])
def test_an_unknown_key_name_is_refused_and_nothing_else_happens(kid):
    assert reason(token(header={"kid": kid})) == KEY_UNKNOWN


@pytest.mark.parametrize("kid", [None, 7, ["ES256"], {"a": 1}])
def test_a_key_name_that_is_no_string_is_refused(kid):
    assert reason(token(header={"kid": kid})) == "token_header"


def test_a_token_must_name_its_key_where_the_issuer_has_several():
    assert reason(token(header={"kid": ...})) == "token_key_unnamed"
    assert isinstance(judge(token(header={"kid": ...}), "ES256"), VerifiedToken)


def test_a_single_key_without_a_name_serves_a_token_that_names_one():
    unnamed = read_key_set(key_set(jwk(private_key("ES256"))))
    assert isinstance(unnamed, tuple)
    assert isinstance(verify(token(header={"kid": "any"}), (CORP,), {"corp": unnamed}, now=NOW), VerifiedToken)
    two = read_key_set(key_set(jwk(private_key("ES256")), jwk(private_key("RS256"), kid="r")))
    assert isinstance(two, tuple)
    refusal = verify(token(header={"kid": "any"}), (CORP,), {"corp": two}, now=NOW)
    assert isinstance(refusal, Rejection)
    assert refusal.reason == KEY_UNKNOWN


def test_without_keys_of_the_issuer_every_token_is_refused():
    for keys in ({}, {"corp": ()}, {"other": keys_of("ES256")}):
        refusal = verify(token(), (CORP,), keys, now=NOW)
        assert isinstance(refusal, Rejection)
        assert refusal.reason == KEY_UNKNOWN


def test_a_key_of_one_issuer_signs_nothing_for_another():
    other = Issuer(name="other", issuer="https://other.example.com", audiences=CORP.audiences, max_token_age=3600)
    keys = {"corp": keys_of("ES256"), "other": keys_of("ES256", variant=1)}
    mixed = token(iss=other.issuer)
    refusal = verify(mixed, (CORP, other), keys, now=NOW)
    assert isinstance(refusal, Rejection)
    assert refusal.reason == "token_signature"
    assert isinstance(verify(token(iss=other.issuer, variant=1), (CORP, other), keys, now=NOW), VerifiedToken)


@pytest.mark.parametrize(
    "changed",
    [
        lambda _: "",
        lambda _: ".",
        lambda _: "..",
        lambda t: t.rpartition(".")[0],
        lambda t: t.rpartition(".")[0] + ".",
        lambda t: t + ".",
        lambda t: "." + t,
        lambda t: t + "." + t,
        lambda t: t + "=",
        lambda t: t.replace(".", "=.", 1),
        lambda t: t + "\n",
        lambda t: " " + t,
        lambda t: t.replace(".", ". ", 1),
        lambda t: t + "+",
        lambda t: t + "/",
        lambda t: t + "\u00e9",
        lambda t: t + "\ud800",
        lambda t: t + "\x00",
        lambda t: t + "," + t,
        lambda t: json.dumps({"payload": t.split(".")[1], "protected": t.split(".")[0], "signature": t.split(".")[2]}),
        lambda t: t + ".a.b",
        lambda _: "A" * 16385,
    ],
)
def test_every_other_spelling_of_a_token_is_refused(changed):
    assert reason(changed(token("EdDSA")), "EdDSA") == "token_form"


def test_trailing_bits_that_no_encoder_writes_are_refused():
    good = token()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = good[:-1] + alphabet[alphabet.index(good[-1]) ^ 1]
    assert base64.urlsafe_b64decode(twin.split(".")[2] + "==") == base64.urlsafe_b64decode(good.split(".")[2] + "==")
    assert reason(twin) == "token_form"


def test_a_length_that_no_encoder_writes_is_refused():
    assert reason(forged(b"{}") + "A" * (-len(b64(b"signature")) % 4 + 1)) == "token_form"


def test_the_longest_token_is_a_bound_and_not_a_cut():
    longest = token(pad="x" * 11000)
    assert len(longest) < 16384
    assert isinstance(judge(longest), VerifiedToken)
    assert reason(token(pad="x" * 12300)) == "token_form"


@pytest.mark.parametrize(
    "header",
    [b"", b"[]", b"null", b'"x"', b'{"alg":"ES256","alg":"ES256"}', b'{"alg":"ES256","\\u0061lg":"none"}', b"\xff{}"],
)
def test_a_header_that_is_no_strict_json_object_is_refused(header):
    assert reason(signed(header)) == "token_form"


@pytest.mark.parametrize(
    "payload", [b"[]", b"null", b"x", b"{} {}", b'{"aud":"a","aud":"b"}', b"\xef\xbb\xbf{}", b'{"exp":NaN}']
)
def test_claims_that_are_no_strict_json_object_are_refused(payload):
    assert reason(signed({"alg": "ES256", "kid": "ES256"}, payload)) == "token_form"


def test_a_nested_token_is_refused():
    assert reason(signed({"alg": "ES256", "kid": "ES256"}, token().encode())) == "token_form"


def test_claims_are_judged_also_under_a_good_signature():
    assert reason(token(aud="urn:other")) == "token_audience"


def test_no_refusal_quotes_the_token():
    for bad in (token(sub="canary\n"), forged({"alg": "canary"}), token(header={"kid": "canary"}), "canary"):
        assert "canary" not in repr(judge(bad))


@given(st.text())
def test_verify_is_total(text):
    assert isinstance(judge(text), Rejection)


@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists),
    st.sampled_from(["alg", "typ", "kid"]),
)
def test_the_header_check_is_total(value, name):
    checked = check_header({"alg": "ES256", name: value})
    assert checked is None or isinstance(checked, Rejection)


def test_a_remembered_token_is_not_verified_twice():
    memory, keys, good = Memory(), {"corp": keys_of("ES256")}, token()
    first = verify(good, (CORP,), keys, now=NOW, memory=memory)
    assert isinstance(first, VerifiedToken)
    assert verify(good, (CORP,), keys, now=NOW + 1, memory=memory) == first
    assert len(memory.signatures) == 1
    assert good.encode() not in memory.signatures


def test_a_remembered_token_still_expires():
    memory, keys, good = Memory(), {"corp": keys_of("ES256")}, token()
    assert isinstance(verify(good, (CORP,), keys, now=NOW, memory=memory), VerifiedToken)
    late = verify(good, (CORP,), keys, now=NOW + 700, memory=memory)
    assert isinstance(late, Rejection)
    assert late.reason == "token_expired"


def test_a_remembered_token_falls_with_its_key():
    memory, good = Memory(), token()
    assert isinstance(verify(good, (CORP,), {"corp": keys_of("ES256")}, now=NOW, memory=memory), VerifiedToken)
    for keys, why in (
        ({}, KEY_UNKNOWN),
        ({"corp": keys_of("RS256")}, KEY_UNKNOWN),
        ({"corp": keys_of("ES256", variant=1)}, "token_signature"),
    ):
        refusal = verify(good, (CORP,), keys, now=NOW, memory=memory)
        assert isinstance(refusal, Rejection)
        assert refusal.reason == why


def test_a_remembered_token_falls_with_its_issuer():
    memory, keys, good = Memory(), {"corp": keys_of("ES256")}, token()
    assert isinstance(verify(good, (CORP,), keys, now=NOW, memory=memory), VerifiedToken)
    strict = replace(CORP, max_token_age=1.0)
    refusal = verify(good, (strict,), keys, now=NOW, memory=memory)
    assert isinstance(refusal, Rejection)
    assert refusal.reason == "token_too_old"


def test_only_what_was_verified_is_remembered():
    memory = Memory()
    header, payload, _ = token().split(".")
    assert isinstance(
        verify(f"{header}.{payload}.{b64(bytes(64))}", (CORP,), {"corp": keys_of("ES256")}, now=NOW, memory=memory),
        Rejection,
    )
    assert not memory.signatures


def test_the_memory_forgets_what_was_used_longest_ago():
    memory, keys = Memory(capacity=2), {"corp": keys_of("ES256")}
    first, second, third = (token(jti=str(number)) for number in range(3))
    verify(first, (CORP,), keys, now=NOW, memory=memory)
    (digest,) = memory.signatures
    for next_token in (second, first, third):
        verify(next_token, (CORP,), keys, now=NOW, memory=memory)
    assert len(memory.signatures) == 2
    assert digest in memory.signatures


UNSUPPORTED = {
    "HS256": "symmetric keys are never accepted",
    "HS384": "symmetric keys are never accepted",
    "HS512": "symmetric keys are never accepted",
    "ES521": "no algorithm has this name",
}
OWN_RULES = {("json_web_signature_test", 346): "the key is published for PS256, the token says PS384"}


@pytest.mark.parametrize("name", ["json_web_signature_test", "json_web_key_test", "json_web_crypto_test"])
def test_the_wycheproof_vectors(corpora, name):
    groups = json.loads((corpora / "wycheproof-jws" / f"{name}.dev.json").read_text())["testGroups"]
    accepted_invalid, refused_valid, accepted_valid = [], [], 0
    for group in groups:
        published = group.get("public") or group["private"]
        members = published.get("keys", [published])
        keys = read_key_set(key_set(*members))
        for case in group["tests"]:
            offered = case.get("jws", case.get("jwe"))
            offered = offered if isinstance(offered, str) else json.dumps(offered)
            opened = isinstance(keys, tuple) and isinstance(open_signed(offered, keys), bytes)
            if case["result"] == "invalid" and opened:
                accepted_invalid.append((case["tcId"], case["comment"]))
            if case["result"] == "valid" and opened:
                accepted_valid += 1
            allowed = members[0].get("alg") in UNSUPPORTED or (name, case["tcId"]) in OWN_RULES or "jwe" in case
            if case["result"] == "valid" and not opened and not allowed:
                refused_valid.append((case["tcId"], case["comment"]))
    assert accepted_invalid == []
    assert refused_valid == []
    assert accepted_valid > 0 or name == "json_web_key_test"


def test_a_signed_text_opens_with_its_key_alone():
    signed = token(header={"kid": "k1"})
    mine = read_key_set(key_set(jwk(private_key("ES256"), kid="k1", alg="ES256")))
    other = read_key_set(key_set(jwk(private_key("ES256", 1), kid="k1", alg="ES256")))
    assert isinstance(mine, tuple)
    assert isinstance(other, tuple)
    assert isinstance(open_signed(signed, mine), bytes)
    assert isinstance(open_signed(signed, other), Rejection)
    assert isinstance(open_signed("nonsense", mine), Rejection)
