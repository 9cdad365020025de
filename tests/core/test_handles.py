import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.core.handles import KeyRing, Owner, Purpose, digests_of, open_handle, open_path, seal, seal_path
from extproc.core.limits import MAX_HANDLE_CHARS
from extproc.core.model import Principal

OLD, NEW = b"o" * 64, b"n" * 64
RING = KeyRing([NEW, OLD])
ANN = Owner(issuer="https://idp", subject="ann", server="sales-db")
BOB = Owner(issuer="https://idp", subject="bob", server="sales-db")


@given(st.text(max_size=200))
def test_the_owner_gets_back_what_was_sealed(value):
    value = value.encode("utf-8", "replace").decode()
    assert open_handle(RING, Purpose.SESSION, ANN, seal(RING, Purpose.SESSION, ANN, value)) == value


def test_the_same_value_has_the_same_handle_so_that_a_replayed_stream_shows_it_again():
    assert seal(RING, Purpose.EVENT, ANN, "7") == seal(RING, Purpose.EVENT, ANN, "7")


@pytest.mark.parametrize(
    "stranger",
    [
        BOB,
        Owner(issuer="https://other", subject="ann", server="sales-db"),
        Owner(issuer="https://idp", subject="ann", server="hr-db"),
        Owner(issuer="https://idp", subject="ann", server="sales-db", session="s"),
        # the parts are kept apart: moving a character from one to the next is another owner
        Owner(issuer="https://id", subject="pann", server="sales-db"),
    ],
)
def test_a_handle_is_unknown_to_everyone_else(stranger):
    assert open_handle(RING, Purpose.SESSION, stranger, seal(RING, Purpose.SESSION, ANN, "abc")) is None


def test_a_handle_of_one_purpose_is_unknown_under_another():
    assert open_handle(RING, Purpose.REQUEST, ANN, seal(RING, Purpose.SESSION, ANN, "abc")) is None


def test_a_handle_sealed_with_an_older_key_of_the_ring_still_opens():
    assert open_handle(RING, Purpose.SESSION, ANN, seal(KeyRing([OLD]), Purpose.SESSION, ANN, "abc")) == "abc"


def test_a_handle_of_a_key_that_left_the_ring_is_unknown():
    assert open_handle(KeyRing([NEW]), Purpose.SESSION, ANN, seal(KeyRing([OLD]), Purpose.SESSION, ANN, "abc")) is None


def test_a_ring_without_keys_is_refused():
    with pytest.raises(ValueError, match="at least one key"):
        KeyRing([])


def test_a_ring_does_not_show_its_keys():
    assert "nnnn" not in repr(RING)


@given(st.text(max_size=100))
def test_what_nobody_sealed_is_unknown(handle):
    assert open_handle(RING, Purpose.SESSION, ANN, handle) is None


@given(st.integers(min_value=0, max_value=26 * 8 - 1))
def test_a_handle_with_one_bit_changed_is_unknown(bit):
    handle = bytearray(seal(RING, Purpose.SESSION, ANN, "abc").encode())
    handle[bit // 8 % len(handle)] ^= 1 << bit % 8
    assert open_handle(RING, Purpose.SESSION, ANN, handle.decode("latin-1")) is None


def test_a_handle_has_one_spelling():
    handle = seal(RING, Purpose.SESSION, ANN, "ab")
    for other in (handle + "=", handle + "==", handle.replace("-", "+").replace("_", "/") + " ", " " + handle):
        assert open_handle(RING, Purpose.SESSION, ANN, other) is None
    # the unused low bits of the last character must be zero
    spellings = [handle[:-1] + last for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]
    assert [one for one in spellings if open_handle(RING, Purpose.SESSION, ANN, one) is not None] == [handle]


def test_an_overlong_handle_is_unknown_before_it_is_decoded():
    value = "x" * MAX_HANDLE_CHARS
    assert open_handle(RING, Purpose.SESSION, ANN, seal(RING, Purpose.SESSION, ANN, value)) is None


@pytest.mark.parametrize("path", ["/message?sessionId=1", "/messages/", "/m?a=1&b=2"])
def test_an_endpoint_path_opens_for_its_owner_only(path):
    sealed = seal_path(RING, ANN, path)
    assert sealed.startswith(path)
    assert open_path(RING, ANN, sealed) == path
    assert open_path(RING, BOB, sealed) is None


def test_a_sealed_path_cannot_be_changed_or_extended():
    sealed = seal_path(RING, ANN, "/message?sessionId=1")
    assert open_path(RING, ANN, sealed.replace("sessionId=1", "sessionId=2")) is None
    assert open_path(RING, ANN, sealed + "&sessionId=2") is None
    assert open_path(RING, ANN, sealed.replace("&mcp_owner", "&xmcp_owner")) is None
    assert open_path(RING, ANN, "/message?sessionId=1") is None


def test_an_owner_is_the_principal_exactly_as_its_token_says():
    principal = Principal(issuer="https://idp", subject="ann")
    assert Owner.of(principal, "sales-db") == ANN
    assert Owner.of(principal, "sales-db", "s").session == "s"


def test_the_masking_key_is_made_from_the_newest_key_and_is_none_of_them():
    ring = KeyRing([b"n" * 64, b"o" * 64])
    assert ring.masking_key == KeyRing([b"n" * 64]).masking_key != KeyRing([b"o" * 64]).masking_key
    assert len(ring.masking_key) == 32
    assert ring.masking_key.hex() not in repr(ring)


def test_the_key_of_digests_is_made_from_the_newest_key_and_is_none_of_the_others():
    ring = KeyRing([b"n" * 64, b"o" * 64])
    assert ring.digests == digests_of(b"n" * 64) != digests_of(b"o" * 64)
    assert ring.digests.key not in {ring.masking_key, *ring.keys}
    assert ring.digests.key.hex() not in repr(ring)
