"""What the tests of OpenSCENARIO share."""

from dataclasses import replace
from pathlib import Path

FILES = Path(__file__).parents[1] / "data" / "xosc"

EVERYTHING = """\
task: driving
about: All that a thing may do, and all that may be left to chance.
scene: {place: highway, weather: rain, time_of_day: dusk, ground: wet}
hazards:
  child: {kind: child, ahead_m: 20, left_m: -3, heading_deg: 90, of: van, motion: crosses}
  box: {kind: rock, ahead_m: 2, behind: van, up_m: 3, motion: falls, when_time_s: 2}
  tyre: {kind: tyre, ahead_m: 15, motion: rolls, speed_mps: 3, when_distance_m: 20}
  rival: {kind: car, ahead_m: 9, lane: left, motion: cuts_in, speed_mps: 20, when_distance_m: 30}
  lead: {kind: car, ahead_m: 30, motion: brakes, speed_mps: 20, when_time_s: 4, when_distance_m: 9}
  dog: {kind: dog, ahead_m: 25, motion: appears, when_distance_m: 30}
objects:
  van: {kind: van, ahead_m: 14, lane: kerb, colour: white, scale: 1.1}
cameras:
  front: {fov_deg: 80}
textures: {road: wet asphalt}
vary:
  scene.weather: {choice: {rain: 2, clear: 1}}
  scene.time_of_day: {choice: [dusk, night]}
  scene.ground: {choice: [wet, icy]}
  hazards.child.kind: {choice: [child, dog, cyclist, tyre]}
  hazards.child.motion: {choice: [crosses, drives, cuts_in, brakes, rolls, falls, appears]}
  hazards.child.of: {choice: [van, lead]}
  hazards.child.heading_deg: {normal: {mean: 90, std: 10, low: 60, high: 120}}
  hazards.child.when_distance_m: {loguniform: [10, 30]}
  hazards.box.up_m: {uniform: [2, 4]}
  hazards.box.ahead_m: {integer: [0, 3]}
  objects.van.scale: {uniform: [0.9, 1.2]}
  cameras.front.pitch_deg: {uniform: [-9, 0]}
where: hazards.tyre.ahead_m > 10
"""


def bare(scenario):
    """The scenario without what it was read from."""
    return replace(scenario, source="", source_hash="")
