"""Wrappers that give one environment other looks; `vector` has them for many.

    BackdropObservation   pictures of a bank behind the classes, geoms or colours that a mask names
    WeatherObservation    fog, rain, snow, and dirt or drops on the lens
    HazardObservation     hazards put into the picture, with true labels
    HartVisuals           all of it as a scenario has it, textures included

They take pictures, uint8 (height, width, 3), or Dict observations with an `image`, whose `labels`
(class ids) and `depth` (metres) they use and keep true. What is worn follows from the seed given to
`reset`, the number of episodes since and the step; `info["looks"]` tells it whenever it was chosen.
They read what was rendered before and never render with a model.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.utils import RecordConstructorArgs

from hartsim.adapters.gymnasium import making
from hartsim.adapters.gymnasium.looks import Every, Look, Wearer, require_seed, seed_or_any
from hartsim.adapters.gymnasium.making import Target
from hartsim.adapters.gymnasium.observations import Mounting, step_seconds
from hartsim.adapters.gymnasium.textures import TextureRandomization
from hartsim.types import Image

Env = gym.Env[Any, Any]


class LookObservation(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """An environment that wears a look; the classes below say which.

    `travelled` is the entry of `info` that tells how many metres the camera has moved ahead.
    """

    def __init__(
        self,
        env: Env,
        target: Target,
        look: Look,
        every: Every = "episode",
        travelled: str | None = None,
    ) -> None:
        gym.Wrapper.__init__(self, env)
        self._layout, self._changes = target.layout, look.changes
        self._wearer = Wearer(look, every)
        self._travelled, self._step_s = travelled, step_seconds(env.metadata)
        self._seen: Image | None = None
        self._closed = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in the look that is due."""
        self._require_open()
        require_seed(seed)
        observation, info = self.env.reset(seed=seed, options=options)
        if seed is None and self._wearer.seed is None:
            seed = seed_or_any(self.env.np_random_seed)
        self._wearer.begin(seed)
        return self._dressed(observation, info)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step, and show what comes of it in the look that is due."""
        self._require_open()
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._wearer.advance(float(travelled_in(info, self._travelled)))
        observation, info = self._dressed(observation, info)
        return observation, reward, terminated, truncated, info

    def render(self) -> Any:
        """The picture that the policy saw last; in other render modes, what the environment has."""
        self._require_open()
        if self.render_mode != "rgb_array":
            return self.env.render()
        if self._seen is None:
            raise ResetNeeded("nothing was seen yet; call reset() first")
        return self._seen.copy()

    def close(self) -> None:
        """Close the environment; calling it twice is harmless."""
        self._closed = True
        super().close()

    def _require_open(self) -> None:
        if self._closed:
            raise ClosedEnvironmentError("this environment is closed; make another")

    def _dressed(self, observation: Any, info: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        changed, parts = self._layout.opened(observation, self._changes)
        time_s = self._wearer.steps * self._step_s
        view = parts.view(self.env, time_s, self._wearer.travelled_m)
        if self._wearer.is_due:
            info = {**info, "looks": {**info.get("looks", {}), **self._wearer.choose(view)}}
        self._wearer.worn.show(view)
        if self.render_mode == "rgb_array":
            self._seen = parts.image.copy()
        return changed, info


class BackdropObservation(LookObservation):
    """Puts pictures of a bank behind everything else: where a mask says that pixels may change.

    Args:
        env: the environment.
        bank: the folder of a bank.
        mask: which pixels may change; `masks` lists the ways to say it, such as
            "labels:sky,building", "mujoco:background" or "colour:#000000".
        every: "episode", a number of steps, or "never": the first choice of a seed is kept.
        kind: the kind of pictures of the bank.
        feather_px: how far the pictures fade in from the mask's border.
        image_key: the picture of a Dict observation.

    Labels and depth stay what they were. `info["looks"]` has the number of the picture by its kind.

    Raises:
        DatasetError: the bank is broken or has no such pictures.
        ValueError: the observations hold no picture, the mask is none, or it needs what is not
            there.
    """

    def __init__(
        self,
        env: Env,
        bank: str,
        mask: str,
        every: Every = "episode",
        kind: str = "backdrop",
        feather_px: float = 0.0,
        image_key: str = "image",
    ) -> None:
        RecordConstructorArgs.__init__(
            self,
            bank=str(bank),
            mask=mask,
            every=every,
            kind=kind,
            feather_px=feather_px,
            image_key=image_key,
        )
        making.require_single(env, "BackdropObservation")
        target = making.target_of("BackdropObservation", env.observation_space, image_key, env)
        look = making.backdrop(target, bank, mask, kind, feather_px)
        LookObservation.__init__(self, env, target, look, every)


class WeatherObservation(LookObservation):
    """Puts weather before the picture: fog by depth, falling rain or snow, dirt or drops on glass.

    Args:
        env: the environment.
        weather: a weather of the catalogue that is seen in the air (`fog`, `rain`, `snow`), or
            `dirty_lens` or `lens_drops`.
        strength: 0..1, from the weakest of that weather to the strongest; None: drawn each time.
        visibility_m: the meteorological range, instead of that of the strength.
        depth: "observation" for the `depth` of Dict observations, "frame" for that of
            `env.unwrapped.frame()`, "auto" for the first of these that there is, "flat" for a
            guess, flat ground up to the horizon, or "<module>:<function>" for a function
            (env, image) → float32 metres.
        every: "episode", a number of steps, or "never": the first choice of a seed is kept.
        camera: where the camera is, as far as it differs from scenarios' front camera, such as
            `{"up_m": 1.2, "pitch_deg": -10, "fov_deg": 70}`; the horizon and the size of drops
            follow from it.
        image_key: the picture of a Dict observation.

    Labels stay what they were, but for those of pixels of which dirt or drops hide more than half.
    Wet ground and lying snow are not made; hartsim's own worlds have them. `info["looks"]` has
    `weather` and its numbers.

    Raises:
        ValueError: the observations hold no picture, no depth is known, or there is no such
            weather.
    """

    def __init__(
        self,
        env: Env,
        weather: str,
        strength: float | None = None,
        visibility_m: float | None = None,
        depth: str = "auto",
        every: Every = "episode",
        camera: Mounting | None = None,
        image_key: str = "image",
    ) -> None:
        RecordConstructorArgs.__init__(
            self,
            weather=weather,
            strength=strength,
            visibility_m=visibility_m,
            depth=depth,
            every=every,
            camera=camera,
            image_key=image_key,
        )
        making.require_single(env, "WeatherObservation")
        target = making.target_of("WeatherObservation", env.observation_space, image_key, env)
        look = making.weather(target, weather, strength, visibility_m, depth, camera)
        LookObservation.__init__(self, env, target, look, every)


class HazardObservation(LookObservation):
    """Puts hazards of the catalogue into the picture, and their classes into the labels.

    They are cut out of pictures of hartsim's embedded world by their true masks, which takes some
    seconds for each kind the first time that a machine needs it. They are pictures: nothing
    collides with them, and no reward knows of them.

    Args:
        env: the environment.
        hazards: kinds of the catalogue, such as `["deer", "traffic_cones"]`, of which each hazard
            is one.
        count: how many there are at once.
        ahead_m: from and to how far ahead of the ego or the robot's base they stand.
        left_m: the same to the left.
        travelled: the entry of `info` that says how many metres the camera has moved ahead since
            the reset, such as "travelled_m" of `HartSim/Street-v0`; hazards then come nearer, and
            without it they stay where they are in the picture.
        depth: as in `WeatherObservation`; "none", or "auto" where there is no depth, lets nothing
            hide them.
        every: "episode", a number of steps, or "never": the first choice of a seed is kept.
        camera: as in `WeatherObservation`, from the front camera of the hazards' task.
        image_key: the picture of a Dict observation.

    Where a hazard hides more than half of a pixel, `labels` has its class and `depth` its distance.
    `info["looks"]` has `hazard_1`, `hazard_1_ahead_m`, `hazard_1_left_m` and so on.

    Raises:
        ValueError: the observations hold no picture, a kind is no thing or unknown, or a range is
            none.
        WorldError: the cut-outs cannot be drawn on this machine.
    """

    def __init__(
        self,
        env: Env,
        hazards: Sequence[str],
        count: int = 1,
        ahead_m: Sequence[float] | None = None,
        left_m: Sequence[float] | None = None,
        travelled: str | None = None,
        depth: str = "auto",
        every: Every = "episode",
        camera: Mounting | None = None,
        image_key: str = "image",
    ) -> None:
        RecordConstructorArgs.__init__(
            self,
            hazards=hazards,
            count=count,
            ahead_m=ahead_m,
            left_m=left_m,
            travelled=travelled,
            depth=depth,
            every=every,
            camera=camera,
            image_key=image_key,
        )
        making.require_single(env, "HazardObservation")
        target = making.target_of("HazardObservation", env.observation_space, image_key, env)
        look = making.hazards(target, hazards, count, ahead_m, left_m, depth, camera)
        LookObservation.__init__(self, env, target, look, every, travelled)


class HartVisuals(LookObservation):
    """Shows an environment as a scenario's draws look: draw number n in episode n of a seed.

    Args:
        env: the environment.
        scenario: a scenario file, or the name of one of the library.
        bank: the folder of a bank, best built for this scenario.
        parts: what is changed, of "texture" (see `TextureRandomization`), "backdrop", "hazards" and
            "weather" (see the other wrappers). None is "texture" and "backdrop" for hartsim's own
            environments, which show the weather and the hazards of their scenes already, and for
            others also "weather".
        mask: what backdrops may replace; None is sky, buildings and vegetation of a street, wall
            and floor about a table, by labels.
        surfaces: which surfaces are dressed, see `TextureRandomization`.
        depth: as in `WeatherObservation`.
        travelled: as in `HazardObservation`.
        every: "episode", a number of steps, or "never": the first choice of a seed is kept.
        camera: the scenario's camera that the pictures are of.
        image_key: the picture of a Dict observation.

    Hazards stand where the draw has them, turned as their cut-outs are. `info["looks"]` has the
    `scene` and what the parts tell.

    Raises:
        ScenarioError: the scenario is none, or has no such camera.
        DatasetError, WorldError, ValueError: as the parts.
    """

    def __init__(
        self,
        env: Env,
        scenario: str,
        bank: str,
        parts: Sequence[str] | None = None,
        mask: str | None = None,
        surfaces: Sequence[str] | Mapping[str, str] | None = None,
        depth: str = "auto",
        travelled: str | None = None,
        every: Every = "episode",
        camera: str = "front",
        image_key: str = "image",
    ) -> None:
        RecordConstructorArgs.__init__(
            self,
            scenario=str(scenario),
            bank=str(bank),
            parts=parts,
            mask=mask,
            surfaces=surfaces,
            depth=depth,
            travelled=travelled,
            every=every,
            camera=camera,
            image_key=image_key,
        )
        who = "HartVisuals"
        making.require_single(env, who)
        if parts is None:
            is_own = hasattr(env.unwrapped, "paint")
            parts = ("texture", "backdrop") if is_own else ("texture", "backdrop", "weather")
        making.require_parts(parts, who)
        target = making.target_of(who, env.observation_space, image_key, env)
        look = making.visuals(target, scenario, bank, parts, mask, depth, camera)
        LookObservation.__init__(self, env, target, look, every, travelled)
        if "texture" in parts:
            _ = self.spec  # kept from now on: the wrapper within is made by this one, not by name
            self.env = TextureRandomization(env, bank, surfaces, every)


def travelled_in(info: Mapping[str, Any], name: str | None) -> Any:
    """What `info` says of how far the camera has moved; ValueError lists what it says instead."""
    if name is None:
        return 0.0
    if name not in info:
        raise ValueError(f"info has no '{name}' to tell how far the camera has moved: {list(info)}")
    return info[name]
