"""Which simulator shows a run's scenes, opened when first needed: the embedded worlds or CARLA.

A CARLA server can be lost and come back; `Worlds.renew` waits for it and takes a fresh client.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from hartsim.config import DECIDES_NO_BYTE, CarlaSettings, RunConfig
from hartsim.dataset.layout import MARKER, read_marker
from hartsim.dataset.reader import read_samples
from hartsim.errors import ConfigError, DatasetError, HartSimError, WorldError, WorldLostError
from hartsim.scenario.compiled import CompiledScene
from hartsim.scenario.schema import Scenario
from hartsim.types import Size, Task
from hartsim.worlds import World

if TYPE_CHECKING:
    from hartsim.adapters.carla.connection import ServerAddress
    from hartsim.adapters.carla.replaying import Log
    from hartsim.adapters.carla.rig import RigConfig
    from hartsim.adapters.carla.world import CarlaWorld

logger = logging.getLogger(__name__)

RETRY_S = 1.0
"""How long to wait between two tries to reach a server that has gone."""


class Worlds:
    """The worlds of a run by task, each started when first needed; a context manager.

    `replay` is a dataset whose scenes CARLA recorded: they are then shown from its recordings.
    """

    def __init__(self, config: RunConfig, size_px: Size, replay: Path | None = None) -> None:
        self.config, self.size_px, self.replay = config, size_px, replay
        self.open: dict[Task, World] = {}

    @property
    def of_carla(self) -> bool:
        """Whether CARLA shows the scenes."""
        return self.config.world.simulator == "carla"

    @property
    def tick_s(self) -> float:
        """The step of driving."""
        return self.config.carla.tick_s

    def simulator(self, out: Path) -> Mapping[str, Any]:
        """Which simulator it is, by what decides bytes; nothing for the embedded one.

        A dataset to which no frame is added any more says so itself.
        """
        if not self.of_carla:
            return {}
        if not self.open and (out / MARKER).is_file():
            found: Mapping[str, Any] = read_marker(out)["request"].get("simulator", {})
            return found
        self.start(["driving"])
        server: Mapping[str, Any] = self["driving"].about()["server"]
        return server

    def start(self, tasks: Iterable[Task]) -> None:
        """Start these worlds now; WorldError where one cannot."""
        for task in sorted(tasks):
            self[task]

    def __getitem__(self, task: Task) -> World:
        if task not in self.open:
            self.open[task] = self._opened(task)
        return self.open[task]

    def _opened(self, task: Task) -> World:
        if self.of_carla:
            return open_carla(self.config.carla, self.size_px, self.replay)
        from hartsim.worlds.embedded import EmbeddedWorld

        return EmbeddedWorld(task, self.size_px, shadows=self.config.world.shadows)

    def renew(self, lost: WorldLostError) -> None:
        """Take a fresh client of the server that was lost, once it is back.

        Raises WorldLostError where it stays away for longer than `carla.patience_s`.
        """
        patience_s = self.config.carla.patience_s
        tasks = list(self.open)
        logger.warning("%s. Waiting up to %g s for it to come back", lost, patience_s)
        self.close(lost)
        until_s = time.monotonic() + patience_s
        while True:
            try:
                self.start(tasks)
            except WorldError as error:
                if time.monotonic() >= until_s:
                    raise WorldLostError(f"waited {patience_s:g} s: {error}") from lost
                time.sleep(min(RETRY_S, max(until_s - time.monotonic(), 0.0)))
            else:
                logger.warning("the server is back: the scene in progress is made anew")
                return

    def close(self, failure: BaseException | None = None) -> None:
        """Close all; where something has failed already, what closing says is only logged."""
        while self.open:
            _, world = self.open.popitem()
            try:
                world.close()
            except HartSimError as error:
                if failure is None:
                    raise
                logger.warning("%s", error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(error)


def open_carla(settings: CarlaSettings, size_px: Size, replay: Path | None = None) -> "CarlaWorld":
    """A CARLA server as a world; WorldError where none answers."""
    from hartsim.adapters.carla.world import CarlaWorld

    return CarlaWorld(
        address_of(settings),
        size_px,
        map_name=map_of(settings),
        rig=rig_of(settings),
        tick_s=settings.tick_s,
        physics=settings.physics,
        traffic=settings.traffic,
        repeatable=True,
        spectator=settings.spectator,
        replays=None if replay is None else logs_of(replay),
    )


def logs_of(dataset: Path) -> "dict[str, Log]":
    """The recordings that CARLA made of a dataset's scenes, by key.

    DatasetError where it has none.
    """
    from hartsim.adapters.carla.coordinates import Anchor
    from hartsim.adapters.carla.replaying import Log

    found: dict[str, Log] = {}
    for record in read_samples(dataset):
        about = record.provenance.get("simulator", {})
        if "recording" in about:
            place = Anchor(tuple(about["location_m"]), tuple(about["rotation_deg"]))
            key = f"{record.scenario}-{record.index:05d}"
            found[key] = Log(about["recording"], about["map"], place)
    if not found:
        raise DatasetError(
            f"{dataset}: no sample of it was recorded by CARLA; hartsim carla record makes such"
        )
    return found


def address_of(settings: CarlaSettings) -> "ServerAddress":
    """Where the server of a run listens."""
    from hartsim.adapters.carla.connection import ServerAddress

    return ServerAddress(
        settings.host, settings.port, settings.tm_port, settings.timeout_s, settings.any_version
    )


def map_of(settings: CarlaSettings) -> str:
    """The map as `CarlaWorld` is told it: empty for the one that fits."""
    return "" if settings.map == "auto" else settings.map


def rig_of(settings: CarlaSettings) -> "RigConfig":
    """What is mounted besides the scene's cameras."""
    from hartsim.adapters.carla.rig import Lidar, RigConfig

    lidar = Lidar(
        channels=settings.lidar_channels,
        range_m=settings.lidar_range_m,
        points_per_second=settings.lidar_points_per_second,
    )
    return RigConfig(lidars=(lidar,) if settings.lidar else (), timeout_s=settings.sensor_timeout_s)


@contextmanager
def recorded(scene: CompiledScene, world: World, worlds: Worlds) -> Iterator[None]:
    """Let CARLA record what happens meanwhile, where `carla.recorder` asks for it."""
    if not (worlds.of_carla and worlds.config.carla.recorder) or worlds.replay is not None:
        yield
        return
    from hartsim.adapters.carla.world import CarlaWorld

    assert isinstance(world, CarlaWorld)
    told = world.start_recording(f"hartsim-{scene.key}-{scene.seed}.log")
    logger.info("%s", " ".join(told.split()))
    yield
    world.stop_recording()


def described(config: RunConfig) -> dict[str, Any]:
    """The settings that decide bytes, as plain data."""
    plain = asdict(config)
    del plain["render"]["batch"], plain["hart"]["weights"]
    if config.world.simulator == "embedded":
        del plain["world"]["simulator"], plain["carla"]
        return plain
    for name in DECIDES_NO_BYTE:
        del plain["carla"][name]
    return plain


def require_showable(scenarios: Iterable[Scenario], config: RunConfig) -> None:
    """ConfigError for scenarios of a task that the simulator does not have."""
    if config.world.simulator == "embedded":
        return
    robots = [each for each in scenarios if each.task != "driving"]
    if robots:
        raise ConfigError(
            f"{robots[0].source}: a {robots[0].task} scenario, and CARLA shows driving scenes "
            f"only; leave out {', '.join(each.name for each in robots)}, or take "
            "world.simulator=embedded"
        )


def lacking(scenario: Scenario, config: RunConfig) -> str:
    """Why the simulator cannot show a concrete scenario; empty where it can, as far as one knows.

    Raises ConfigError instead where `carla.missing=refuse`.
    """
    if config.world.simulator == "embedded":
        return ""
    from hartsim.adapters.carla.blueprints import prototype_for

    reasons = []
    things: Mapping[str, Any] = {**scenario.hazards, **scenario.objects}
    for name, thing in things.items():
        try:
            prototype_for(thing.kind)
        except WorldError as error:
            reasons.append(f"{name}: {error}")
    if reasons and config.carla.missing == "refuse":
        raise ConfigError(f"{scenario.source}: {'; '.join(reasons)} (carla.missing=refuse)")
    return "; ".join(reasons)


def _is_silence(error: WorldError) -> bool:
    """Whether sensors of a CARLA server gave nothing."""
    from hartsim.adapters.carla.rig import Silent

    return isinstance(error, Silent)


def stage(scene: CompiledScene, worlds: Worlds, left_out: dict[str, str]) -> World | None:
    """The world with this scene on show; None, and the reason in `left_out`, where it cannot be.

    What the embedded worlds refuse is an error, and so are a server that has gone and sensors that
    give nothing: these are no fault of the scene.
    """
    world = worlds[scene.setup.task]
    try:
        world.setup(scene)
    except WorldLostError:
        raise
    except WorldError as error:
        if not worlds.of_carla or worlds.config.carla.missing == "refuse" or _is_silence(error):
            raise
        if scene.key not in left_out:
            logger.warning("left out %s: %s", scene.key, error)
        left_out[scene.key] = str(error)
        return None
    return world
