"""Payloads at rest: who has the identity reads them, who has not sees that something is there."""

import itertools
import json
import subprocess

import pytest

from extproc.core.audit import encode
from extproc.core.audit.begun import SCHEMA_VERSION
from extproc.edges.keys.payload_keys import (
    DATA_KEY_SECONDS,
    PayloadLock,
    make_identity,
    read_identities,
    read_recipients,
    unlocked,
)
from extproc.edges.keys.secret_files import KeyFileError
from schemas import faults_of

SECRET = "078-05-1120"
EVENT = {
    "kind": "decision",
    "at": 7,
    "decision": "d-1",
    "arguments": {"ssn": SECRET},
    "arguments_digest": "ab" * 32,
    "rule": "role:analyst#1",
}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class World:
    """An auditor's pair of keys, and a lock for it."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.id, self.public = make_identity(folder / "auditor.pem")
        self.identities = read_identities([folder / "auditor.pem"])
        self.clock, self.news = Clock(), []
        self.recipients = folder / "recipients.pem"
        self.recipients.write_bytes(self.public.read_bytes())
        self.lock = PayloadLock(self.recipients, told=lambda *news: self.news.append(news), clock=self.clock)

    def later(self, seconds: float = 2.0) -> None:
        self.clock.now += seconds


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


def test_what_is_confidential_is_unreadable_without_the_identity_and_whole_with_it(world):
    locked = world.lock(EVENT)
    raw = encode(locked)
    assert SECRET.encode() not in raw
    assert b"abab" not in raw
    assert (locked["arguments"], locked["arguments_digest"], locked["rule"]) == (None, None, "role:analyst#1")
    assert list(locked["encrypted"]["for"]) == [world.id] == list(world.lock.recipients)
    assert unlocked(json.loads(raw), world.identities) == EVENT
    assert unlocked(locked, {}) is None
    assert not [fault for fault in faults_of({**locked, "schema": SCHEMA_VERSION}) if "encrypted" in fault]


def test_the_same_arguments_are_never_the_same_ciphertext(world):
    assert len({world.lock(EVENT)["encrypted"]["sealed"] for _ in range(100)}) == 100


def test_what_is_not_confidential_stays_the_same_object(world):
    event = {"kind": "stopped", "at": 1, "reason": "x"}
    assert world.lock(event) is event
    assert unlocked(event, world.identities) is None


@pytest.mark.parametrize("change", [{"at": 8}, {"decision": "d-2"}, {"kind": "outcome"}])
def test_a_ciphertext_opens_in_its_own_event_alone(world, change):
    assert unlocked({**world.lock(EVENT), **change}, world.identities) is None


def test_a_changed_ciphertext_does_not_open(world):
    locked = world.lock(EVENT)
    for member, value in itertools.product(
        ("sealed", "for"), ("", "AAAA", "!", None, {world.id: "AAAA"}, {world.id: 1}, 7)
    ):
        wrong = {**locked, "encrypted": {**locked["encrypted"], member: value}}
        assert unlocked(wrong, world.identities) is None


def test_each_recipient_reads_by_himself_and_another_does_not(world, tmp_path):
    _, second = make_identity(tmp_path / "second.pem")
    make_identity(tmp_path / "other.pem")
    world.recipients.write_bytes(world.public.read_bytes() + second.read_bytes())
    world.later()
    locked = world.lock(EVENT)
    assert len(locked["encrypted"]["for"]) == 2
    for name, reads in (("auditor.pem", True), ("second.pem", True), ("other.pem", False)):
        assert (unlocked(locked, read_identities([tmp_path / name])) == EVENT) is reads


def test_rotated_recipients_are_taken_within_a_second_and_told_of(world, tmp_path):
    before = world.lock(EVENT)
    name, public = make_identity(tmp_path / "next.pem")
    world.recipients.write_bytes(public.read_bytes())
    world.later()
    after = world.lock(EVENT)
    assert world.news == [((name,), None)]
    assert unlocked(after, world.identities) is None
    both = read_identities([tmp_path / "auditor.pem", tmp_path / "next.pem"])
    assert unlocked(before, both) == unlocked(after, both) == EVENT


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----\n"])
def test_a_file_that_breaks_later_changes_nothing_and_is_told_of(world, content):
    world.recipients.unlink()
    if content is not None:
        world.recipients.write_bytes(content)
    world.later()
    assert unlocked(world.lock(EVENT), world.identities) == EVENT
    world.later()
    world.lock(EVENT)
    ((ids, problem),) = world.news
    assert ids == (world.id,)
    assert "recipients.pem" in problem


def test_a_data_key_lives_an_hour(world):
    first, again = world.lock(EVENT), world.lock(EVENT)
    assert first["encrypted"]["for"] == again["encrypted"]["for"]
    world.later(DATA_KEY_SECONDS)
    assert world.lock(EVENT)["encrypted"]["for"] != first["encrypted"]["for"]
    assert not world.news


def test_a_private_key_is_no_recipient(tmp_path):
    make_identity(tmp_path / "auditor.pem")
    with pytest.raises(KeyFileError, match="stays with the auditor"):
        read_recipients(tmp_path / "auditor.pem")


def test_too_many_recipients_are_refused(tmp_path):
    keys = [make_identity(tmp_path / f"{n}.pem")[1].read_bytes() for n in range(17)]
    (tmp_path / "all.pem").write_bytes(b"".join(keys))
    with pytest.raises(KeyFileError, match="1 to 16"):
        read_recipients(tmp_path / "all.pem")


def test_an_identity_is_for_its_owner_alone_and_never_overwritten(world, tmp_path):
    assert (tmp_path / "auditor.pem").stat().st_mode & 0o077 == 0
    with pytest.raises(KeyFileError, match="is there already"):
        make_identity(tmp_path / "auditor.pem")
    (tmp_path / "auditor.pem").chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_identities([tmp_path / "auditor.pem"])
    with pytest.raises(KeyFileError, match="no X25519 private key"):
        read_identities([world.public])
    with pytest.raises(KeyFileError, match="cannot be used"):
        read_identities([tmp_path / "missing.pem"])


def test_keys_that_openssl_makes_are_taken(tmp_path):
    private, public = tmp_path / "o.pem", tmp_path / "o.pub"
    try:
        subprocess.run(["openssl", "genpkey", "-algorithm", "x25519", "-out", private], check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    private.chmod(0o600)
    assert read_recipients(public).keys() == read_identities([private]).keys()
