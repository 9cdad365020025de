"""Each test of the index runs on both engines."""

import pytest

from edges.store.index.events import Filled
from extproc.edges.store.index.index import Index


@pytest.fixture
async def index(place):
    opened = Index(place)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def filled(index):
    return Filled(index)
