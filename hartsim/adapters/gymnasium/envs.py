"""The environments that `gymnasium.make` knows: Street, Tabletop and Carla, `HartSim/…-v0`."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from hartsim.adapters.carla.actors import Missing
from hartsim.adapters.carla.connection import ServerAddress
from hartsim.adapters.gymnasium.driving import Driving
from hartsim.adapters.gymnasium.reaching import Reaching
from hartsim.adapters.gymnasium.servers import addresses_of, put_back_at_exit, start_world
from hartsim.adapters.gymnasium.world_env import WorldEnv
from hartsim.types import Task
from hartsim.worlds import World


def street(
    scenario: str | Sequence[str] = "child_behind_van",
    size_px: int = 64,
    observation: str = "image",
    actions: str = "continuous",
    camera: str = "front",
    step_s: float = 0.1,
    time_limit_s: float = 30.0,
    draft: bool = True,
    reward: Mapping[str, float] | None = None,
    render_mode: str | None = None,
) -> WorldEnv:
    """Drive to the goal past the hazards of scenarios; see `WorldEnv` and `driving`.

    A `draft` is plainer than what `hartsim generate` draws, and there several times as fast.
    """
    rules = Driving(actions, reward)
    world = partial(_embedded, rules.task, size_px, draft)
    return WorldEnv(
        world, rules, scenario, size_px, observation, camera, step_s, time_limit_s, render_mode
    )


def tabletop(
    scenario: str | Sequence[str] = "hand_and_knife",
    size_px: int = 64,
    observation: str = "image",
    goal: str = "reach",
    actions: str = "continuous",
    camera: str = "front",
    step_s: float = 0.1,
    time_limit_s: float = 20.0,
    draft: bool = True,
    reward: Mapping[str, float] | None = None,
    render_mode: str | None = None,
) -> WorldEnv:
    """Reach or place a thing past the hazards of scenarios; see `WorldEnv` and `reaching`."""
    rules = Reaching(goal, actions, reward)
    world = partial(_embedded, rules.task, size_px, draft)
    return WorldEnv(
        world, rules, scenario, size_px, observation, camera, step_s, time_limit_s, render_mode
    )


def carla(
    scenario: str | Sequence[str] = "child_behind_van",
    host: str | None = None,
    port: int | None = None,
    servers: Sequence[str] = (),
    size_px: int = 64,
    observation: str = "image",
    actions: str = "continuous",
    camera: str = "front",
    step_s: float = 0.1,
    time_limit_s: float = 30.0,
    reward: Mapping[str, float] | None = None,
    render_mode: str | None = None,
    labels: bool = True,
    map_name: str = "",
    tick_s: float = 0.05,
    physics: bool = False,
    traffic: bool = False,
    missing: Missing = "refuse",
    keeps_paint: bool = False,
    tm_port: int | None = None,
    timeout_s: float = 20.0,
    any_version: bool = False,
) -> WorldEnv:
    """`street` on a CARLA server, by default 127.0.0.1:2000; with `servers` on the next free one.

    Servers are told as "HOST:PORT"; see `servers` for who gets which. Without `labels` the server
    draws a quarter, but what CARLA's own weather lacks (snow, ice, potholes) is not in the pictures
    then, and `frame()` and masks do not work. `step_s` is a multiple of `tick_s`; the rest is for
    `CarlaWorld`.
    """
    rules = Driving(actions, reward)
    addresses = addresses_of(host, port, servers, tm_port, timeout_s, any_version)
    ticks = step_s / tick_s if tick_s > 0 else 0
    if not (0 < tick_s <= 0.1 and abs(ticks - round(ticks)) < 1e-6):
        raise ValueError(
            f"tick_s is {tick_s}, must be at most 0.1 and go into step_s, {step_s}, without rest"
        )
    if not labels and observation == "dict":
        raise ValueError("labels is False, but the observation 'dict' has labels and depth")
    make_world = partial(
        _on_server,
        size_px=size_px,
        labels=labels,
        camera=camera,
        map_name=map_name,
        tick_s=tick_s,
        physics=physics,
        traffic=traffic,
        missing=missing,
        keeps_paint=keeps_paint,
    )
    world = partial(start_world, make_world, addresses, finds_port=tm_port is None)
    env = WorldEnv(
        world, rules, scenario, size_px, observation, camera, step_s, time_limit_s, render_mode
    )
    put_back_at_exit(addresses)
    return env


def _on_server(
    address: ServerAddress, size_px: int, labels: bool, camera: str, **told: Any
) -> World:
    from hartsim.adapters.carla.rig import RigConfig
    from hartsim.adapters.carla.world import CarlaWorld

    rig = RigConfig(labels=labels, cameras=(camera,))
    # A seed shows the same whatever the server showed before.
    return CarlaWorld(address, (size_px, size_px), rig=rig, repeatable=True, **told)


def _embedded(task: Task, size_px: int, draft: bool) -> World:
    from hartsim.worlds.embedded import EmbeddedWorld

    return EmbeddedWorld(task, (size_px, size_px), draft=draft)
