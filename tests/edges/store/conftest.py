"""Each test of the shared store runs on both engines."""

import pytest

from extproc.edges.store.database import open_database
from postgres import postgres_server


@pytest.fixture(scope="session")
def server():
    with postgres_server() as started:
        yield started


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path):
    if request.param == "sqlite":
        return tmp_path / "shared.db"
    return request.getfixturevalue("server").database()


@pytest.fixture
async def database(place):
    opened = open_database(place)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def another(place):
    """The same database as another process sees it."""
    opened = open_database(place)
    await opened.open()
    yield opened
    await opened.close()
