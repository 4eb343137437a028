"""A server that someone was at before: with settings, weather and actors that are to stay."""

from tests.carla_standin.episode import Episode
from tests.carla_standin.geometry import Transform, Triple

SETTINGS = [False, False, [True, 0.1], True, 0.02, 5, 250.0, False, 2500.0, 1500.0, False]
WEATHER = [35.0, 10.0, 20.0, 30.0, 110.0, 25.0, 5.0, 20.0, 0.2, 15.0, 0.9, 0.04, 0.05, 1.0]
ACTORS: tuple[tuple[str, Triple, dict[str, str]], ...] = (
    ("vehicle.audi.tt", (150.0, 0.0, 0.3), {"role_name": "autopilot"}),
    ("vehicle.carlamotors.carlacola", (180.0, -3.5, 0.3), {"color": "200,10,10"}),
    ("walker.pedestrian.0004", (140.0, 5.0, 1.0), {}),
    ("static.prop.streetbarrier", (160.0, 3.0, 0.0), {}),
    ("sensor.camera.rgb", (100.0, 0.0, 5.0), {"image_size_x": "64", "image_size_y": "64"}),
)
"""Blueprints, where on the street (ahead, right, up), and attributes."""


def crowd(episode: Episode) -> None:
    """Set up what was there before."""
    episode.settings, episode.weather = list(SETTINGS), list(WEATHER)
    for name, place, told in ACTORS:
        blueprint = episode.blueprint(name)
        base = episode.knobs.attribute_base
        kinds = {each.id: each.type for each in blueprint.attributes}
        order = ("bool", "int", "float", "string", "color")
        given = [[key, base + order.index(kinds[key]), text] for key, text in told.items()]
        at = episode.town.start.then(Transform(place))
        episode.spawn([blueprint.uid, name, given], at)
    for actor in episode.actors.values():
        if actor.blueprint.id == "traffic.traffic_light":
            actor.frozen, actor.light = True, 2
