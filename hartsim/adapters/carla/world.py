"""CARLA behind the `World` contract: a scene's hazards, weather and cameras in one of its maps.

The world's frame is the ego frame of the setup, which lies on a straight road of the map and leans
as the road does. By default the ego and all that moves follow the laws of the embedded world, put
into place before every tick, so that the same policy drives in both; with `physics` the ego is
CARLA's own car. The server is synchronous meanwhile and ours alone to tick; see `guard.py` for how
it becomes what it was.
"""

import logging
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hartsim.adapters.carla.about import about_rig, about_scene, about_server
from hartsim.adapters.carla.actors import (
    DIPPED,
    Missing,
    Play,
    Stagehand,
    ego_of,
    instance_of,
    is_dark,
    prototypes,
)
from hartsim.adapters.carla.blueprints import Prototype
from hartsim.adapters.carla.capabilities import PAINTING, require
from hartsim.adapters.carla.connection import ServerAddress, client_library, connect
from hartsim.adapters.carla.coordinates import Anchor, Placement, camera_to_carla, placed_within
from hartsim.adapters.carla.frames import frame_of, numbered, picture, sweep_of
from hartsim.adapters.carla.guard import Guard, filled
from hartsim.adapters.carla.overlay import Overlay, overlaid, overlay_of
from hartsim.adapters.carla.replaying import SPARE_TICKS, Log, begin, observe
from hartsim.adapters.carla.rig import COLOUR, Reading, Rig, RigConfig, Silent, stream_name
from hartsim.adapters.carla.roads import (
    Ground,
    Stretch,
    choices,
    map_for,
    road_at,
    stretches_of,
)
from hartsim.adapters.carla.surfaces import SURFACES, Look, Surfaces
from hartsim.adapters.carla.traffic import CAR_M, Car, drive_traffic, placement_of
from hartsim.adapters.carla.weather import conditions_of, weather_numbers
from hartsim.errors import WorldError
from hartsim.scenario.compiled import CameraSetup, CompiledScene, WorldSetup
from hartsim.types import Box3D, Frame, Image, Instance, Pose, Size, State, Vector3
from hartsim.worlds.motion import STILL, carried, drive, overlap, seen_from

logger = logging.getLogger(__name__)

CURRENT = "current"
"""Instead of a map's name: the one on show."""
TICK_S = 0.05
"""CARLA's physics asks for at most a tenth of a second."""
SUBSTEP_S = 0.01
SETTLING_TICKS = 2
"""From the spawning of the last thing to the first moment: always as many, for equal seeds."""
ASTRAY_M = 0.2
"""How far a camera may be from where it should, and a picture's labels still fit it."""
BEHIND_M, BEHIND_PITCH_DEG = (-7.0, 0.0, 4.0), -15.0
"""From where the spectator looks at the ego."""


@dataclass
class Moment:
    """What changes from tick to tick; `collisions` are those of the last step."""

    time_s: float = 0.0
    ego: Pose = STILL
    speed_mps: float = 0.0
    collisions: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Show:
    """What is on show: the setup, where it lies in the map, and the actors that make it up."""

    setup: WorldSetup
    stretch: Stretch
    ego: Any
    ego_size_m: Vector3
    play: Play
    ground: Ground
    traffic: tuple[Car, ...]
    overlay: Overlay
    spectator: int

    @property
    def anchor(self) -> Anchor:
        """The frame of the setup in CARLA's world."""
        return self.stretch.anchor


class CarlaWorld:
    """A CARLA server that implements `World` for driving scenes.

    `map_name` is a map, "current" for the one on show, or empty for one that fits the scene's
    place. `rig` says what is mounted besides the scene's cameras. A tick takes `tick_s`. With
    `traffic` CARLA's Traffic Manager drives as many cars as the scenario's traffic is dense.
    `missing` says what becomes of a thing that CARLA cannot show. `ego` is a vehicle's blueprint,
    empty for the usual one, or any car where the server lacks that. CARLA loses its paint only when
    its map is loaded anew, which every setup after painting does unless the world `keeps_paint`.
    Where it is `repeatable`, nothing that was before decides: neither which map was on show, nor
    what is known to take no paint. With `spectator` the server's own window follows the ego.
    `replays` are recordings to be shown instead, by the key of their scene.

    Connecting changes nothing yet; the first `setup` does. Use it as a context manager, or call
    `close`.
    """

    def __init__(
        self,
        address: ServerAddress | None = None,
        size_px: Size = (256, 256),
        map_name: str = "",
        rig: RigConfig | None = None,
        tick_s: float = TICK_S,
        physics: bool = False,
        traffic: bool = False,
        missing: Missing = "refuse",
        ego: str = "",
        keeps_paint: bool = False,
        repeatable: bool = False,
        spectator: bool = False,
        replays: Mapping[str, Log] | None = None,
    ) -> None:
        if not 0 < tick_s <= 0.1:
            raise WorldError(f"tick_s is {tick_s}, must be above 0 and at most 0.1 s")
        self.size_px, self.tick_s, self.physics = size_px, tick_s, physics
        self._map_name, self._rig_config = map_name, rig or RigConfig()
        self._traffic, self._missing, self._ego = traffic, missing, ego
        self._keeps_paint, self._repeatable = keeps_paint, repeatable
        self._replays: Mapping[str, Log] = replays or {}
        self._log: Log | None = None
        self._spectates = spectator
        self.surfaces: Mapping[str, Size] = dict(SURFACES)
        self._carla = client_library()
        self._connection = connect(address or ServerAddress())
        if map_name not in ("", CURRENT):
            self._connection.require_map(map_name)
        self._guard = Guard(self._connection)
        self._guard.begin()
        self._show: Show | None = None
        self._rig: Rig | None = None
        self._surfaces: Surfaces | None = None
        self._stretches: dict[str, list[Stretch]] = {}
        self._moment = Moment()
        self._recorded = ""
        self._frame, self._readings = 0, dict[str, Reading]()
        self._told, self._boxes_told = False, False

    def __enter__(self) -> "CarlaWorld":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def setup(self, scene: CompiledScene) -> None:
        """Show this scene; whatever was there, paint included, is gone."""
        log = self._replays.get(scene.key)
        if self._replays and log is None:
            raise WorldError(f"there is no recording of {scene.key}")
        self.show(scene.setup, log)

    def show(self, setup: WorldSetup, log: Log | None = None) -> None:
        """Show what a compiled scene asks of its world, or a recording of it."""
        if setup.task != "driving":
            raise WorldError(f"a {setup.task} scene cannot be shown in CARLA, which has streets")
        kinds = prototypes(setup, self._missing)
        began_s = time.monotonic()
        self._clear()
        self._log = log
        name = self._chosen_map(setup)
        self._make_synchronous()
        self._hand = Stagehand(self._connection, self._guard)
        self._moment = Moment(speed_mps=setup.speed_mps)
        if log is None:
            self._show = self._staged_anew(setup, name, self._hand, kinds)
            self._show.play.move(0.0, self._moment.ego)
            self._place()
            for _ in range(SETTLING_TICKS):
                self._tick()
        else:
            self._show = self._replayed(setup, log, self._hand, kinds)
            self._observe()
            self._mount(setup, self._show.ego)
        logger.info(
            "%s: %d actors on a straight of %.0f m, in %.1f s",
            *(name, len(self._show.play.staged), self._show.stretch.length_m),
            time.monotonic() - began_s,
        )

    def _staged_anew(
        self, setup: WorldSetup, map_name: str, hand: Stagehand, kinds: Mapping[str, Prototype]
    ) -> Show:
        """The scene, spawned thing by thing on the best free stretch."""
        stretch, ego = self._spawned_ego(setup, map_name, hand)
        self._set_weather(setup, stretch.anchor)
        size, _ = hand.measured(ego, CAR_M)
        commands = [] if self.physics else [self._carla.command.SetSimulatePhysics(ego.id, False)]
        if is_dark(setup.conditions):
            commands.append(hand.shining(ego.id, DIPPED))
        hand.obey(commands, "to hold the ego")
        # Sensors take now more ticks, now fewer, until all deliver: nothing else moves by then.
        self._mount(setup, ego)
        self._seed(setup)
        with self._connection.asking("for its map"):
            ground = Ground(self._connection.world.get_map(), stretch.anchor)
        play = hand.stage(setup, stretch.anchor, ground, kinds, self._tick)
        traffic = self._traffic_for(hand, setup, stretch, play)
        with self._connection.asking("for its spectator"):
            spectator = self._connection.world.get_spectator().id
        overlay = overlay_of(setup)
        if not (overlay.is_nothing or self._rig_config.labels):
            logger.warning("without labels nothing is added to what CARLA's weather shows")
        return Show(setup, stretch, ego, size, play, ground, traffic, overlay, spectator)

    def _replayed(
        self, setup: WorldSetup, log: Log, hand: Stagehand, kinds: Mapping[str, Prototype]
    ) -> Show:
        """The scene as the server has recorded it, at its first moment, standing still."""
        with self._connection.asking("for its map"):
            carla_map = self._connection.world.get_map()
            ground, road_m = Ground(carla_map, log.anchor), road_at(carla_map, log.anchor)
            spectator = self._connection.world.get_spectator().id
        cast = begin(self._connection, self._guard, hand, log, setup, kinds, ground)
        self._set_weather(setup, log.anchor)
        size, _ = hand.measured(cast.ego, CAR_M)
        stretch = Stretch(log.anchor, 0.0, road_m, 0, False)
        return Show(
            *(setup, stretch, cast.ego, size, cast.play, ground, cast.traffic),
            *(overlay_of(setup), spectator),
        )

    def _clear(self) -> None:
        """Take away what we have put there."""
        self._show = self._rig = None
        self._boxes_told = False
        self._recorded = ""
        if self._guard.found.recording:
            with self._connection.asking("to end its replay"):
                self._connection.client.stop_recorder()
                self._connection.client.stop_replayer(True)
            self._guard.records(False)
        if self._surfaces is not None:
            self._surfaces.forget_spawned()
        self._guard.clear()

    def _chosen_map(self, setup: WorldSetup) -> str:
        shown = self._connection.map_name
        wanted = shown if self._map_name == CURRENT else self._map_name
        if not wanted:
            # Not the one on show: a scene must not depend on which came before it.
            first = "" if self._repeatable else self._guard.found.map_name
            wanted = map_for(setup.conditions.place, first, self._connection.maps())
        if self._log is not None:
            wanted = self._log.map_name
        stained = self._guard.found.painted and not self._keeps_paint
        if wanted != shown or stained:
            self._guard.load(wanted)
            self._surfaces = None
        return wanted

    def _make_synchronous(self) -> None:
        substeps = max(10, math.ceil(self.tick_s / SUBSTEP_S))
        self._apply_settings(
            {
                "synchronous_mode": True,
                "no_rendering_mode": False,
                "fixed_delta_seconds": self.tick_s,
                "substepping": True,
                "max_substep_delta_time": SUBSTEP_S,
                "max_substeps": substeps,
                "deterministic_ragdolls": True,
            }
        )

    def _apply_settings(self, values: Mapping[str, Any]) -> None:
        """Change these settings, unless all are so already: each change costs a hidden tick."""
        with self._connection.asking("to change its settings"):
            world = self._connection.world
            settings = world.get_settings()
            if any(getattr(settings, name) != value for name, value in values.items()):
                world.apply_settings(filled(settings, values))

    def _spawned_ego(
        self, setup: WorldSetup, map_name: str, hand: Stagehand
    ) -> tuple[Stretch, Any]:
        """The ego on the best free stretch."""
        if map_name not in self._stretches:
            with self._connection.asking("for its map"):
                found = stretches_of(self._connection.world.get_map())
            self._stretches[map_name] = found
        blueprint = ego_of(hand.blueprints, self._ego)
        refused: WorldError | None = None
        for stretch in choices(self._stretches[map_name], setup, map_name):
            try:
                ego = hand.spawn(blueprint, {}, "ego", [stretch.anchor.placement])
            except WorldError as error:
                if "in its way" not in str(error):
                    raise
                refused = error
                continue
            return stretch, ego
        assert refused is not None
        raise refused

    def _set_weather(self, setup: WorldSetup, anchor: Anchor) -> None:
        numbers = weather_numbers(conditions_of(setup), anchor)
        with self._connection.asking("to set the weather"):
            world = self._connection.world
            world.set_weather(filled(world.get_weather(), numbers))

    def _seed(self, setup: WorldSetup) -> None:
        """Begin everything that moves by itself in the same way for the same seed."""
        with self._connection.asking("to begin its lights and walkers anew"):
            world = self._connection.world
            world.set_pedestrians_seed(setup.decor_seed % 2**31)
            world.reset_all_traffic_lights()

    def _traffic_for(
        self, hand: Stagehand, setup: WorldSetup, stretch: Stretch, play: Play
    ) -> tuple[Car, ...]:
        if not self._traffic:
            return ()
        points = [STILL.position_m, *(foot.position_m for foot in play.feet.values())]
        avoid = [stretch.anchor.point_to_carla(point) for point in points]
        return drive_traffic(hand, self._connection, self._guard, setup, avoid)

    def _mount(self, setup: WorldSetup, ego: Any) -> None:
        """Put the sensors on the ego, and tick until all have delivered."""
        self._rig = Rig(self._connection, self._guard, self._rig_config)
        cameras = self._rig_config.mounted(setup.cameras)
        self._rig.mount(ego, cameras, self.size_px, self.tick_s)
        self._readings = self._rig.warm_up(self._tick)

    def _staged(self) -> Show:
        if self._show is None:
            raise WorldError("the world shows nothing yet; call setup(scene) first")
        return self._show

    def paint(self, textures: Mapping[str, Image]) -> set[str]:
        """Put textures on surfaces by name; returns those whose pixels were seen to change.

        It takes three ticks to look, during which nothing of ours moves.
        """
        surfaces = self._paintable()
        before = self._look_still(), self._look_still()
        self._wear(surfaces, textures)
        return surfaces.changed(before, self._look_still())

    def showing(self, surfaces: Iterable[str]) -> set[str]:
        """Which of these surfaces some camera sees; nothing is painted for it."""
        return self._paintable().showing(surfaces, Look(self.capture(), self._ego_anchor()))

    def wear(self, textures: Mapping[str, Image]) -> None:
        """Put textures on surfaces by name, without looking whether it shows."""
        self._wear(self._paintable(), textures)
        self._tick()

    def _paintable(self) -> Surfaces:
        self._staged()
        if self._surfaces is None:
            require(self._carla, PAINTING, "painting in CARLA")
            self._surfaces = Surfaces(self._connection, tries_all=self._repeatable)
        if not self._boxes_told:
            self._boxes_told = True
            play = self._staged().play
            for name, unreal in play.unreal.items():
                self._surfaces.add_spawned(unreal, play.staged[name].type_id, name)
        return self._surfaces

    def _wear(self, surfaces: Surfaces, textures: Mapping[str, Image]) -> None:
        self._guard.paints()
        surfaces.apply(textures, self._ego_anchor())

    def _look_still(self) -> Look:
        """What all cameras see after another tick in which nothing of ours moves."""
        self._tick()
        return Look(self.capture(), self._ego_anchor())

    def _ego_anchor(self) -> Anchor:
        """The current ego frame in CARLA's world."""
        ego = self._moment.ego
        return Anchor(*self._staged().anchor.to_carla(ego.position_m, ego.heading_rad))

    def step(self, action: NDArray[np.float64], seconds: float) -> State:
        """Apply an action for a span of simulated time, in ticks of `tick_s`; see `World.step`."""
        self._staged()
        bounded = np.clip(np.asarray(action, np.float64), -1, 1)
        if not (np.isfinite(bounded).all() and seconds > 0):
            raise WorldError(
                f"action is {action} for {seconds} s; step takes finite numbers and some time"
            )
        ticks = round(seconds / self.tick_s)
        if ticks < 1 or abs(ticks * self.tick_s - seconds) > 1e-6:
            raise WorldError(
                f"a step of {seconds} s is not a number of ticks of {self.tick_s} s; take a "
                "multiple, or another tick_s"
            )
        self._moment.collisions = set()
        for _ in range(ticks):
            self._advance(bounded)
        return self.state()

    def _advance(self, action: NDArray[np.float64]) -> None:
        """One tick of driving."""
        show, moment = self._staged(), self._moment
        moment.time_s += self.tick_s
        if self._log is not None:
            self._play_on()
            return
        if self.physics:
            self._control(action)
        else:
            moment.ego, moment.speed_mps = drive(moment.ego, moment.speed_mps, action, self.tick_s)
            x, y, _ = moment.ego.position_m
            moment.ego = replace(moment.ego, position_m=(x, y, show.ground.height_m(x, y)))
        show.play.move(moment.time_s, moment.ego)
        self._place()
        self._tick()
        if self.physics:
            self._follow()
        moment.collisions |= self._touched()

    def _play_on(self) -> None:
        """One tick of a replay, and one in which it stands still under the weather of the scene."""
        show, client = self._staged(), self._connection.client
        with self._connection.asking("to replay on"):
            client.set_replayer_time_factor(1.0)
            self._tick()
            client.set_replayer_time_factor(0.0)
        self._set_weather(show.setup, show.anchor)
        self._tick()
        self._observe()
        self._moment.collisions |= self._touched()

    def _observe(self) -> None:
        """Read where a replay has brought the ego and all things."""
        show, moment = self._staged(), self._moment
        self._follow()
        show.play.move(moment.time_s, moment.ego)
        observe(show.play, self._connection.world.get_snapshot(), show.anchor)

    def _place(self) -> None:
        """Put the ego and all that moves where they are now, without waiting for an answer."""
        show, moment = self._staged(), self._moment
        places = show.play.placements(show.play.moving, show.anchor)
        if not self.physics:
            places[show.ego.id] = show.anchor.to_carla(
                moment.ego.position_m, moment.ego.heading_rad
            )
        if self._spectates:
            behind = show.anchor.to_carla(carried(BEHIND_M, STILL, moment.ego))
            pitch, yaw, roll = show.anchor.to_carla((0.0, 0.0, 0.0), moment.ego.heading_rad)[1]
            places[show.spectator] = Placement(
                behind.location_m, (pitch + BEHIND_PITCH_DEG, yaw, roll)
            )
        # What does not wait keeps its order before the tick: it is one connection.
        self._connection.client.apply_batch(self._hand.moving(places))

    def _control(self, action: NDArray[np.float64]) -> None:
        """Press the pedals and turn the wheel; a positive steering is to the left in ours."""
        steering, pedal = float(action[0]), float(action[1])
        control = self._carla.VehicleControl(max(pedal, 0.0), -steering, max(-pedal, 0.0))
        self._staged().ego.apply_control(control)

    def _follow(self) -> None:
        """Read where CARLA's physics has brought the ego."""
        show = self._staged()
        with self._connection.asking("where the ego is"):
            state = self._connection.world.get_snapshot().find(show.ego.id)
            place, way = placement_of(state.get_transform()), state.get_velocity()
        self._moment.ego = show.anchor.from_carla(*place)
        self._moment.speed_mps = math.hypot(way.x, way.y, way.z)

    def _tick(self) -> int:
        """Let the server take one step; its frame."""
        if self._rig is not None:
            self._rig.drop()
        with self._connection.asking("to take a step"):
            self._frame = self._connection.world.tick(self._connection.address.timeout_s)
        self._readings = {}
        if self._show and not self._connection.world.get_snapshot().has_actor(self._show.ego.id):
            raise WorldError(
                f"the ego is gone from {self._connection.address}: another client destroyed it or "
                "loaded a map"
            )
        return self._frame

    def state(self) -> State:
        """What is so now: poses in the frame of the setup, collisions of the last step."""
        show, moment = self._staged(), self._moment
        return State(
            moment.time_s,
            moment.ego,
            moment.speed_mps,
            show.play.hazards(),
            tuple(sorted(moment.collisions)),
            show.stretch.road_m,
        )

    def obstacles(self) -> dict[str, Box3D]:
        """What can be hit, by name: its box now, in the frame of the setup."""
        return self._staged().play.obstacles() | self._traffic_boxes()

    def _traffic_boxes(self) -> dict[str, Box3D]:
        """The boxes of the cars that the Traffic Manager drives."""
        show = self._staged()
        if not show.traffic:
            return {}
        snapshot = self._connection.world.get_snapshot()
        found = {car.name: car.box(snapshot, show.anchor) for car in show.traffic}
        return {name: box for name, box in found.items() if box is not None}

    def _touched(self) -> set[str]:
        """The names of what the ego's box now shares space with."""
        show, ego = self._staged(), self._moment.ego
        x, y, z = ego.position_m
        own = Box3D((x, y, z + show.ego_size_m[2] / 2), show.ego_size_m, ego.heading_rad)
        return {name for name, box in self.obstacles().items() if overlap(own, box)}

    def capture(self, cameras: Sequence[str] | None = None) -> dict[str, Frame]:
        """What the named cameras (default: all) see now, in the current ego frame."""
        self._staged()
        if not self._rig_config.labels:
            raise WorldError(
                "no labels and depth are mounted (RigConfig(labels=False)), so look() alone works; "
                "an environment has them with labels=True"
            )
        named = self._named(cameras)
        lidars = {each.name: each for each in self._rig_config.lidars}
        wanted = [
            stream_name(camera.name, view) for camera in named for view in self._rig_config.views
        ]
        readings = self._seen([*wanted, *lidars])
        sweep = sweep_of({lidar: readings[name] for name, lidar in lidars.items()})
        actors = self._instances()
        self._check_places(named, readings)
        show, moment = self._staged(), self._moment
        return {
            camera.name: overlaid(
                frame_of(camera, self.size_px, readings, actors, sweep),
                *(show.overlay, moment.ego, moment.time_s),
            )
            for camera in named
        }

    def look(self, cameras: Sequence[str] | None = None) -> dict[str, Image]:
        """The pictures of `capture` alone, in less time."""
        named = self._named(cameras)
        if self._rig_config.labels and not self._staged().overlay.is_nothing:
            return {name: frame.image for name, frame in self.capture(cameras).items()}
        readings = self._seen([stream_name(camera.name, COLOUR) for camera in named])
        return {
            camera.name: picture(readings[stream_name(camera.name, COLOUR)].values)
            for camera in named
        }

    def _named(self, cameras: Sequence[str] | None) -> list[CameraSetup]:
        there = self._rig_config.mounted(self._staged().setup.cameras)
        mounted = {camera.name: camera for camera in there}
        for name in cameras or ():
            if name not in mounted:
                raise WorldError(f"no camera '{name}'; mounted are: {', '.join(mounted)}")
        return [mounted[name] for name in (mounted if cameras is None else cameras)]

    def _seen(self, names: Sequence[str]) -> Mapping[str, Reading]:
        """The readings of these sensors from the last tick.

        Where a stream has dropped out, it is opened anew, once, and the scene stands still for as
        many ticks as that takes.
        """
        assert self._rig is not None
        missing = [name for name in names if name not in self._readings]
        try:
            self._readings |= self._rig.collect(self._frame, missing)
        except Silent as silence:
            if not self._rig.listen_again(silence.names):
                raise
            self._readings = self._rig.warm_up(self._tick)
            self._rig.delivered()
        return self._readings

    def _instances(self) -> dict[int, Instance]:
        """All that labels count, by actor, in the current ego frame."""
        show, ego = self._staged(), self._moment.ego
        boxes = show.play.boxes()
        found = {
            staged.actor: instance_of(staged.placed, seen_from(ego, boxes[name]))
            for name, staged in show.play.staged.items()
            if name in boxes
        }
        driven = self._traffic_boxes()
        for car in show.traffic:
            if car.name in driven:
                box = seen_from(ego, driven[car.name])
                found[car.actor] = Instance(0, car.name, "car", "car", False, (), box)
        return numbered(found)

    def _check_places(
        self, cameras: Sequence[CameraSetup], readings: Mapping[str, Reading]
    ) -> None:
        """Say once where pictures were not taken from where the labels think they were."""
        base = self._ego_anchor().placement
        for camera in cameras:
            wanted = placed_within(base, camera_to_carla(camera))
            found = readings[stream_name(camera.name, COLOUR)].placement
            away_m = math.dist(wanted.location_m, found.location_m)
            if away_m > ASTRAY_M and not self._told:
                self._told = True
                logger.warning(
                    "camera '%s' is %.2f m from where it should be: something else moves the ego",
                    *(camera.name, away_m),
                )

    def remember(self) -> object:
        """CARLA cannot go back."""
        raise WorldError(
            "CARLA cannot go back to an earlier moment; record with the server's recorder, or "
            "rehearse in the embedded world"
        )

    def recall(self, memory: Any) -> None:
        """CARLA cannot go back."""
        self.remember()

    def about(self) -> dict[str, Any]:
        """The server, and what it shows: equal for equal scenes; see `World.about`."""
        server = about_server(self._connection)
        if self._map_name == CURRENT:
            server["map"] = self._connection.map_name
        found = {"server": server, **about_rig(self._rig_config, self.tick_s, self.physics)}
        if (show := self._show) is None:
            return found
        driven = [car.name for car in show.traffic]
        if self._recorded:
            found["recording"] = self._recorded
        if self._log is not None:
            found["replay"] = self._log.file
        return found | about_scene(
            *(self._connection, show.setup, show.anchor, show.play.staged, show.ego.type_id, driven)
        )

    def start_recording(self, name: str) -> str:
        """Let the server record what happens from now on, into a file of its own; its path there.

        Closing ends the recording too.
        """
        self._guard.records()
        with self._connection.asking("to record"):
            told = str(self._connection.client.start_recorder(name, True))
        self._recorded = name
        self._tick()  # so that the log begins with what is so now
        return told

    def stop_recording(self) -> None:
        """End the server's recording, a few ticks later: where a log ends, a replay lets go."""
        for _ in range(SPARE_TICKS):
            self._tick()
        with self._connection.asking("to end its recording"):
            self._connection.client.stop_recorder()
        self._guard.records(False)

    def close(self) -> None:
        """Put the server back to what it was; calling it twice is harmless."""
        self._show = None
        self._guard.restore()
