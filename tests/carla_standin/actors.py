"""Actors, and how they move: vehicles as kinematic bicycles, walkers as they are told."""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tests.carla_standin import wire
from tests.carla_standin.blueprints import Blueprint
from tests.carla_standin.geometry import Transform, Triple

GRAVITY_MPS2 = 9.81
THRUST_MPS2, BRAKE_MPS2, DRAG_PER_S = 4.0, 8.0, 0.03
MAX_STEER_RAD = math.radians(70.0)
LIMIT_KMH = 50.0
LIGHT = "traffic.traffic_light"
RED, YELLOW, GREEN = 0, 1, 2
PHASES_S = (10.0, 3.0, 2.0)
"""How long a traffic light is green, yellow and red."""
AFTER = {RED: GREEN, GREEN: YELLOW, YELLOW: RED}

TAGS = {
    "vehicle": 14,
    "car": 14,
    "van": 14,
    "truck": 15,
    "bus": 16,
    "motorcycle": 18,
    "bicycle": 19,
    "walker": 12,
    "static": 20,
    "traffic.traffic_light": 7,
    "traffic.speed_limit": 8,
}
"""Numbers of CityObjectLabel; 20 is Static, which props have unless a name says more."""


@dataclass
class Actor:
    """Something that was spawned: where it is, how it moves, and what it was told.

    `own` transform is relative to the parent, if it has one. `description` is the one it was
    spawned with: [uid, id, [[id, type, value]]].
    """

    id: int
    blueprint: Blueprint
    description: list[Any]
    transform: Transform
    parent: int = 0
    own: Transform = field(default_factory=Transform)
    stream: int = 0
    velocity: Triple = (0.0, 0.0, 0.0)
    turning: Triple = (0.0, 0.0, 0.0)
    acceleration: Triple = (0.0, 0.0, 0.0)
    control: list[Any] = field(default_factory=lambda: [0.0, 0.0, 0.0, False, False, False, 0])
    walking: tuple[Triple, float] = ((1.0, 0.0, 0.0), 0.0)
    physics: bool = True
    gravity: bool = True
    driven: bool = False
    cruising: Triple | None = None
    lights: int = 0
    light: int = 0
    phase_s: float = 0.0
    frozen: bool = False
    autopilot: bool = False
    last_sent_s: float = -1e9
    sent: int = 0
    turned_deg: float = 0.0

    @property
    def kind(self) -> str:
        """The first word of its blueprint's id."""
        return self.blueprint.id.split(".")[0]

    @property
    def attributes(self) -> dict[str, str]:
        """Its attributes as it was spawned, those of its blueprint where it was not told."""
        values = {each.id: each.value for each in self.blueprint.attributes}
        return values | {name: text for name, _, text in self.description[2]}

    @property
    def tag(self) -> int:
        """Its semantic tag."""
        base = self.attributes.get("base_type", "") if self.kind == "vehicle" else ""
        return TAGS.get(base) or TAGS.get(self.blueprint.id) or TAGS.get(self.kind, 0)

    @property
    def box(self) -> tuple[Triple, Triple]:
        """Its bounding box in its own frame: middle and half sizes."""
        length, width, height = self.blueprint.size_m
        up = 0.0 if self.kind == "walker" else height / 2
        return (0.0, 0.0, up), (length / 2, width / 2, height / 2)

    @property
    def foot_m(self) -> float:
        """How far its origin stands above the ground: a walker's is in its middle."""
        return self.blueprint.size_m[2] / 2 if self.kind == "walker" else 0.0

    def box_packed(self) -> list[Any]:
        """Its bounding box as calls hold it."""
        middle, half = self.box
        return [list(middle), list(half), [0.0, 0.0, 0.0], self.id]

    def packed(self, token: bytes) -> list[Any]:
        """The actor as calls hold it; `token` is its stream's, empty for none."""
        tags = bytes([self.tag]) if self.tag else b""
        return [self.id, self.parent, self.description, self.box_packed(), tags, token]

    def state(self) -> bytes:
        """Its part of a snapshot."""
        union = b""
        if self.kind == "vehicle":
            union = wire.vehicle_state(self.control, LIMIT_KMH)
        elif self.kind == "walker":
            union = wire.walker_state(self.walking[1], self.walking[0])
        elif self.blueprint.id == LIGHT:
            times = (*PHASES_S, self.phase_s)
            union = wire.light_state(f"sign {self.id}", times, 0, self.frozen, self.light)
        return wire.actor_state(
            self.id,
            True,
            self.transform,
            self.velocity,
            self.turning,
            self.acceleration,
            union,
        )

    def advance(self, seconds: float, ground_m: float) -> None:
        """Move it by itself for a while."""
        before = self.velocity
        if self.kind == "vehicle" and self.physics:
            self._drive(seconds)
            self._settle(seconds, ground_m)
        elif self.kind == "walker":
            self._walk(seconds)
            self._settle(seconds, ground_m)
        elif self.blueprint.id == LIGHT and not self.frozen:
            self._shine(seconds)
        if seconds > 0:
            self.acceleration = _over(before, self.velocity, seconds)

    def _shine(self, seconds: float) -> None:
        """Stay in a phase for its time, then go on to the next."""
        self.phase_s += seconds
        times = dict(zip((GREEN, YELLOW, RED), PHASES_S, strict=True))
        if self.phase_s >= times.get(self.light, math.inf):
            self.light, self.phase_s = AFTER[self.light], 0.0

    def _drive(self, seconds: float) -> None:
        pitch, yaw, roll = self.transform.rotation
        heading = math.radians(yaw)
        ahead = (math.cos(heading), math.sin(heading))
        x, y, z = self.velocity
        if self.cruising is not None:
            a, b, _ = self.cruising
            x, y = a * ahead[0] - b * ahead[1], a * ahead[1] + b * ahead[0]
        elif self.driven:
            throttle, steer, brake, hand_brake, reverse, _, _ = self.control
            speed = x * ahead[0] + y * ahead[1]
            speed += THRUST_MPS2 * throttle * (-1 if reverse else 1) * seconds
            speed *= max(0.0, 1 - DRAG_PER_S * seconds)
            stop = BRAKE_MPS2 * max(brake, float(hand_brake)) * seconds
            speed = math.copysign(max(abs(speed) - stop, 0.0), speed)
            wheelbase = 0.6 * max(self.blueprint.size_m[0], 1.0)
            turn = speed / wheelbase * math.tan(steer * MAX_STEER_RAD * 0.6)
            heading += turn * seconds
            yaw = math.degrees(heading)
            self.turning = (0.0, 0.0, math.degrees(turn))
            x, y = speed * math.cos(heading), speed * math.sin(heading)
        else:
            yaw += self.turning[2] * seconds
        self.velocity = (x, y, z)
        yaw = math.remainder(yaw, 360.0)
        self._shift((x * seconds, y * seconds, 0.0), (pitch, yaw, roll))

    def _walk(self, seconds: float) -> None:
        (x, y, _), speed = self.walking
        length = math.hypot(x, y)
        if length > 1e-6 and speed > 0:
            x, y = x / length, y / length
            self.velocity = (x * speed, y * speed, self.velocity[2])
            yaw = math.degrees(math.atan2(y, x))
            self._shift((x * speed * seconds, y * speed * seconds, 0.0), (0.0, yaw, 0.0))
        else:
            self.velocity = (0.0, 0.0, self.velocity[2])

    def _settle(self, seconds: float, ground_m: float) -> None:
        """Fall to the ground."""
        if not self.gravity:
            return
        level = ground_m + self.foot_m
        x, y, z = self.transform.location
        fall = self.velocity[2] - GRAVITY_MPS2 * seconds
        z = z + fall * seconds
        if z <= level:
            z, fall = level, 0.0
        self.velocity = (self.velocity[0], self.velocity[1], fall)
        self.transform = replace(self.transform, location=(x, y, z))

    def _shift(self, by: Triple, rotation: Triple) -> None:
        x, y, z = (a + b for a, b in zip(self.transform.location, by, strict=True))
        self.transform = Transform((x, y, z), rotation)

    def corners(self) -> np.ndarray:
        """The four corners (4, 2) of its box seen from above."""
        middle, (a, b, _) = self.box
        matrix = self.transform.matrix()
        points = np.array([(a, b, 0, 1), (a, -b, 0, 1), (-a, -b, 0, 1), (-a, b, 0, 1)], float)
        points[:, :3] += middle
        return (points @ matrix.T)[:, :2]

    def span_m(self) -> tuple[float, float]:
        """From where to where it reaches upward."""
        (_, _, up), (_, _, half) = self.box
        z = self.transform.location[2] + up
        return z - half, z + half


def _over(before: Triple, after: Triple, seconds: float) -> Triple:
    x, y, z = ((b - a) / seconds for a, b in zip(before, after, strict=True))
    return x, y, z


def touch(one: Actor, other: Actor) -> bool:
    """Whether two actors' boxes share space."""
    (low, high), (bottom, top) = one.span_m(), other.span_m()
    if low > top or bottom > high:
        return False
    a, b = one.corners(), other.corners()
    for corners in (a, b):
        for k in range(2):
            axis = corners[k + 1] - corners[k]
            p, q = a @ axis, b @ axis
            if p.max() < q.min() or q.max() < p.min():
                return False
    return True
