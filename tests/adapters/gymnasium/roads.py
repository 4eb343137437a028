"""A road drawn with NumPy: sky, ground and a car, with true labels and depth, in no time."""

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from hartsim.scenario.compiler import camera_setup
from hartsim.scenario.schema import DEFAULT_CAMERAS
from hartsim.types import CLASS_ID, Frame, Size
from hartsim.worlds.motion import STILL
from hartsim.worlds.mounting import calibrated, mounted

SKY, ROAD, CAR = (90, 140, 230), (95, 95, 95), (200, 30, 30)
FAR_M = 1000.0
CAR_M = 6.0
FRONT = camera_setup("front", DEFAULT_CAMERAS["driving"]["front"])


class Road(gym.Env[Any, Any]):
    """The camera moves ahead and a car aside; episodes take 3 to 6 steps, drawn by the seed.

    Observations are pictures, or with `observation` "dict" also labels, depth and a state.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 10}

    def __init__(
        self, observation: str = "dict", size_px: int = 32, render_mode: str | None = None
    ) -> None:
        self.render_mode, self.size_px = render_mode, (size_px, size_px)
        self.is_dict = observation == "dict"
        self.action_space = spaces.Discrete(2)
        image = spaces.Box(0, 255, (*self.size_px, 3), np.uint8)
        parts: dict[str, spaces.Space[Any]] = {
            "image": image,
            "labels": spaces.Box(0, 255, self.size_px, np.uint8),
            "depth": spaces.Box(0, FAR_M, self.size_px, np.float32),
            "state": spaces.Box(-10, 10, (2,), np.float32),
        }
        self.observation_space = spaces.Dict(parts) if self.is_dict else image

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed, options=options)
        self.steps, self.at = 0, int(self.np_random.integers(self.size_px[1] // 2))
        self.length = int(self.np_random.integers(3, 7))
        return self.observation(), {}

    def step(self, action):
        if not self.action_space.contains(action):
            raise ValueError(f"no action {action}")
        self.steps += 1
        self.at += 1 + int(action)
        info = {"travelled_m": float(self.steps)}
        return self.observation(), 1.0, self.steps >= self.length, False, info

    def observation(self):
        frame = self.frame()
        if not self.is_dict:
            return frame.image
        return {
            "image": frame.image,
            "labels": frame.labels,
            "depth": np.minimum(frame.depth_m, np.float32(FAR_M)),
            "state": np.array([self.steps, self.at / 10], np.float32),
        }

    def frame(self) -> Frame:
        height, width = size_px = self.size_px
        image, labels, depth = drawn(size_px)
        rows = slice(int(0.4 * height), int(0.7 * height))
        columns = slice(self.at % width, min(self.at % width + width // 4, width))
        image[rows, columns], labels[rows, columns] = CAR, CLASS_ID["car"]
        depth[rows, columns] = CAR_M
        nothing = np.zeros(size_px, np.uint16)
        return Frame(image, labels, nothing, depth, (), calibrated(FRONT, size_px))

    def render(self):
        return self.frame().image


def drawn(size_px: Size):
    """Image, labels and depth of the empty road."""
    down = -mounted(FRONT, STILL, size_px).rays[2]
    ground = down > 0.002
    image = np.where(ground[..., None], np.array(ROAD, np.uint8), np.array(SKY, np.uint8))
    labels = np.where(ground, CLASS_ID["road"], CLASS_ID["sky"]).astype(np.uint8)
    depth = np.where(ground, FRONT.position_m[2] / np.maximum(down, 0.002), np.inf)
    return image, labels, depth.astype(np.float32)


ROAD_ID, PICTURES_ID = "HartSimTest/Road-v0", "HartSimTest/RoadPictures-v0"


def register() -> None:
    for name, observation in ((ROAD_ID, "dict"), (PICTURES_ID, "image")):
        if name not in gym.registry:
            gym.register(name, f"{__name__}:Road", kwargs={"observation": observation})


register()
