"""A bank of plain colours, cut-outs of a plain colour in the cache, and every look to wear."""

import numpy as np
import pytest

from hartsim.adapters.gymnasium.cutouts import Cutout, keep
from hartsim.dataset.bank import BankWriter, Row
from tests.adapters.gymnasium.roads import PICTURES_ID, ROAD_ID, SKY

PICTURES = 12
BOARD_PX, BOARD_COLOUR = (40, 24), (10, 220, 60)


@pytest.fixture(scope="session")
def bank(tmp_path_factory):
    """Backdrop number n is of the single colour (n, 255 - n, 128)."""
    path = tmp_path_factory.mktemp("banks") / "plain"
    with BankWriter(path, {"made for": "tests"}) as writer:
        for kind, size_px in (("backdrop", (48, 64)), ("texture/road", (32, 32))):
            colours = np.array([(n, 255 - n, 128) for n in range(PICTURES)], np.uint8)
            images = [np.broadcast_to(each, (*size_px, 3)).copy() for each in colours]
            rows = [Row("plain", 0, n, "front", "a colour") for n in range(PICTURES)]
            writer.add(kind, images, rows)
    return str(path)


def board(away_m: float) -> Cutout:
    """A green board 2 m high and 1.2 m wide that throws no shadow."""
    height, width = BOARD_PX
    return Cutout(
        image=np.full((*BOARD_PX, 3), BOARD_COLOUR, np.uint8),
        mask=np.ones(BOARD_PX, np.bool_),
        shade=np.full(BOARD_PX, 255, np.uint8),
        behind_m=np.zeros(BOARD_PX, np.float32),
        foot=(width / 2, float(height)),
        px_per_m=height / 2,
        away_m=away_m,
        ground=95.0,
    )


@pytest.fixture(scope="session", autouse=True)
def boards(own_cache):
    """Cut-outs of deer and children that are boards, so that none need be drawn."""
    for kind in ("deer", "child"):
        keep(kind, [(board(6.0), board(12.0))])


LOOKS = ("backdrop", "colour", "feathered", "weather", "glass", "hazard", "visuals")
SCENARIO = """task: driving
scene: {place: highway, weather: fog}
hazards: {deer: {kind: deer, ahead_m: 9}}
vary: {scene.weather: {choice: [rain, fog, snow]}, hazards.deer.left_m: {uniform: [-2, 2]}}
"""


@pytest.fixture(scope="session")
def scenario(tmp_path_factory):
    path = tmp_path_factory.mktemp("scenarios") / "deer.yaml"
    path.write_text(SCENARIO)
    return str(path)


@pytest.fixture(scope="session")
def look_of(bank, scenario):
    """The wrapper's name, its arguments and the environment of each of `LOOKS`."""
    colour = f"colour:#{bytes(SKY).hex()}±3"
    parts = ["backdrop", "hazards", "weather"]
    hazards = {"hazards": ["deer", "child"], "count": 2, "travelled": "travelled_m"}
    table = {
        "backdrop": ("BackdropObservation", {"bank": bank, "mask": "labels:sky"}, ROAD_ID),
        "colour": ("BackdropObservation", {"bank": bank, "mask": colour, "every": 2}, PICTURES_ID),
        "feathered": (
            "BackdropObservation",
            {"bank": bank, "mask": "not labels:car", "feather_px": 2.0},
            ROAD_ID,
        ),
        "weather": ("WeatherObservation", {"weather": "rain"}, ROAD_ID),
        "glass": ("WeatherObservation", {"weather": "lens_drops", "every": "never"}, PICTURES_ID),
        "hazard": ("HazardObservation", hazards, ROAD_ID),
        "visuals": ("HartVisuals", {"scenario": scenario, "bank": bank, "parts": parts}, ROAD_ID),
    }
    assert set(table) == set(LOOKS)
    return lambda look: table[look]
