"""What stands about in a town, and who paints it."""

from typing import TYPE_CHECKING

from tests.carla_standin.episode import Episode, Piece
from tests.carla_standin.geometry import Transform
from tests.carla_standin.plain import Painter, Plain

if TYPE_CHECKING:
    from tests.carla_standin.server import Server

BUILDING, ROAD, SIGN, STATIC = 3, 1, 8, 20
FIRST_ID = 40001
"""Unreal's own ids of what is no actor of CARLA's."""

PLAIN = (
    ("BP_Apartment04_v05_Opt_2", BUILDING, (40.0, 18.0, 6.0), (8.0, 6.0, 6.0), False),
    ("BP_Apartment02_v04_Opt_5", BUILDING, (62.0, 18.0, 5.0), (8.0, 6.0, 5.0), False),
    ("BP_Apartment01_V03_Opt_7", BUILDING, (40.0, -22.0, 7.0), (9.0, 6.0, 7.0), False),
    ("SM_Banner_Advert_3", STATIC, (25.0, 9.0, 2.5), (0.1, 2.0, 1.0), False),
    ("Road_Road_Town10HD_44", ROAD, (195.0, -1.75, -0.05), (225.0, 6.0, 0.05), True),
    ("BP_TrafficSign_Stop_2", SIGN, (30.0, 5.2, 2.2), (0.05, 0.35, 0.35), True),
)
"""Name, label, middle on the street (ahead, right, up), half sizes, whether it ignores paint."""


def painter_of(server: "Server") -> Painter:
    """Furnish the server's episode and give it its painter."""
    if server.knobs.pictures != "plain":
        # hartsim's studio takes its time to load
        from tests.carla_standin.street import Street

        return Street(server.episode, server.knobs.fine)
    _furnish_plain(server.episode)
    episode = server.episode

    def light() -> float:
        return _light(episode)

    return Plain(episode.boxes, episode.ground_m, light, episode.coats, server.truth)


def _furnish_plain(episode: Episode) -> None:
    for index, (name, tag, place, half, deaf) in enumerate(PLAIN):
        middle = episode.town.start.then(Transform(place))
        episode.pieces.append(Piece(name, tag, middle, half, FIRST_ID + index, deaf))


def _light(episode: Episode) -> float:
    """How light it is: by the sun's altitude and the clouds."""
    altitude, cloud = episode.weather[5], episode.weather[0]
    return max(0.1, min(1.0, 0.25 + altitude / 60)) * (1 - 0.3 * cloud / 100)
