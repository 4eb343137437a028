import pytest

from hartsim.worlds.embedded import EmbeddedWorld


@pytest.fixture(scope="session")
def road():
    world = EmbeddedWorld("driving", size_px=(128, 128))
    yield world
    world.close()
