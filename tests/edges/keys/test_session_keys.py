import base64
import multiprocessing
import os
import stat
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from extproc.edges.keys.secret_files import KeyFileError, create_once
from extproc.edges.keys.session_keys import KEY_BYTES, SESSION_KEYS, load_session_keys


def line(fill: int, size: int = KEY_BYTES) -> bytes:
    return base64.b64encode(bytes([fill]) * size) + b"\n"


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_the_first_use_makes_one_key_that_only_the_owner_may_read(tmp_path):
    state = tmp_path / "deep" / "state"
    keys = load_session_keys(state)
    assert [len(key) for key in keys] == [KEY_BYTES]
    assert AESSIV(keys[0])
    assert stat.S_IMODE((state / SESSION_KEYS).stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert load_session_keys(state) == keys
    assert names_in(state) == [SESSION_KEYS]


def test_two_state_directories_have_two_keys(tmp_path):
    assert load_session_keys(tmp_path / "a") != load_session_keys(tmp_path / "b")


def test_workers_that_start_together_have_one_key(tmp_path):
    with ProcessPoolExecutor(8, mp_context=multiprocessing.get_context("spawn")) as pool:
        rings = list(pool.map(load_session_keys, [tmp_path / "state"] * 32))
    assert len(set(rings)) == 1
    assert names_in(tmp_path / "state") == [SESSION_KEYS]


def test_a_worker_that_comes_second_reads_the_keys_of_the_first(tmp_path):
    (tmp_path / SESSION_KEYS).write_bytes(line(1))
    (tmp_path / SESSION_KEYS).chmod(0o600)
    create_once(tmp_path / SESSION_KEYS, line(2))
    assert load_session_keys(tmp_path) == (b"\x01" * KEY_BYTES,)
    assert names_in(tmp_path) == [SESSION_KEYS]


def test_the_newest_key_stands_first(tmp_path):
    path = tmp_path / SESSION_KEYS
    path.write_bytes(line(2) + line(1))
    path.chmod(0o640)
    assert load_session_keys(tmp_path) == (b"\x02" * KEY_BYTES, b"\x01" * KEY_BYTES)


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o620, 0o666, 0o644])
def test_a_file_that_others_may_read_or_change_is_refused(tmp_path, mode):
    path = tmp_path / SESSION_KEYS
    path.write_bytes(line(1))
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load_session_keys(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_that_somebody_else_put_there_is_refused(tmp_path):
    path = tmp_path / SESSION_KEYS
    path.write_bytes(line(1))
    path.chmod(0o600)
    os.chown(path, 4711, 4711)
    with pytest.raises(KeyFileError, match="another user"):
        load_session_keys(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        line(1, 63),
        line(1, 65),
        line(1, 32),
        line(1) + b"\n",
        line(1) + b"# note\n",
        b"not base64!\n",
        line(1) + line(1),
        b" " + line(1),
        b"".join(line(number % 256, 64) for number in range(1000)),
    ],
)
def test_a_file_with_anything_else_is_refused_and_not_quoted(tmp_path, content):
    path = tmp_path / SESSION_KEYS
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileError) as error:
        load_session_keys(tmp_path)
    assert str(path) in str(error.value)
    assert "AQEB" not in str(error.value)


def test_a_place_that_cannot_be_used_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder" / SESSION_KEYS).mkdir(parents=True)
    for state in (tmp_path / "file", tmp_path / "folder"):
        with pytest.raises(KeyFileError, match="cannot be used") as error:
            load_session_keys(state)
        assert "\n" not in str(error.value)
