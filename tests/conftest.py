"""Fixtures that every suite may use."""

from pathlib import Path

import pytest
from hypothesis import settings

# a time is no verdict: other loads share the machine
settings.register_profile("here", deadline=None)
settings.load_profile("here")


@pytest.fixture(scope="session")
def corpora() -> Path:
    folder = Path(__file__).resolve().parents[1] / ".." / "shared" / "corpora"
    if not folder.is_dir():
        pytest.skip(f"the shared corpora are not here: {folder}")
    return folder.resolve()
