"""Generated pictures on the surfaces of a simulator, chosen anew each episode: the wrapper."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import gymnasium as gym
from gymnasium.error import ClosedEnvironmentError
from gymnasium.utils import RecordConstructorArgs

from hartsim.adapters.gymnasium.looks import Every, checked_every, require_seed, seed_or_any
from hartsim.adapters.gymnasium.making import require_single
from hartsim.adapters.gymnasium.mujoco import layers
from hartsim.adapters.gymnasium.mujoco_paint import Painter, surfaces_of
from hartsim.adapters.gymnasium.mujoco_surfaces import names_of
from hartsim.dataset.bank import Bank, chosen, open_bank
from hartsim.errors import DatasetError, WorldError

SKIES = ("sky", "skybox")
"""Surfaces that show a whole place, where the bank has no textures for just them."""


class Choice(NamedTuple):
    """A picture of a bank: the `number`-th of its kind."""

    kind: str
    number: int

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class TextureRandomization(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Dresses surfaces of the simulator with pictures of a bank, before each episode.

    For hartsim's own environments and for any over MuJoCo. What is seen changes and nothing else:
    physics, rewards and the environment's random numbers stay as they are, and nothing is drawn
    that would not be drawn without it.

    Args:
        env: the environment. Wrappers that change observations belong outside.
        bank: the folder of a bank.
        surfaces: names of surfaces, or a mapping from names to kinds of pictures, such as
            `{"floor": "texture/road", "skybox": "backdrop"}`; names and kinds may be patterns of
            fnmatch, and of several kinds every picture is as likely as any other. A surface without
            a kind wears `texture/<its name>`; where the bank has none of those a sky wears
            `backdrop` and all else `texture/*`. None dresses, of hartsim's own environments, the
            surfaces for which the bank has textures; of a MuJoCo model all that stands still and
            can wear a picture, because the colours of what moves are often part of the task.
            `surfaces_of` in `mujoco_paint` lists what a model has.
        every: "episode", a number of steps, or "never": the first choice of a seed is kept.

    The pictures depend on the seed given to `reset`, on how many episodes ago that was, and on the
    step, and on nothing else. Whenever surfaces have been dressed, `info["looks"]["textures"]` says
    what each wears. `close` puts everything back.

    Raises:
        DatasetError: the bank is broken or has no pictures of a kind.
        WorldError: there is no such surface, or it cannot be painted; the error lists all. Of
            hartsim's own environments, whose worlds start late, by the first `reset`.
        ValueError: `every` is nothing of the above, or a wrapper inside changes observations.
    """

    def __init__(
        self,
        env: "gym.Env[Any, Any]",
        bank: str,
        surfaces: Sequence[str] | Mapping[str, str] | None = None,
        every: Every = "episode",
    ) -> None:
        if isinstance(surfaces, Mapping):
            surfaces = dict(surfaces)
        elif surfaces is not None:
            surfaces = [surfaces] if isinstance(surfaces, str) else list(surfaces)
        require_single(
            env,
            "TextureRandomization",
            "wrap each environment instead: gymnasium.make_vec(..., wrappers=[...])",
        )
        RecordConstructorArgs.__init__(self, bank=str(bank), surfaces=surfaces, every=every)
        gym.Wrapper.__init__(self, env)
        self._every = checked_every(every)
        self._bank = open_bank(bank)
        self._asked = surfaces
        self._kinds: dict[str, list[str]] = {}
        self._painter: Painter | None = None
        self._is_own = hasattr(env.unwrapped, "paint") and hasattr(env.unwrapped, "look")
        if self._is_own:
            _require_plain_observations(env)
        else:
            self._painter = self._open_painter()
        self._seed: int | None = None
        self._episode = self._step = 0
        self._worn: dict[str, Choice] = {}
        self._closed = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Dress the surfaces for a new episode, and begin it."""
        self._require_open()
        require_seed(seed)
        before = self._seed, self._episode, self._step
        if seed is None and self._seed is not None:
            self._episode += 1
        else:
            self._seed, self._episode = self._own_seed() if seed is None else int(seed), 0
        self._step = 0
        self._bank.refresh()
        try:
            return self._begun(seed, options)
        except Exception:
            self._seed, self._episode, self._step = before  # what is refused changes no looks
            raise

    def _begun(
        self, seed: int | None, options: dict[str, Any] | None
    ) -> tuple[Any, dict[str, Any]]:
        if self._is_own:  # its worlds show new scenes unpainted, and the first is there by now
            _, info = self.env.reset(seed=seed, options=options)
            self._worn = {}
            self._dress()
            return self.env.unwrapped.look(), self._telling(info)  # type: ignore[attr-defined]
        self._dress()
        self._claim_context()
        observation, info = self.env.reset(seed=seed, options=options)
        if self._painter:
            self._painter.require_model()
        return observation, self._telling(info)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step, in other looks where it is time for them."""
        self._require_open()
        self._step += 1
        is_turn = isinstance(self._every, int) and self._step % self._every == 0
        if is_turn:
            self._dress()
        self._claim_context()
        observation, reward, terminated, truncated, info = self.env.step(action)
        told = self._telling(info) if is_turn else info
        return observation, reward, terminated, truncated, told

    def render(self) -> Any:
        """What the environment renders, in the looks that it wears."""
        self._require_open()
        self._claim_context()
        return self.env.render()

    def close(self) -> None:
        """Put everything back and close the environment; calling it twice is harmless."""
        if self._painter and not self._closed:
            self._painter.close()
        self._closed = True
        super().close()

    def _own_seed(self) -> int:
        return seed_or_any(getattr(self.env, "np_random_seed", None))

    def _require_open(self) -> None:
        if self._closed:
            raise ClosedEnvironmentError("this environment is closed; make another")

    def _claim_context(self) -> None:
        if self._painter:
            self._painter.claim_context()

    def _open_painter(self) -> Painter:
        known = surfaces_of(self.env)
        able = [name for name, each in known.items() if each.how != "nothing"]
        still = [name for name in able if known[name].fixed and known[name].how != "colour"]
        self._kinds = _plan(self._bank, self._asked, able, still, names_of(known.values()))
        return Painter(self.env, self._kinds)

    def _dress(self) -> None:
        """Put on what is to be worn now, as far as it is not worn already."""
        if not self._kinds:
            known = list(self.env.unwrapped.surfaces)  # type: ignore[attr-defined]
            own = [name for name in known if f"texture/{name}" in self._bank.kinds]
            self._kinds = _plan(self._bank, self._asked, known, own, ", ".join(known))
        choices = self._choose()
        images = {
            name: self._bank.images(choice.kind)[choice.number]
            for name, choice in choices.items()
            if self._worn.get(name) != choice
        }
        wall: Any = self._painter or self.env.unwrapped
        wall.paint(images)
        self._worn = choices

    def _choose(self) -> dict[str, Choice]:
        assert self._seed is not None, "nothing is worn before the first reset"
        episode = 0 if self._every == "never" else self._episode
        turn = self._step // self._every if isinstance(self._every, int) else 0
        slots = enumerate(self._kinds.items(), start=turn * len(self._kinds))
        return {
            name: _chosen(self._bank, kinds, self._seed, episode, slot)
            for slot, (name, kinds) in slots
        }

    def _telling(self, info: dict[str, Any]) -> dict[str, Any]:
        textures = {name: str(choice) for name, choice in self._worn.items()}
        return {**info, "looks": {**info.get("looks", {}), "textures": textures}}


def _require_plain_observations(env: "gym.Env[Any, Any]") -> None:
    """ValueError for wrappers that change observations: at a reset they would be left out."""
    for layer in layers(env):
        if isinstance(layer, gym.ObservationWrapper) or (
            isinstance(layer, gym.Wrapper)
            and layer.observation_space != layer.env.observation_space
        ):
            raise ValueError(
                f"{type(layer).__name__} changes observations before their textures are chosen; "
                "wrap the environment in TextureRandomization first, and then in that"
            )


def _plan(
    bank: Bank,
    asked: Sequence[str] | Mapping[str, str] | None,
    able: Sequence[str],
    default: Sequence[str],
    there: str,
) -> dict[str, list[str]]:
    """What kinds of pictures each surface may wear, sorted by surface.

    WorldError, saying what is `there`, for names that match no surface able to wear one;
    DatasetError for kinds that match none of the bank's.
    """
    if asked is None and not default:
        raise WorldError(f"no surface would be dressed; name some of: {there}")
    patterns = asked if isinstance(asked, Mapping) else dict.fromkeys(asked or default, "")
    plan: dict[str, list[str]] = {}
    for pattern, kind in patterns.items():
        names = [pattern] if pattern in able else [n for n in able if fnmatchcase(n, pattern)]
        if not names:
            raise WorldError(f"no surface '{pattern}' to dress; there are: {there}")
        plan |= {name: _kinds_for(bank, name, kind) for name in names}
    return dict(sorted(plan.items()))


def _kinds_for(bank: Bank, surface: str, kind: str) -> list[str]:
    own = f"texture/{surface}"
    usual = own if own in bank.kinds else "backdrop" if surface in SKIES else "texture/*"
    pattern = kind or usual
    kinds = sorted(each for each in bank.kinds if fnmatchcase(each, pattern))
    if not kinds:
        there = ", ".join(bank.kinds) or "none yet"
        raise DatasetError(
            f"{bank.path}: no pictures of kind '{pattern}' for '{surface}'; there are: {there}"
        )
    return kinds


def _chosen(bank: Bank, kinds: Iterable[str], seed: int, episode: int, slot: int) -> Choice:
    """A picture of one of the kinds, of all of which each is as likely as any other."""
    counts = {kind: bank.kinds[kind] for kind in kinds}
    number = chosen(sum(counts.values()), " ".join(counts), seed, episode, slot)
    for kind, count in counts.items():
        if number < count:
            return Choice(kind, number)
        number -= count
    raise AssertionError("numbers are below the sum of the counts")
