"""The private side of seals: a key goes into its line and comes back, and its signatures are those of its public key."""

import pytest

from extproc.core.audit.notes import open_note, read_key
from extproc.core.audit.seals import checkpoint_text, origin_of, read_signer, signer_from

ONE = signer_from("extproc/n", b"\x01" * 32)


def test_a_signature_is_opened_with_the_public_key():
    text = checkpoint_text(origin=origin_of("extproc/n", "w"), size=0, root=b"\x00" * 32, at=1)
    assert open_note(ONE.sign(text), dict([read_key(ONE.public)])) == text


@pytest.mark.parametrize(
    "text",
    ["", ONE.public, ONE.secret[:-4] + "AAA=", ONE.secret[:-3], "PRIVATE+KEY+a", ONE.secret.replace("+AQ", "+BQ")],
)
def test_what_is_no_private_key_is_none(text):
    assert read_signer(text) is None


def test_a_private_key_comes_back_from_its_line():
    assert read_signer(ONE.secret).public == ONE.public
