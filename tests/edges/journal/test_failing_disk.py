"""Each system call of the write path fails in turn: refused or there, nothing else, and well again by itself."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from failing_disk import failing_disk

LIFE = Path(__file__).with_name("recorded_life.py")


@pytest.mark.parametrize(
    "every", [pytest.param(6, id="one-fault-a-call"), pytest.param(1, id="all-faults", marks=pytest.mark.slow)]
)
def test_whichever_call_fails_an_event_is_stored_or_refused_and_the_journal_goes_on(tmp_path, every):
    memory = Path("/dev/shm")  # where nobody waits for a real disk
    state = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else tmp_path))
    disk = failing_disk(tmp_path, state)
    files = [tmp_path / "failing_disk.control", tmp_path / "failing_disk.so"]
    tests = Path(__file__).resolve().parents[2]
    ran = subprocess.run(
        [sys.executable, LIFE, state, *files, str(every)],
        capture_output=True,
        text=True,
        env=os.environ | disk.environment | {"PYTHONPATH": str(tests)},
        check=False,
    )
    shutil.rmtree(state)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    print(found["calls"], found["fired"])  # noqa: T201
    assert found["broken"] == []
    for calls in found["calls"].values():
        assert not [kind for kind in ("open", "write", "sync", "rename", "mkdir", "close") if not calls[kind]], calls
    # each way to fail has met calls in both durabilities
    assert len(found["fired"]) == 12
    assert min(found["fired"].values()) > 0
