"""What stands on record for a value: keyed, named by its key, and the same however the value came."""

import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from extproc.core import audit
from extproc.core.audit.digests import Digests, RunningDigest

KEY = b"k" * 32
DIGESTS = Digests(KEY)


def test_a_digest_is_the_mac_of_the_canonical_value_and_names_its_key():
    label, name, digits = DIGESTS.of({"b": 1, "a": 2}).split(":")
    assert (label, digits) == ("hmac-sha256", hmac.digest(KEY, b'{"a":2,"b":1}', hashlib.sha256).hex())
    assert DIGESTS.of({"a": 2, "b": 1}) == DIGESTS.of({"b": 1, "a": 2})
    assert DIGESTS.prefix == f"hmac-sha256:{name}:" != Digests(b"o" * 32).prefix


def test_whoever_has_no_key_cannot_try_his_guesses():
    guessed = hashlib.sha256(audit.encode({"ssn": "123-45-6789"})).hexdigest()
    assert guessed not in DIGESTS.of({"ssn": "123-45-6789"})
    assert DIGESTS.of({"ssn": "123-45-6789"})[-64:] != Digests(b"o" * 32).of({"ssn": "123-45-6789"})[-64:]


def test_the_name_of_a_key_tells_nothing_of_it():
    assert KEY.hex()[:8] not in DIGESTS.prefix
    assert KEY.decode() not in repr(DIGESTS)


@given(st.lists(st.binary(max_size=40)))
def test_pieces_have_the_digest_of_the_whole(pieces):
    running = RunningDigest(DIGESTS)
    for piece in pieces:
        running.update(piece)
    assert running.said() == DIGESTS.of_bytes(b"".join(pieces))
