"""The wrappers of `wrappers` for vector environments, in all three autoreset modes.

Environment number i looks, byte for byte, as one alone does after `reset(seed=seed + i)`. A look is
chosen anew in the step that is a reset (NEXT_STEP), in the step that ends an episode, whose
`infos["final_obs"]` still wears the old one (SAME_STEP), or for those that
`reset(options={"reset_mask": ...})` names (DISABLED).

Masks and depth come from what is observed: labels and depth of Dict observations, colours, or a
function, which gets None for the environment. What needs the simulator, textures among it, wraps
each environment instead: `gymnasium.make_vec(..., wrappers=[...])`.
"""

import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from types import EllipsisType
from typing import Any, TypeVar, cast

import numpy as np
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from numpy.typing import NDArray

from hartsim.adapters.gymnasium import making
from hartsim.adapters.gymnasium.looks import (
    Every,
    Look,
    View,
    Wearer,
    Worn,
    require_seed,
    seed_or_any,
)
from hartsim.adapters.gymnasium.making import Target
from hartsim.adapters.gymnasium.observations import Mounting, Parts, step_seconds
from hartsim.adapters.gymnasium.wrappers import travelled_in
from hartsim.errors import WorldError

T = TypeVar("T")
Envs = VectorEnv[Any, Any, Any]
Infos = dict[str, Any]
Flags = NDArray[np.bool_]

PATIENCE_S = 60.0
"""How long workers may take to end before they are ended."""


class VectorLookObservation(VectorWrapper[Any, Any, Any, Any, Any]):
    """Environments that wear a look each; the classes below say which."""

    def __init__(
        self,
        env: Envs,
        target: Target,
        look: Look,
        every: Every = "episode",
        travelled: str | None = None,
    ) -> None:
        super().__init__(env)
        mode = env.metadata.get("autoreset_mode")
        if not isinstance(mode, AutoresetMode):
            raise ValueError(
                f"{target.who}: {env} does not say when its episodes begin: "
                f"metadata['autoreset_mode'] is {mode!r}, must be an AutoresetMode"
            )
        self._mode, self._layout = mode, target.layout
        self._look, self._changes = look, look.changes
        self._together: Worn | None = None
        self._wearers = [Wearer(look, every) for _ in range(env.num_envs)]
        self._travelled, self._step_s = travelled, step_seconds(env.metadata)
        self._ended: Flags = np.zeros(env.num_envs, np.bool_)
        self._seen: NDArray[Any] | None = None

    def reset(
        self,
        *,
        seed: int | list[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, Infos]:
        """Begin episodes, of all or of those in `options["reset_mask"]`, in the looks then due."""
        self._require_open()
        seeds = self._seeds(seed)
        begun = np.ones(self.num_envs, np.bool_)
        if options is not None and isinstance(options.get("reset_mask"), np.ndarray):
            begun = options["reset_mask"].copy()  # Gymnasium takes it out of the options
        observations, infos = self._ask(
            "reset", lambda: self.env.reset(seed=cast(Any, seed), options=options)
        )
        lacking = [i for i in _where(begun) if seeds[i] is None and self._wearers[i].seed is None]
        if lacking:
            own = self._own_seeds()
            seeds = [own[i] if i in lacking else each for i, each in enumerate(seeds)]
        for i in _where(begun):
            self._wearers[i].begin(seeds[i])
        self._ended &= ~begun
        return self._dressed(observations, infos)

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, Infos]:
        """Step all, and show what comes of it in the looks that are due."""
        self._require_open()
        observations, rewards, terminations, truncations, infos = self._ask(
            "step", lambda: self.env.step(actions)
        )
        ended_before, self._ended = self._ended, np.logical_or(terminations, truncations)
        nobody = np.zeros_like(self._ended)
        begun = ended_before if self._mode is AutoresetMode.NEXT_STEP else nobody
        final = self._ended if self._mode is AutoresetMode.SAME_STEP else nobody
        for i in _where(~begun):
            told = infos.get("final_info", {}) if final[i] else infos
            self._wearers[i].advance(self._travelled_by(i, told))
        if final.any():
            infos = self._with_finals_dressed(infos, final)
        for i in _where(begun | final):
            self._wearers[i].begin(None)
        observations, infos = self._dressed(observations, infos)
        return observations, rewards, terminations, truncations, infos

    def render(self) -> tuple[Any, ...] | None:
        """The pictures that the policy saw last; in other render modes, what environments have."""
        self._require_open()
        if self.render_mode != "rgb_array":
            return self._ask("render", self.env.render)
        if self._seen is None:
            raise ResetNeeded("nothing was seen yet; call reset() first")
        return tuple(self._seen.copy())

    def _require_open(self) -> None:
        if self.closed:
            raise ClosedEnvironmentError("these environments are closed; make others")

    def _dressed(self, observations: Any, infos: Infos) -> tuple[Any, Infos]:
        changed, parts = self._layout.opened(observations, self._changes)
        # with a reset_mask, some may not have begun at all
        begun = [i for i, wearer in enumerate(self._wearers) if wearer.seed is not None]
        looks: Infos = {}
        for i in begun:
            if self._wearers[i].is_due:
                told = self._wearers[i].choose(self._view(i, parts, i))
                looks = self._add_info(looks, {"looks": told}, i)
        if looks:
            everybody = len(begun) == self.num_envs
            worn = [self._wearers[i].worn for i in begun]
            self._together = self._look.together(worn) if everybody else None
        if self._together is not None:
            self._together.show(parts.view(None, 0.0, 0.0))
        else:
            for i in begun:
                self._wearers[i].worn.show(self._view(i, parts, i))
        if self.render_mode == "rgb_array":
            self._seen = parts.image.copy()
        return changed, _merged(infos, looks)

    def _with_finals_dressed(self, infos: Infos, final: Flags) -> Infos:
        """The infos with what was seen last of the episodes that ended, in the looks of these."""
        observations, looks = infos["final_obs"].copy(), dict[str, Any]()
        for i in _where(final):
            observations[i], parts = self._layout.opened(observations[i], self._changes)
            view = self._view(i, parts, ...)
            if self._wearers[i].is_due:
                looks = self._add_info(looks, {"looks": self._wearers[i].choose(view)}, i)
            self._wearers[i].worn.show(view)
        infos = {**infos, "final_obs": observations}
        if looks:
            infos["final_info"] = _merged(infos.get("final_info", {}), looks)
        return infos

    def _view(self, i: int, parts: Parts, number: int | EllipsisType) -> View:
        wearer = self._wearers[i]
        return parts.view(None, wearer.steps * self._step_s, wearer.travelled_m, number)

    def _travelled_by(self, i: int, infos: Infos) -> float:
        if self._travelled is None:
            return 0.0
        return float(travelled_in(infos, self._travelled)[i])

    def _seeds(self, seed: int | list[int | None] | None) -> list[int | None]:
        """The seed of each environment, as Gymnasium deals them out."""
        if seed is None or isinstance(seed, int | np.integer):
            require_seed(seed)
            return [None if seed is None else int(seed) + i for i in range(self.num_envs)]
        seeds = list(seed)
        if len(seeds) != self.num_envs:
            raise ValueError(f"seed has {len(seeds)} entries for {self.num_envs} environments")
        for each in seeds:
            require_seed(each)
        return seeds

    def _own_seeds(self) -> list[int]:
        """The seeds that environments drew for themselves."""
        own: Any = self._ask("reset", lambda: self.env.np_random_seed)
        if isinstance(own, tuple):
            return [seed_or_any(each) for each in own]
        first = seed_or_any(own)
        return [first + i for i in range(self.num_envs)]

    def _ask(self, what: str, ask: Callable[[], T]) -> T:
        """What the environments answer; WorldError, and an end to all, where a worker is dead."""
        try:
            return ask()
        except (EOFError, ConnectionError) as error:
            raise WorldError(
                f"{self}: {self._end_workers()} in {what}(); make them anew"
            ) from error

    def _end_workers(self) -> str:
        """Which worker died; all others are ended, because they would wait for it for ever."""
        base: Any = self.env.unwrapped
        processes = getattr(base, "processes", ())
        gone = wait([process.sentinel for process in processes], timeout=1.0)
        for process in processes:
            process.join(1.0 if process.sentinel in gone else 0)  # pipes close before processes end
        codes = [process.exitcode for process in processes]
        for process in processes:
            process.terminate()  # one that has a simulator of others puts it back first
        until_s = time.monotonic() + PATIENCE_S
        for process in processes:
            process.join(max(until_s - time.monotonic(), 0))
            process.kill()
            process.join()
        for pipe in getattr(base, "parent_pipes", ()):
            if pipe is not None:
                pipe.close()
        self.closed = True
        dead = [f"worker {i} died (exit code {c})" for i, c in enumerate(codes) if c is not None]
        return ", ".join(dead) or "a worker hung up"


def _where(flags: Flags) -> list[int]:
    """The numbers of the environments that are flagged."""
    return [int(i) for i in np.flatnonzero(flags)]


def _merged(infos: Infos, looks: Infos) -> Infos:
    """The infos with looks beside those that they have from within."""
    if not looks:
        return infos
    within, flags = infos.get("looks", {}), infos.get("_looks", False)
    return {**infos, "looks": {**within, **looks["looks"]}, "_looks": flags | looks["_looks"]}


class BackdropObservation(VectorLookObservation):
    """Puts pictures of a bank behind everything else; see `wrappers.BackdropObservation`."""

    def __init__(
        self,
        env: Envs,
        bank: str,
        mask: str,
        every: Every = "episode",
        kind: str = "backdrop",
        feather_px: float = 0.0,
        image_key: str = "image",
    ) -> None:
        making.require_vector(env, "BackdropObservation")
        target = making.target_of("BackdropObservation", env.single_observation_space, image_key)
        super().__init__(env, target, making.backdrop(target, bank, mask, kind, feather_px), every)


class WeatherObservation(VectorLookObservation):
    """Puts weather before the pictures; see `wrappers.WeatherObservation`."""

    def __init__(
        self,
        env: Envs,
        weather: str,
        strength: float | None = None,
        visibility_m: float | None = None,
        depth: str = "auto",
        every: Every = "episode",
        camera: Mounting | None = None,
        image_key: str = "image",
    ) -> None:
        making.require_vector(env, "WeatherObservation")
        target = making.target_of("WeatherObservation", env.single_observation_space, image_key)
        look = making.weather(target, weather, strength, visibility_m, depth, camera)
        super().__init__(env, target, look, every)


class HazardObservation(VectorLookObservation):
    """Puts hazards into the pictures; see `wrappers.HazardObservation`."""

    def __init__(
        self,
        env: Envs,
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
        making.require_vector(env, "HazardObservation")
        target = making.target_of("HazardObservation", env.single_observation_space, image_key)
        look = making.hazards(target, hazards, count, ahead_m, left_m, depth, camera)
        super().__init__(env, target, look, every, travelled)


class HartVisuals(VectorLookObservation):
    """Shows environments as a scenario's draws look; see `wrappers.HartVisuals`.

    Textures need the simulator: wrap each environment in `TextureRandomization` for them. `parts`
    None is "backdrop" for hartsim's own environments, "backdrop" and "weather" for others.
    """

    def __init__(
        self,
        env: Envs,
        scenario: str,
        bank: str,
        parts: Sequence[str] | None = None,
        mask: str | None = None,
        depth: str = "auto",
        travelled: str | None = None,
        every: Every = "episode",
        camera: str = "front",
        image_key: str = "image",
    ) -> None:
        who = "HartVisuals"
        making.require_vector(env, who)
        if parts is None:
            parts = ("backdrop",) if _are_own(env) else ("backdrop", "weather")
        making.require_parts(parts, who)
        if "texture" in parts:
            raise ValueError(
                f"{who}: textures cannot be put on from outside a vector environment; wrap each "
                "environment: gymnasium.make_vec(..., wrappers=[...]) with TextureRandomization"
            )
        target = making.target_of(who, env.single_observation_space, image_key)
        look = making.visuals(target, scenario, bank, parts, mask, depth, camera)
        super().__init__(env, target, look, every, travelled)


def _are_own(envs: Any) -> bool:
    """Whether these are hartsim's environments."""
    return hasattr(envs.unwrapped, "call") and all(envs.unwrapped.call("has_wrapper_attr", "paint"))
