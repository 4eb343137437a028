"""Policies taught and judged on scenarios: where environments, experts and training meet.

A folder of a policy holds `policy.pt` (cloned) or `policy.zip` (Stable-Baselines3) and `env.json`,
which environment it was made for.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray

from hartsim.adapters.gymnasium.driving import ACTIONS
from hartsim.adapters.gymnasium.experts import expert_of
from hartsim.adapters.gymnasium.making import BEHIND
from hartsim.adapters.gymnasium.reaching import GOALS
from hartsim.adapters.gymnasium.textures import TextureRandomization
from hartsim.adapters.gymnasium.wrappers import BackdropObservation, WeatherObservation
from hartsim.bench.quality.figures import wilson
from hartsim.config import CloningTraining, TrainConfig
from hartsim.errors import CheckpointError, ConfigError, ScenarioError
from hartsim.scenario.library import find_scenarios
from hartsim.scenario.load import load_scenario
from hartsim.scenario.schema import DEFAULT_CAMERAS
from hartsim.training.board import Tell, board, require_tensorboard
from hartsim.training.cloning import PolicyConfig, clone, load_policy, policy_config
from hartsim.training.drivers import Eyes
from hartsim.types import Image, Task

METHODS = ("clone", "ppo")
ENVIRONMENTS: Mapping[Task, str] = {"driving": "HartSim/Street-v0", "robot": "HartSim/Tabletop-v0"}
CARLA = "HartSim/Carla-v0"
PLAIN, BACKDROP, WEATHER = "plain", "backdrop", "weather"
LOOKS = f"'{PLAIN}', the folder of a bank, '{BACKDROP}:BANK' or '{WEATHER}:NAME'"
"""The names of looks: nothing, a bank's textures, its backdrops, or weather in the air."""
USUAL: Mapping[str, Any] = {"goal": "reach", "actions": "continuous"}
"""What an `env.json` means that does not say it."""
CLONED, BY_REINFORCEMENT, MADE_FOR = "policy.pt", "policy.zip", "env.json"
FILM_PX = 256
JUDGED_SEED = 1_000_000
"""Scenes of judged episodes are drawn from here on; those of teaching from the run's seed."""


@dataclass(frozen=True)
class PolicyRequest:
    """What a policy is to be taught: by cloning the expert, or by reinforcement (PPO).

    `looks` are names, see `LOOKS`; with several, episodes take turns. `goal` is for the table top:
    "reach", which None means, or "place". `servers` are of CARLA, "HOST:PORT", one for each
    environment that runs at a time; without any, driving is in the embedded street.
    """

    scenarios: tuple[str, ...]
    out: Path
    method: str = "clone"
    looks: tuple[str, ...] = (PLAIN,)
    size_px: int = 64
    config: TrainConfig = field(default_factory=TrainConfig)
    tensorboard: bool = False
    """Also write how it goes for TensorBoard, beside the tables."""
    goal: str | None = None
    actions: str = "continuous"
    servers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judged:
    """How a policy did on a scenario in a look; shares with their 95 % intervals (Wilson).

    `progress` is the mean share of the way, for driving.
    """

    scenario: str
    look: str
    episodes: int
    success: float
    success_interval: tuple[float, float]
    collision: float
    collision_interval: tuple[float, float]
    progress: float | None
    reward: float


class Player(Protocol):
    """Something that acts on what it sees: a policy, or an expert."""

    def begin(self, seen: Any) -> None:
        """Take up an episode, whose first observation this is."""
        ...

    def act(self, seen: Any) -> Any:
        """The action for what is seen now."""
        ...


def teach(request: PolicyRequest) -> Path:
    """Teach a policy, or go on; the file of it."""
    if request.method not in METHODS:
        known = " or ".join(map(repr, METHODS))
        raise ConfigError(f"the method is {request.method!r}, must be {known}")
    if request.tensorboard:
        require_tensorboard()
    arguments = made_for(request)
    arguments = {**_kept(request.out / MADE_FOR, arguments), **arguments}
    dressed(arguments, request.looks).close()  # what is wrong is told before anything is written
    request.out.mkdir(parents=True, exist_ok=True)
    (request.out / MADE_FOR).write_text(json.dumps(arguments, indent=1) + "\n")
    torch.set_num_threads(1)  # more would take from the environments, whose work is the larger
    make_env = partial(dressed, arguments, request.looks)
    if request.method == "clone":
        with _told(request) as tell:
            clone(make_env, expert_of, request.out, request.config.cloning, tell)
        return request.out / CLONED
    from hartsim.training.reinforcement import reinforce

    file = request.out / BY_REINFORCEMENT
    return reinforce(make_env, file, request.config.ppo, request.tensorboard)


def _told(request: PolicyRequest) -> AbstractContextManager[Tell | None]:
    if request.tensorboard:
        return board(request.out / "tensorboard", "cloning", axis="round")
    return nullcontext()


def _kept(path: Path, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What a folder's policy was made for; ConfigError where that is another environment."""
    if not path.exists():
        return {}
    before = environment_of(path)
    for name, value in arguments.items():
        if name == "servers":
            continue  # they may have moved
        known = before.get(name, USUAL.get(name))
        if known != value:
            raise ConfigError(
                f"{path.parent}: its policy was made for {name} {known}, not "
                f"{value}; choose another folder"
            )
    return before


def made_for(request: PolicyRequest) -> dict[str, Any]:
    """The name and the arguments of the environment that a request means."""
    tasks = {load_scenario(path).task for path in find_scenarios(request.scenarios)}
    if len(tasks) > 1:
        raise ScenarioError("one policy drives or reaches: name driving or robot scenarios only")
    (task,) = tasks
    for name, value, known in (
        ("actions", request.actions, ACTIONS),
        ("goal", request.goal, GOALS),
    ):
        if value is not None and value not in known:
            raise ConfigError(f"{name} is {value!r}, must be {' or '.join(map(repr, known))}")
    arguments = {
        "id": ENVIRONMENTS[task],
        "scenario": list(request.scenarios),
        "size_px": request.size_px,
        "actions": request.actions,
    }
    if request.servers:
        arguments = in_carla(arguments, request.servers)
    if task == "robot":
        return {**arguments, "goal": request.goal or USUAL["goal"]}
    if request.goal is not None:
        names = ", ".join(request.scenarios)
        raise ConfigError(f"goal is {request.goal!r}, but in {names} there is nothing but driving")
    return arguments


def in_carla(arguments: Mapping[str, Any], servers: Sequence[str]) -> dict[str, Any]:
    """The arguments of an environment, but on CARLA servers; ConfigError for one of robots."""
    if arguments["id"] not in (ENVIRONMENTS["driving"], CARLA):
        raise ConfigError(
            f"{arguments['id']} cannot be shown in CARLA ({', '.join(servers)}), which has streets"
        )
    return {**arguments, "id": CARLA, "servers": list(servers)}


def dressed(arguments: Mapping[str, Any], looks: Sequence[str]) -> Any:
    """The environment in these looks, by turns where there are several.

    ConfigError, DatasetError for what is no look or no environment.
    """
    seen = arguments.get("observation", "image")
    # backdrops need labels, and weather depth, which one drawing gives with the picture
    needs_all = any(look.startswith((f"{BACKDROP}:", f"{WEATHER}:")) for look in looks)
    plain = _made({**arguments, "observation": "dict"} if needs_all else arguments)
    env = worn(plain, looks[0]) if len(looks) == 1 else LooksInTurn(plain, looks)
    return Pictures(env) if needs_all and seen == "image" else env


def _made(arguments: Mapping[str, Any]) -> Any:
    try:
        return gym.make(**arguments)
    except (TypeError, ValueError, gym.error.Error) as error:
        raise ConfigError(f"no environment can be made of {dict(arguments)}: {error}") from error


def worn(env: Any, look: str) -> Any:
    """One of hartsim's environments in a look by its name; ConfigError for what is none.

    Weather and backdrops need Dict observations.
    """
    form, colon, name = look.partition(":")
    task: Task = env.unwrapped.rules.task
    try:
        if look == PLAIN:
            return env
        if colon and form == BACKDROP:
            return BackdropObservation(env, name, BEHIND[task])
        if colon and form == WEATHER:
            return WeatherObservation(env, name, camera=vars(DEFAULT_CAMERAS[task]["front"]))
    except ValueError as error:
        raise ConfigError(f"the look '{look}': {error}") from error
    if not look or (colon and not Path(look).exists()):
        raise ConfigError(f"the look is '{look}', must be {LOOKS}")
    return TextureRandomization(env, look)


class LooksInTurn(gym.Wrapper[Any, Any, Any, Any]):
    """One look after the other, episode by episode."""

    def __init__(self, env: Any, looks: Sequence[str]) -> None:
        super().__init__(env)
        self._plain, self._names, self._turn = env, tuple(looks), 0
        self._worn = self._anew()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in the look whose turn it is; with a seed, in that which it decides."""
        if seed is None:
            self._turn += 1
        else:
            self._turn, self._worn = seed, self._anew()
        number = self._turn % len(self._names)
        self.env = self._worn[number]
        seen, info = self.env.reset(seed=seed, options=options)
        return seen, {**info, "looks": {**info.get("looks", {}), "look": self._names[number]}}

    def _anew(self) -> list[Any]:
        """The looks as if nothing had been worn: what is to come follows from the seed alone."""
        return [worn(self._plain, look) for look in self._names]


class Pictures(gym.ObservationWrapper[Any, Any, Any]):
    """The picture alone, of an environment with Dict observations."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.observation_space = env.observation_space["image"]

    def observation(self, observation: Any) -> Any:
        """The picture of an observation."""
        return observation["image"]


def judge(
    file: Path,
    scenarios: Sequence[str],
    looks: Sequence[str] = (PLAIN,),
    episodes: int = 50,
    seed: int = JUDGED_SEED,
    servers: Sequence[str] = (),
) -> Iterator[Judged]:
    """How a policy does on each scenario in each look, over as many episodes each.

    With CARLA `servers` it drives there, wherever it was taught.
    """
    paths, made = find_scenarios(scenarios), environment_of(file, servers)
    for look in looks:  # a wrong one is told before any is judged
        dressed(made, [look]).close()
    for path in paths:
        for look in looks:
            arguments = {**made, "scenario": str(path)}
            env = dressed(arguments, [look])
            try:
                yield judged(env, player_of(file, env), path.stem, look, episodes, seed)
            finally:
                env.close()


def judged(env: Any, player: Player, scenario: str, look: str, episodes: int, seed: int) -> Judged:
    """How a player does in an environment."""
    ends = [play(env, player, seed + number) for number in range(episodes)]
    success = float(np.mean([end["success"] for end in ends]))
    collision = float(np.mean([bool(end["collision"]) for end in ends]))
    progress = [end["progress"] for end in ends if "progress" in end]
    return Judged(
        scenario=scenario,
        look=look,
        episodes=episodes,
        success=success,
        success_interval=wilson(success, episodes),
        collision=collision,
        collision_interval=wilson(collision, episodes),
        progress=float(np.mean(progress)) if progress else None,
        reward=float(np.mean([end["reward"] for end in ends])),
    )


def play(
    env: Any, player: Player, seed: int, pictures: list[Image] | None = None
) -> dict[str, Any]:
    """One episode: the last step's info, and the sum of rewards; `pictures` takes what was seen."""
    seen, _ = env.reset(seed=seed)
    player.begin(seen)
    total = 0.0
    while True:
        if pictures is not None:
            pictures.append(seen)
        seen, reward, terminated, truncated, info = env.step(player.act(seen))
        total += float(reward)
        if terminated or truncated:
            return {**info, "reward": total}


def film(
    file: Path,
    scenario: str,
    look: str,
    out: Path,
    episodes: int = 3,
    seed: int = JUDGED_SEED,
    servers: Sequence[str] = (),
) -> None:
    """Write a video (.mp4 or .gif) of what a policy sees in a few episodes, `FILM_PX` or wider."""
    imageio = video_writer(out)
    env = dressed({**environment_of(file, servers), "scenario": scenario}, [look])
    pictures: list[Image] = []
    try:
        player = player_of(file, env)
        for number in range(episodes):
            play(env, player, seed + number, pictures)
    finally:
        env.close()
    rate = env.metadata["render_fps"]
    times = -(-FILM_PX // pictures[0].shape[1])
    large = [each.repeat(times, axis=0).repeat(times, axis=1) for each in pictures]
    if out.suffix == ".mp4":
        imageio.imwrite(out, large, fps=rate, macro_block_size=1)
    else:
        imageio.imwrite(out, large, duration=1000 / rate, loop=0)


def video_writer(out: Path) -> Any:
    """What writes videos; ConfigError for a kind that it does not write, or where it is missing."""
    if out.suffix not in (".mp4", ".gif"):
        raise ConfigError(f"the video is '{out}', must be a file name that ends in .mp4 or .gif")
    try:
        from imageio import v3 as imageio
    except ImportError as error:
        raise ConfigError('videos need imageio: pip install "hartsim[rl]"') from error
    return imageio


def environment_of(file: Path, servers: Sequence[str] = ()) -> dict[str, Any]:
    """The name and the arguments of the environment that a policy was made for.

    With CARLA `servers` those of the same task there.
    """
    path = file.parent / MADE_FOR
    try:
        arguments: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{path}: not readable; it says which environment {file.name} was made for ({error})"
        ) from error
    return in_carla(arguments, servers) if servers else arguments


def player_of(file: Path, env: Any) -> Player:
    """The policy of a file, or with the name `expert` the scripted one."""
    if file.name == "expert":
        return _Expert(env)
    if not file.is_file():
        raise CheckpointError(f"{file}: there is no such policy")
    if file.suffix == ".zip":
        from hartsim.training.reinforcement import Reinforced

        return Reinforced(file)
    return _Cloned(file, env)


class _Cloned:
    """A cloned policy as a player."""

    def __init__(self, file: Path, env: Any) -> None:
        self._policy = load_policy(file)
        shown, wanted = env.observation_space.shape[:2], self._policy.config.size_px
        if tuple(shown) != wanted:
            raise CheckpointError(f"{file}: sees pictures of {wanted}, the environment has {shown}")
        does, asked = self._policy.config, policy_config(env, CloningTraining())
        if (does.actions, does.discrete) != (asked.actions, asked.discrete):
            raise CheckpointError(
                f"{file}: has {_acts(does)}, the environment that {MADE_FOR} names {_acts(asked)}"
            )
        self._eyes = Eyes(self._policy.config.frames)

    def begin(self, seen: Any) -> None:
        self._eyes.begin(self._policy.look(seen))

    def act(self, seen: NDArray[np.uint8]) -> Any:
        # The first picture, seen again here, stands for those before it anyway.
        self._eyes.see(self._policy.look(seen))
        return self._policy.act(self._eyes.pictures)


def _acts(config: PolicyConfig) -> str:
    return f"{config.actions} {'discrete' if config.discrete else 'continuous'} actions"


class _Expert:
    """The scripted expert as a player."""

    def __init__(self, env: Any) -> None:
        self._expert = expert_of(env)

    def begin(self, seen: Any) -> None:
        self._expert.begin()

    def act(self, seen: Any) -> Any:
        return self._expert.act()
