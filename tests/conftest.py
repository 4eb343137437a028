"""What every test can count on: repeatable examples, and markers that skip what cannot run here."""

import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import pytest
from hypothesis import settings

settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")


def has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def has_browser() -> bool:
    return any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))


NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "gpu": (has_gpu, "no CUDA device"),
    "weights": (lambda: find_spec("transformers") is not None, "no transformers: hartsim[weights]"),
    "carla": (lambda: find_spec("carla") is not None, "no CARLA client: hartsim[carla]"),
    "browser": (has_browser, "no Chromium"),
}
"""Per marker: whether what it names is here, and the reason to skip when it is not."""


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, (is_here, reason) in NEEDS.items():
        if item.get_closest_marker(marker) and not is_here():
            pytest.skip(reason)


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing that a test keeps, or finds, is the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARTSIM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def rock(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file of a scenario in which a rock lies in the lane, and the goal is near behind it."""
    path = tmp_path_factory.mktemp("scenarios") / "rock.yaml"
    path.write_text(
        "task: driving\nscene: {place: highway}\nhazards: {rock: {kind: rock, ahead_m: 16}}\n"
        "driving: {speed_mps: 10, traffic: 0, goal_m: 24}\n"
    )
    return str(path)
