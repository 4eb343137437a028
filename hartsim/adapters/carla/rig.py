"""The sensors on the ego, and what they saw of one and the same tick.

For every camera of the scene there is a colour camera, and beside it, in the same place, one each
for depth, classes and objects; lidars come from the configuration. Streams are pictures in the
order of CARLA's memory; `frames.py` makes frames of them.

A callback copies its data at once, because they are the client's own memory and gone with its
object, and hands them to a queue. The stream opens some time after `listen` returns, so that the
first frames may never come: `warm_up` ticks until all have delivered.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hartsim.adapters.carla.connection import Connection, client_library
from hartsim.adapters.carla.coordinates import Placement, camera_to_carla, fov_to_carla
from hartsim.adapters.carla.guard import ROLE, Guard
from hartsim.errors import WorldError
from hartsim.scenario.compiled import CameraSetup
from hartsim.types import Size, Vector3

logger = logging.getLogger(__name__)

COLOUR, DEPTH = "rgb", "depth"
CLASSES, OBJECTS = "semantic_segmentation", "instance_segmentation"
"""What follows `sensor.camera.` in the blueprints' ids."""
VIEWS = (COLOUR, DEPTH, CLASSES, OBJECTS)

PLAIN_GLASS = {"lens_k": "0", "lens_kcube": "0", "lens_circle_multiplier": "0"}
"""A lens without distortion or vignette: the calibration is a pinhole's."""
SHARP = {"motion_blur_intensity": "0"}
"""Colour as crisp as the labels; a picture of one tick has no exposure time."""

FIRST_WAIT_S = 0.1
"""How long the first tick of a warm-up waits for a stream; each later one waits twice as long."""


@dataclass(frozen=True)
class Lidar:
    """A lidar on the ego, in our axes; it turns once in every tick."""

    name: str = "lidar"
    position_m: Vector3 = (0.0, 0.0, 1.9)
    channels: int = 32
    range_m: float = 80.0
    points_per_second: int = 600_000
    upper_deg: float = 10.0
    lower_deg: float = -30.0


@dataclass(frozen=True)
class RigConfig:
    """What is mounted besides the scene's cameras, and how long it may take to deliver.

    Without `labels` there is colour alone, which a server draws four times as fast. `cameras` names
    those of the scene's that are mounted, None all. `attributes` are further ones of the colour
    cameras, such as {"iso": "100"}.
    """

    labels: bool = True
    cameras: tuple[str, ...] | None = None
    lidars: tuple[Lidar, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 10.0
    warm_up_ticks: int = 20

    @property
    def views(self) -> tuple[str, ...]:
        """The kinds of cameras at every place of a camera."""
        return VIEWS if self.labels else (COLOUR,)

    def mounted(self, cameras: Sequence[CameraSetup]) -> list[CameraSetup]:
        """Those of a scene's cameras that are mounted."""
        return [each for each in cameras if self.cameras is None or each.name in self.cameras]


class Reading(NamedTuple):
    """What a sensor gave: the frame, bytes (H, W, 4) B, G, R, A or points (N, 4), and from where.

    The points are x, y, z in CARLA's axes of the sensor, then intensity.
    """

    frame: int
    values: NDArray[Any]
    placement: Placement


class Silent(WorldError):
    """Sensors that did not deliver in time; `names` says which."""

    def __init__(self, message: str, names: Sequence[str] = ()) -> None:
        super().__init__(message)  # the message alone makes it anew in another process
        self.names = tuple(names)


class Stream:
    """One sensor of ours and the queue that its callback fills."""

    def __init__(self, name: str, sensor: Any) -> None:
        self.name, self.sensor = name, sensor
        self.last_frame = 0
        # A SimpleQueue alone may be used in a signal handler that interrupts its own use.
        self._arrived: SimpleQueue[Reading | Exception] = SimpleQueue()

    def listen(self) -> None:
        """Open the stream; again, where it was open, since twice would end the process."""
        if self.sensor.is_listening():
            self.sensor.stop()
        take = _points if "lidar" in self.sensor.type_id else _picture
        arrived = self._arrived

        def copy(data: Any) -> None:
            try:
                arrived.put(Reading(data.frame, take(data), _placement(data.transform)))
            except Exception as error:  # the client prints and swallows it
                arrived.put(error)

        self.sensor.listen(copy)

    def reading(self, frame: int, until_s: float) -> Reading | None:
        """What the sensor saw in this frame; None where that has not come by the time.

        Earlier frames are dropped. WorldError for a later one: then ours will never come.
        """
        while True:
            try:
                item = self._arrived.get(timeout=max(until_s - time.monotonic(), 1e-4))
            except Empty:
                return None
            if isinstance(item, Exception):
                raise WorldError(f"sensor '{self.name}' gave what cannot be read: {item}") from item
            self.last_frame = item.frame
            if item.frame == frame:
                return item
            if item.frame > frame:
                raise WorldError(
                    f"sensor '{self.name}' gave frame {item.frame} while frame {frame} is wanted; "
                    "only one client may tick a synchronous world"
                )

    def drop(self) -> None:
        """Forget what has arrived, so that no queue grows while nobody looks."""
        while not self._arrived.empty():
            item = self._arrived.get()
            if isinstance(item, Reading):
                self.last_frame = item.frame


class Rig:
    """The sensors mounted on an ego, delivering together."""

    def __init__(self, connection: Connection, guard: Guard, config: RigConfig) -> None:
        self._connection, self._guard, self.config = connection, guard, config
        self.streams: dict[str, Stream] = {}
        self._relistened: set[str] = set()

    def mount(self, ego: Any, cameras: Sequence[CameraSetup], size_px: Size, tick_s: float) -> None:
        """Put the cameras and lidars on the ego and listen to them.

        They are told to deliver in every tick.
        """
        for camera in cameras:
            for view in self.config.views:
                attributes = camera_attributes(camera, size_px, view, self.config)
                kind = f"sensor.camera.{view}"
                self._attach(
                    stream_name(camera.name, view), kind, attributes, camera_to_carla(camera), ego
                )
        for lidar in self.config.lidars:
            x, y, z = lidar.position_m
            place = camera_to_carla(CameraSetup(lidar.name, (x, y, z), 0.0, 0.0, 1.0))
            attributes = lidar_attributes(lidar, tick_s)
            self._attach(lidar.name, "sensor.lidar.ray_cast", attributes, place, ego)
        for stream in self.streams.values():
            stream.listen()

    def _attach(
        self, name: str, kind: str, attributes: Mapping[str, str], place: Placement, ego: Any
    ) -> None:
        carla = client_library()
        world = self._connection.world
        with self._connection.asking(f"to mount {name}"):
            library = world.get_blueprint_library()
            found = library.filter(kind)
            if not len(found):
                raise WorldError(
                    f"the server has no {kind}, which camera '{name}' needs; without "
                    "labels (RigConfig(labels=False)) only sensor.camera.rgb is"
                )
            blueprint = library.find(kind)
            for key, value in {**attributes, "role_name": f"{ROLE}/{name}"}.items():
                if blueprint.has_attribute(key):
                    blueprint.set_attribute(key, value)
            where = carla.Transform(
                carla.Location(*place.location_m), carla.Rotation(*place.rotation_deg)
            )
            sensor = world.spawn_actor(blueprint, where, ego, carla.AttachmentType.Rigid)
        self._guard.sensor(sensor)
        self.streams[name] = Stream(name, sensor)

    def warm_up(self, tick: Callable[[], int]) -> dict[str, Reading]:
        """Tick until every sensor has delivered one and the same frame: those readings.

        Raises `Silent` with those that never did.
        """
        wait_s, late = FIRST_WAIT_S, list(self.streams)
        for _ in range(self.config.warm_up_ticks):
            frame = tick()
            readings, late = self._gather(frame, wait_s, self.streams)
            if not late:
                return readings
            wait_s = min(2 * wait_s, self.config.timeout_s)
        raise self._silent(late, f"in {self.config.warm_up_ticks} ticks of warm-up")

    def collect(self, frame: int, names: Iterable[str] | None = None) -> dict[str, Reading]:
        """What the named sensors (default: all) saw in this frame.

        Raises `Silent` with those that have not delivered within `timeout_s`.
        """
        wanted = self.streams if names is None else {name: self.streams[name] for name in names}
        readings, late = self._gather(frame, self.config.timeout_s, wanted)
        if late:
            raise self._silent(late, f"frame {frame} within {self.config.timeout_s:g} s")
        return readings

    def _gather(
        self, frame: int, wait_s: float, wanted: Mapping[str, Stream]
    ) -> tuple[dict[str, Reading], list[str]]:
        until_s = time.monotonic() + wait_s
        found = {name: stream.reading(frame, until_s) for name, stream in wanted.items()}
        readings = {name: each for name, each in found.items() if each is not None}
        return readings, [name for name, each in found.items() if each is None]

    def listen_again(self, names: Iterable[str]) -> bool:
        """Open the named streams anew; False where one of them has been before, and is broken."""
        again = list(names)
        if self._relistened & set(again):
            return False
        logger.warning("no pictures from %s: listening to them anew", ", ".join(again))
        self._relistened |= set(again)
        for name in again:
            self.streams[name].listen()
        return True

    def delivered(self) -> None:
        """Forget earlier silences: all sensors have delivered since."""
        self._relistened.clear()

    def drop(self) -> None:
        """Forget what has arrived, at every sensor."""
        for stream in self.streams.values():
            stream.drop()

    def _silent(self, names: Sequence[str], wanted: str) -> Silent:
        said = ", ".join(f"'{name}' ({self._last(self.streams[name])})" for name in names)
        return Silent(
            f"the CARLA server at {self._connection.address} sent no picture of sensor {said} "
            f"{wanted}; is it overloaded (raise sensor_timeout_s), or is its streaming port, "
            f"{self._connection.address.port + 1} unless it says otherwise, shut?",
            names,
        )

    @staticmethod
    def _last(stream: Stream) -> str:
        return f"last frame {stream.last_frame}" if stream.last_frame else "none ever"


def stream_name(camera: str, view: str) -> str:
    """What the stream of a camera's colour, depth, classes or objects is called."""
    return f"{camera}.{view}"


def camera_attributes(
    camera: CameraSetup, size_px: Size, view: str, config: RigConfig
) -> dict[str, str]:
    """The attributes of one camera sensor; CARLA's view angle is the one across."""
    height, width = size_px
    attributes = {
        "image_size_x": str(width),
        "image_size_y": str(height),
        "fov": repr(fov_to_carla(camera, size_px)),
        "sensor_tick": "0",
        **PLAIN_GLASS,
    }
    return attributes | (SHARP | dict(config.attributes) if view == COLOUR else {})


def lidar_attributes(lidar: Lidar, tick_s: float) -> dict[str, str]:
    """The attributes of a lidar that turns once in every tick.

    It loses no points by chance: CARLA draws those from when the sensor was born, and two runs
    of a scene would differ.
    """
    return {
        "dropoff_general_rate": "0.0",
        "dropoff_zero_intensity": "0.0",
        "noise_stddev": "0.0",
        "channels": str(lidar.channels),
        "range": repr(lidar.range_m),
        "points_per_second": str(lidar.points_per_second),
        "rotation_frequency": repr(1 / tick_s),
        "upper_fov": repr(lidar.upper_deg),
        "lower_fov": repr(lidar.lower_deg),
        "sensor_tick": "0",
    }


def _picture(image: Any) -> NDArray[np.uint8]:
    values = np.frombuffer(image.raw_data, np.uint8)
    return np.array(values.reshape(image.height, image.width, 4))


def _points(sweep: Any) -> NDArray[np.float32]:
    return np.array(np.frombuffer(sweep.raw_data, np.float32).reshape(-1, 4))


def _placement(transform: Any) -> Placement:
    at, turn = transform.location, transform.rotation
    return Placement((at.x, at.y, at.z), (turn.pitch, turn.yaw, turn.roll))
