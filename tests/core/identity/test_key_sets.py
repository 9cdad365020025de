import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from extproc.core.identity.key_sets import ALGORITHMS, KeySetFault, read_key_set
from signing import jwk, key_set, private_key

ROCA_MODULUS = (
    "AanFpofbj7KjD4Lf-N2hVMKR7yewSyXhhbirIMTGpfYEhZ_lnt5UoK98DnKIgArXGTu3MaW_HhFw16HGaTDUHqPrId7fe4r11CqRw09yBFuW79V8"
    "sYIwHdzCaWflUI6auImYbVfoN9_nD5n8N8SY9DwXw7mwZM9wREPXoDPgOoIWl6q_MPsp7n0zs3Z5ZaiQWOOzl1S9OhwAfSiiOwz6efnXEaxuTEtP"
    "d7BjSx7NaFka8Dx9U7YqXy2RFj1O9PjyaDGuRh7YXsX3iMUSP_wSyHQg_c_qHRtKUsNSGCT7OZg0hzm2KphtjnayKJvC64vAbROBR4Ubg6Bxg9IQ"
    "VZ-QYyE"
)


def fault(raw: bytes) -> str:
    read = read_key_set(raw)
    assert isinstance(read, KeySetFault), read
    return read.words


def test_each_key_is_pinned_to_the_algorithms_of_its_own_type_and_curve():
    kinds = {"ES256": {"ES256"}, "ES384": {"ES384"}, "ES512": {"ES512"}, "EdDSA": {"EdDSA"}}
    rsa = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
    members = [jwk(private_key(kind), kid=kind) for kind in [*kinds, "RS256"]]
    keys = read_key_set(key_set(*members))
    assert isinstance(keys, tuple)
    assert {key.kid: key.algorithms for key in keys} == {**kinds, "RS256": rsa}
    assert {alg for key in keys for alg in key.algorithms} == ALGORITHMS


def test_a_key_that_names_its_algorithm_is_pinned_to_that_one():
    keys = read_key_set(key_set(jwk(private_key("RS256"), alg="PS384", use="sig", key_ops=["verify"])))
    assert isinstance(keys, tuple)
    assert keys[0].algorithms == {"PS384"}
    assert keys[0].kid is None


def test_no_symmetric_algorithm_and_no_none_is_ever_permitted():
    assert not any(alg.startswith("HS") or alg.lower() == "none" for alg in ALGORITHMS)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"use": "enc"}, "another use"),
        ({"use": None}, "another use"),
        ({"key_ops": ["encrypt"]}, "another use"),
        ({"key_ops": "verify"}, "another use"),
        ({"d": "AQAB"}, "private or symmetric"),
        ({"k": "c2VjcmV0"}, "private or symmetric"),
        ({"kid": 7}, "kid is no string"),
        ({"alg": "ES384"}, "does not fit"),
        ({"alg": "HS256"}, "does not fit"),
        ({"alg": ["ES256"]}, "does not fit"),
        ({"crv": "secp256k1"}, "not supported"),
        ({"crv": ["P-256"]}, "not supported"),
        ({"crv": ...}, "not supported"),
        ({"kty": "oct"}, "not supported"),
        ({"kty": "OKP"}, "not supported"),
        ({"kty": ["EC"]}, "not supported"),
        ({"kty": ...}, "not supported"),
        ({"x": "AAAA"}, "malformed"),
        ({"x": 5}, "malformed"),
        ({"y": ...}, "malformed"),
        ({"x": jwk(private_key("ES256", 1))["x"]}, "malformed"),
    ],
)
def test_a_key_that_must_not_verify_is_left_out(members, words):
    made = {name: value for name, value in jwk(private_key("ES256"), **members).items() if value is not ...}
    assert words in fault(key_set(made))
    keys = read_key_set(key_set(made, jwk(private_key("ES384"), kid="good")))
    assert isinstance(keys, tuple)
    assert [key.kid for key in keys] == ["good"]


@pytest.mark.parametrize("name", ["n", "e"])
def test_a_malformed_rsa_key_is_left_out(name):
    assert "malformed" in fault(key_set(jwk(private_key("RS256"), **{name: "AQ"})))


def test_a_private_key_published_by_mistake_is_left_out():
    assert "private" in fault(key_set(ECAlgorithm.to_jwk(private_key("ES256"), as_dict=True)))
    assert "private" in fault(
        key_set({**RSAAlgorithm.to_jwk(private_key("RS256"), as_dict=True), "key_ops": ["verify"]})
    )


def test_a_symmetric_key_is_left_out_also_when_it_names_no_key_value():
    assert "not supported" in fault(key_set({"kty": "oct", "kid": "k"}))
    assert "private or symmetric" in fault(key_set({"kty": "oct", "kid": "k", "k": "AAAA"}))


def test_a_short_rsa_key_is_left_out():
    assert "weak" in fault(key_set(jwk(private_key("RSA1024"))))


def test_an_rsa_key_of_the_broken_generator_is_left_out():
    assert "weak" in fault(key_set({"kty": "RSA", "n": ROCA_MODULUS, "e": "AQAB"}))


def test_a_malformed_okp_key_is_left_out():
    assert "malformed" in fault(key_set({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}))


def test_a_member_that_is_no_object_is_left_out():
    assert "no object" in fault(key_set("a string"))


def test_one_name_for_two_keys_is_a_fault():
    assert "share one kid" in fault(key_set(jwk(private_key("ES256"), kid="a"), jwk(private_key("ES384"), kid="a")))


def test_two_keys_without_a_name_are_read():
    keys = read_key_set(key_set(jwk(private_key("ES256")), jwk(private_key("ES384"))))
    assert isinstance(keys, tuple)
    assert [key.kid for key in keys] == [None, None]


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"keys": {}}', b'{"keys": [], "keys": []}', b"\xff"])
def test_what_is_no_key_set_is_a_fault(raw):
    assert fault(raw)


def test_an_empty_set_is_a_fault():
    assert fault(key_set()) == "the key set has no usable key"


def test_a_set_beyond_the_bound_is_a_fault_also_if_it_would_be_usable():
    padded = json.dumps({"keys": [jwk(ec.generate_private_key(ec.SECP256R1()))], "pad": "x" * (1 << 20)}).encode()
    assert "larger" in fault(padded)


def test_a_fault_never_quotes_key_material():
    secret = ECAlgorithm.to_jwk(private_key("ES256"), as_dict=True)
    words = fault(key_set(secret))
    assert secret["d"] not in words
    assert secret["x"] not in words
