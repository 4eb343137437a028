"""Small MuJoCo environments whose pictures can be told in advance."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from hartsim.adapters.gymnasium.mujoco import free_viewers
from hartsim.worlds.backend import load_mujoco

load_mujoco()  # chooses what draws, before gymnasium imports MuJoCo

import mujoco  # noqa: E402
from gymnasium.envs.mujoco import MujocoEnv  # noqa: E402

SIDE = 64

AMBIENT = """
<visual>
  <headlight ambient="1 1 1" diffuse="0 0 0" specular="0 0 0"/>
  <quality offsamples="0" shadowsize="64"/>
</visual>
"""
"""What is lit thus shows its textures' own colours, and no pixel mixes two things."""

CAMERAS = """
<camera name="above" pos="0 0 2" fovy="90"/>
<camera name="+x" pos="2 0 0" xyaxes="0 1 0 0 0 1" fovy="90"/>
<camera name="-x" pos="-2 0 0" xyaxes="0 -1 0 0 0 1" fovy="90"/>
<camera name="+y" pos="0 2 0" xyaxes="-1 0 0 0 0 1" fovy="90"/>
<camera name="-y" pos="0 -2 0" xyaxes="1 0 0 0 0 1" fovy="90"/>
"""
"""Cameras that look at the middle from 2 m away."""


@contextmanager
def closing_all(make: Callable[..., gym.Env]) -> Iterator[Callable[..., Any]]:
    """Makes environments, and closes them so that they disturb no others.

    Those that gymnasium alone has closed are collected here, before there is anything to disturb.
    """
    gc.collect()
    made: list[gym.Env] = []

    def build(*args: Any, **more: Any) -> gym.Env:
        made.append(make(*args, **more))
        return made[-1]

    yield build
    for env in made:
        if hasattr(env.unwrapped, "mujoco_renderer"):
            free_viewers(env.unwrapped.mujoco_renderer)
        env.close()


class StillLife(MujocoEnv):
    """What a piece of MJCF describes, seen by one of `CAMERAS`."""

    metadata = {"render_modes": ["rgb_array", "depth_array", "rgbd_tuple"]}  # noqa: RUF012

    def __init__(self, folder: Path, assets: str, bodies: str, camera: str = "above", **more):
        file = folder / "model.xml"
        file.write_text(
            f"<mujoco>{AMBIENT}<asset>{assets}</asset>"
            f"<worldbody>{CAMERAS}{bodies}</worldbody></mujoco>"
        )
        space = spaces.Box(-1, 1, (1,), np.float64)
        size = {"width": SIDE, "height": SIDE} | more
        super().__init__(str(file), 1, space, "rgb_array", camera_name=camera, **size)

    def reset_model(self):
        self.set_state(self.init_qpos, self.init_qvel)
        return np.zeros(1)

    def step(self, action):
        self.do_simulation(self.data.ctrl.copy(), 1)
        return np.zeros(1), 0.0, False, False, {}


class WithRenderer(StillLife):
    """A still life that draws itself with a `mujoco.Renderer`."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.renderers = {"own": mujoco.Renderer(self.model, SIDE, SIDE)}

    def render(self):
        self.renderers["own"].update_scene(self.data, self.camera_name)
        return self.renderers["own"].render()

    def close(self):
        super().close()
        self.renderers["own"].close()
