"""Recordings: what actors there were and where, tick by tick, and replays of them."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.carla_standin.actors import Actor
from tests.carla_standin.geometry import Transform

if TYPE_CHECKING:
    from tests.carla_standin.episode import Episode

RECORDED = ("vehicle", "walker", "static")
HEROES = ("hero", "ego_vehicle")
EARLY_S = 1e-6


class Recorder:
    """Writes a recording to a file, a line of JSON for the map and one for each tick."""

    def __init__(self, path: Path, town: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self._start = path, -1.0
        self._known: set[int] = set()
        self._lines = [json.dumps({"map": town})]
        self.stop()

    def note(self, seconds: float, actors: Iterable[Actor]) -> None:
        """Record one tick."""
        if self._start < 0:
            self._start = seconds
        kept = [actor for actor in actors if actor.kind in RECORDED]
        born = [[actor.id, actor.description] for actor in kept if actor.id not in self._known]
        self._known = {actor.id for actor in kept}
        moved = {str(actor.id): actor.transform.packed() for actor in kept}
        line = {"at_s": round(seconds - self._start, 6), "born": born, "actors": moved}
        self._lines.append(json.dumps(line))

    def stop(self) -> None:
        """Write what was recorded."""
        self.path.write_text("\n".join(self._lines) + "\n")


@dataclass(frozen=True)
class Recording:
    """A recording that was read: its map, and its ticks with their times."""

    town: str
    ticks: list[dict[str, Any]]

    @classmethod
    def read(cls, path: Path) -> "Recording":
        """The recording of a file."""
        head, *lines = path.read_text().splitlines()
        return cls(json.loads(head)["map"], [json.loads(line) for line in lines])

    @property
    def seconds(self) -> float:
        """How long it is."""
        return float(self.ticks[-1]["at_s"]) if self.ticks else 0.0

    def told(self) -> str:
        """What is in it, as text."""
        lines = ["Version: 1", f"Map: {self.town}", ""]
        for number, tick in enumerate(self.ticks, 1):
            if tick["born"]:
                lines.append(f"Frame {number} at {tick['at_s']:g} seconds")
            for actor_id, (_, name, attributes) in tick["born"]:
                lines.append(f" Create {actor_id}: {name}")
                lines += [f"  {key} = {text}" for key, _, text in attributes]
        lines += ["", f"Frames: {len(self.ticks)}", f"Duration: {self.seconds:g} seconds"]
        return "\n".join(lines) + "\n"


@dataclass
class Replay:
    """A recording that is shown: `ids` maps the recording's actors to those of the episode."""

    recording: Recording
    at_s: float
    until_s: float
    factor: float = 1.0
    without_hero: bool = False
    ids: dict[int, int] = field(default_factory=dict)
    shown: int = -1
    """The last tick of the recording whose actors were brought."""

    def advance(self, episode: "Episode", seconds: float) -> None:
        """Show where everything was a while later; what is over stays where it ended."""
        self.show(episode)
        self.at_s = min(self.at_s + seconds * self.factor, self.until_s)

    def show(self, episode: "Episode") -> None:
        """Bring every actor to where it was at this time."""
        ticks = self.recording.ticks
        while self.shown + 1 < len(ticks) and ticks[self.shown + 1]["at_s"] <= self.at_s + EARLY_S:
            self.shown += 1
            self._bear(episode, ticks[self.shown])
        here, after = ticks[self.shown], ticks[min(self.shown + 1, len(ticks) - 1)]
        span = after["at_s"] - here["at_s"]
        share = (self.at_s - here["at_s"]) / span if span > 0 else 0.0
        for key, packed in here["actors"].items():
            actor = episode.actors.get(self.ids.get(int(key), 0))
            if actor is not None:
                start = Transform.read(packed)
                end = Transform.read(after["actors"].get(key, packed))
                _bring(actor, between(start, end, min(1.0, max(0.0, share))), episode.step_s)

    def _bear(self, episode: "Episode", tick: dict[str, Any]) -> None:
        """Let go whom a tick has no more, and bring whom it has first."""
        for number in [number for number in self.ids if str(number) not in tick["actors"]]:
            episode.destroy(self.ids.pop(number))
        for number, description in tick["born"]:
            role = {key: text for key, _, text in description[2]}.get("role_name")
            if self.without_hero and role in HEROES:
                continue
            there = episode.actors.get(number)
            if there is None or there.blueprint.id != description[1]:
                at = Transform.read(tick["actors"][str(number)])
                there = episode.spawn(description, at, wanted=number, forced=True)
            self.ids[number] = there.id

    def stop(self, episode: "Episode", keep: bool) -> None:
        """End it; its actors go, or may move again."""
        for number in self.ids.values():
            if not keep:
                episode.destroy(number)
            elif number in episode.actors:
                episode.actors[number].physics = True


def _bring(actor: Actor, now: Transform, seconds: float) -> None:
    """Move an actor that no longer moves by itself."""
    places = zip(actor.transform.location, now.location, strict=True)
    x, y, z = ((b - a) / seconds for a, b in places)
    actor.velocity, actor.transform, actor.physics = (x, y, z), now, False


def between(start: Transform, end: Transform, share: float) -> Transform:
    """A transform on the way from one to another; angles turn the short way."""
    x, y, z = (a + share * (b - a) for a, b in zip(start.location, end.location, strict=True))
    turns = zip(start.rotation, end.rotation, strict=True)
    pitch, yaw, roll = (a + share * math.remainder(b - a, 360) for a, b in turns)
    return Transform((x, y, z), (pitch, yaw, roll))
