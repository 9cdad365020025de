"""Fixtures that every suite may use."""

import signal
from pathlib import Path

import pytest
from hypothesis import settings

# where whoever started the tests ignores Ctrl-C (a shell does for what it runs in the background), the programs that
# they start would too
signal.signal(signal.SIGINT, signal.default_int_handler)
# a time is no verdict: other loads share the machine. `make test` tries the same examples each time, so that it says
# something of the change at hand; `make fuzz` looks for new ones
settings.register_profile("here", deadline=None, derandomize=True, database=None)
settings.register_profile("wide", deadline=None, max_examples=2000, print_blob=True, database=None)
settings.load_profile("here")


@pytest.fixture(scope="session")
def corpora() -> Path:
    folder = Path(__file__).resolve().parents[1] / ".." / "shared" / "corpora"
    if not folder.is_dir():
        pytest.skip(f"the shared corpora are not here: {folder}")
    return folder.resolve()
