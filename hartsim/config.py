"""What a run may be told: `load_config(["hart=tiny", "render.guidance=3"])` → `RunConfig`.

`load_training(["transformer.batch=64"])` → `TrainConfig` reads what a training run may be told.

`group=name` takes the fields from `configs/<group>/<name>.yaml`; `group.field=value` sets one field
and wins over every group, wherever it stands. What neither names keeps the default written here.
"""

import dataclasses
import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hartsim.errors import ConfigError
from hartsim.library import library_path
from hartsim.types import ROUTES, Route, SamplerName


def _number(default: Any, low: float, high: float | None = None) -> Any:
    return field(default=default, metadata={"low": low, "high": high})


def _pattern(default: str | None, pattern: str, words: str) -> Any:
    return field(default=default, metadata={"pattern": pattern, "words": words})


@dataclass(frozen=True)
class HartSettings:
    """Which model paints."""

    name: Literal["mini", "tiny", "0.7b"] = "mini"
    """`mini` ships with hartsim, `tiny` has random weights for tests, `0.7b` is the published."""
    weights: str | None = None
    """Folder of the weights; null takes the shipped ones, or those of `hartsim weights pull`."""


@dataclass(frozen=True)
class RenderSettings:
    """How the model paints; null leaves a choice to the model's own configuration."""

    guidance: float | None = _number(None, 0, 100)
    """Strength of classifier-free guidance."""
    look: Literal["photo", "render"] = "photo"
    """How prompts say that pictures are made: photographed, or rendered by a computer."""
    negative: bool = False
    """Guide away from the scenario's negative prompt; otherwise from having no prompt at all."""
    smooth: bool | None = None
    """Draw codes softly (`more_smooth`): finer detail, less variety."""
    top_p: float | None = _number(None, 0, 1)
    """Share of the probability from which codes are drawn; 0 is all of it."""
    residual_steps: int | None = _number(None, 1, 1000)
    """Steps of the residual head: of the published diffusion 2 at least."""
    layout: bool = True
    """Show the model in which places of a view the simulator has what, where it can follow that."""
    choices: int | None = _number(None, 1, 1000)
    """Pictures drawn of each view, of which the one that shows its hazards best is kept."""
    guided_scales: int | None = _number(None, 0)
    """Scales that are guided, from the coarsest; null is all. Fewer are faster, less faithful."""
    kept_tokens: float = _number(1.0, 0.01, 1)
    """Share of the finest scale's tokens that are worked out; the others are guessed. Faster."""
    paint_px: int | None = _number(None, 8)
    """Longest side at which the model paints before pictures are resized; null is its own."""
    feather_px: int | None = _number(None, 0)
    """Pixels over which a painting fades in, inside its mask; null is a 64th of the picture."""
    precision: str | None = _pattern(
        None,
        "fp32|bf16|fp16|int8|fp8",
        "fp32, bf16 or int8 on a CPU, bf16, fp16, fp8 or fp32 on CUDA",
    )
    """What the layers compute in; null is fp32 on a CPU and bf16 on CUDA. Decides bytes."""
    fuse: bool = False
    """Compile the model's layers (CUDA only): faster, after a minute at the first picture."""
    batch: int = _number(4, 1)
    """Pictures in flight; decides speed and memory, never bytes."""
    rows: int | None = _number(None, 1, 1024)
    """Samples per forward pass; null is 1 on a CPU and 8 on CUDA. Decides bytes."""
    threads: int = _number(2, 1, 256)
    """CPU threads of the model. Decides bytes, so it does not follow the machine."""
    device: str = _pattern("auto", r"auto|cpu|cuda(:\d+)?", "auto, cpu, cuda or cuda:N")
    """auto takes CUDA where there is one."""
    keep_scales: int | None = _number(None, 0)
    """Coarse scales that a repaint takes from the frame everywhere; null takes all but two."""
    attempts: int = _number(3, 1, 100)
    """Draws of one picture before a failed check is accepted and written down."""


@dataclass(frozen=True)
class WorldSettings:
    """Which simulator shows the scenes, and how it draws."""

    simulator: Literal["embedded", "carla"] = "embedded"
    """The worlds that come with hartsim, or a CARLA server, which has driving scenes only."""
    size_px: int | None = _number(None, 32, 2048)
    """Side of the square frames and pictures; a smaller model's are enlarged to it, up to fourfold.

    Null is 256, or what is nearest to it for a very small or a larger model.
    """
    shadows: bool = True
    """Cast shadows; frames take longer."""


@dataclass(frozen=True)
class CarlaSettings:
    """Which CARLA server shows the scenes where `world.simulator=carla`, and how.

    Where it is, how long it may take and who watches decides no byte.
    """

    host: str = _pattern("127.0.0.1", r"[\w.:-]+", "a host name or an address")
    port: int = _number(2000, 1, 65535)
    tm_port: int = _number(8000, 1, 65535)
    """The port of the Traffic Manager, a different one for each run beside others."""
    timeout_s: float = _number(20.0, 0.1)
    """How long a call may take."""
    sensor_timeout_s: float = _number(10.0, 0.1)
    """How long a sensor may take to deliver."""
    patience_s: float = _number(300.0, 0)
    """How long a run waits for a server that has gone."""
    any_version: bool = False
    """Take a server of another version than the client's."""
    spectator: bool = True
    """Let the server's own window follow the ego."""
    map: str = _pattern("auto", r"\w+", "auto, current, or a map's name such as Town03")
    """Auto is the one that fits a scene's place, current the one on show."""
    tick_s: float = _number(0.05, 0.001, 0.1)
    physics: bool = False
    """Drive CARLA's own car, by its physics, instead of the embedded world's law of motion."""
    traffic: bool = False
    """Let the Traffic Manager drive as many cars as the scenario's traffic is dense."""
    missing: Literal["skip", "refuse"] = "skip"
    """Leave scenes out that need what CARLA lacks, or refuse to start."""
    recorder: bool = False
    """Keep CARLA's own recording of every scene on the server."""
    lidar: bool = False
    lidar_channels: int = _number(32, 1, 256)
    lidar_range_m: float = _number(80.0, 1)
    lidar_points_per_second: int = _number(600_000, 1)


DECIDES_NO_BYTE = (
    *("host", "port", "tm_port", "timeout_s", "sensor_timeout_s", "patience_s", "any_version"),
    "spectator",
)
"""Fields of `CarlaSettings` by which no sample differs."""


@dataclass(frozen=True)
class DrawSettings:
    """Which scenes are drawn of a scenario."""

    sampler: SamplerName = "random"
    """At random, or spread so that less is missed; `hartsim.scenario.samplers` says how."""
    levels: int = _number(3, 1, 100)
    """Parts into which `grid` and `pairwise` cut numbers."""
    ways: int = _number(2, 1, 6)
    """Values whose combinations `pairwise` covers: 2 for pairs, 3 for triples."""


@dataclass(frozen=True)
class DatasetSettings:
    """What is kept of a run."""

    routes: tuple[Route, ...] = ROUTES
    """Ways of painting, in this order."""
    views: tuple[str, ...] = ("front",)
    """Cameras of the scenario to photograph."""


@dataclass(frozen=True)
class RunConfig:
    """Everything that a run can be told, group by group."""

    hart: HartSettings = field(default_factory=HartSettings)
    render: RenderSettings = field(default_factory=RenderSettings)
    world: WorldSettings = field(default_factory=WorldSettings)
    carla: CarlaSettings = field(default_factory=CarlaSettings)
    draw: DrawSettings = field(default_factory=DrawSettings)
    dataset: DatasetSettings = field(default_factory=DatasetSettings)


@dataclass(frozen=True)
class TokenizerTraining:
    """How the tokenizer learns; see `hartsim.training.tokenizer` for its phases."""

    batch: int = _number(16, 1)
    """Pictures a step, of each process."""
    crop_px: int = _number(128, 8)
    """Side of the piece of each picture that a step sees; larger than the picture is all of it."""
    rate: float = _number(6e-4, 0)
    """Peak learning rate of the whole autoencoder."""
    codebook_rate: float = _number(2e-3, 0)
    decoder_rate: float = _number(3e-4, 0)
    """Peak learning rates of the later phases."""
    perceptual: float = _number(0.3, 0)
    """Weight of the distance to the eye, beside that of the pixels."""
    adversarial: float = _number(0.0, 0)
    """Weight of a critic's opinion in `hartsim train decoder`; 0 goes without one."""
    latent_noise: float = _number(0.1, 0)
    """Noise on the latents, so that the decoder forgives what the transformer gets wrong."""
    latent_penalty: float = _number(1e-4, 0)
    discrete_share: float = _number(0.5, 0, 1)
    """Steps of the last phase that decode codes alone; the others decode continuous latents."""
    residual_std: float = _number(0.24, 0.01)
    """Deviation of what the codes leave over; its head clips at 0.6."""
    seed: int = _number(0, 0)


@dataclass(frozen=True)
class TransformerTraining:
    """How the transformer, its residual head and the text encoder learn, together."""

    batch: int = _number(32, 1)
    """Pictures a step, of each process."""
    matrix_rate: float = _number(0.02, 0)
    """Peak learning rate of the blocks' matrices (Muon)."""
    other_rate: float = _number(2e-3, 0)
    """Peak learning rate of all else (AdamW)."""
    warm_up_steps: int = _number(200, 1)
    decay_from: float = _number(0.6, 0, 0.99)
    """Share of the run after which the rates fall, in a line."""
    clip: float = _number(2.0, 0)
    """Greatest norm of the gradient."""
    average: float = _number(0.999, 0, 1)
    """Decay of the moving average of the weights, which is what is kept."""
    wrong_share: float = _number(0.6, 0, 1)
    most_wrong: float = _number(0.6, 0)
    """Share of pictures read with wrong codes, and the most noise that makes them so."""
    object_weight: float = _number(3.0, 0.001)
    hazard_weight: float = _number(8.0, 0.001)
    """What codes of named objects and of hazards weigh in the loss; those of all else weigh 1.

    At the last scale, of which most tokens are left out, they are drawn so much more often instead.
    """
    residual_weight: float = _number(1.0, 0)
    preview_every: int = _number(500, 1)
    """Steps between two sheets of samples and measurements on held-out pictures."""
    seed: int = _number(0, 0)


@dataclass(frozen=True)
class CloningTraining:
    """How a policy learns from an expert; see `hartsim.training.cloning`."""

    minutes: float = _number(10.0, 0.01)
    """Rounds begin until so much time has passed."""
    rounds: int = _number(1000, 1)
    first_episodes: int = _number(30, 1)
    episodes: int = _number(20, 1)
    """Episodes driven in the first round, all by the expert, and in each of the others."""
    own_share: float = _number(0.8, 0, 1)
    """Share of the steps that the policy does itself, in all rounds but the first."""
    drivers: int = _number(1, 0)
    """Processes that drive while the policy learns; 0 to do one after the other."""
    updates: int = _number(260, 1)
    """Steps of the optimiser in each round."""
    batch: int = _number(64, 1)
    rate: float = _number(1e-3, 0)
    """Learning rate (AdamW) of the first half; then it falls in a line."""
    width: int = _number(16, 1)
    """Channels of the network's first layer."""
    frames: int = _number(2, 1)
    """Pictures that the policy sees at once, the newest last."""
    top: float = _number(0.0, 0, 1)
    bottom: float = _number(1.0, 0, 1)
    """Where, as shares of a picture's height, what the policy looks at begins and ends."""
    seed: int = _number(0, 0)


@dataclass(frozen=True)
class ReinforcementTraining:
    """How a policy learns by PPO; see `hartsim.training.reinforcement`."""

    steps: int = _number(200_000, 1)
    """Steps of all environments together, with those of earlier runs in the same folder."""
    envs: int = _number(2, 1)
    processes: bool = False
    """Step each environment in a process of its own: pays where there are more than two cores."""
    frames: int = _number(2, 1)
    """Pictures that the policy sees at once."""
    rate: float = _number(3e-4, 0)
    rollout: int = _number(256, 2)
    """Steps of each environment between two updates."""
    batch: int = _number(128, 2)
    epochs: int = _number(4, 1)
    discount: float = _number(0.98, 0, 1)
    entropy: float = _number(0.005, 0)
    save_every: int = _number(10_000, 1)
    seed: int = _number(0, 0)


@dataclass(frozen=True)
class TrainConfig:
    """Everything that a training run can be told, group by group."""

    tokenizer: TokenizerTraining = field(default_factory=TokenizerTraining)
    transformer: TransformerTraining = field(default_factory=TransformerTraining)
    cloning: CloningTraining = field(default_factory=CloningTraining)
    ppo: ReinforcementTraining = field(default_factory=ReinforcementTraining)


GROUPS: Mapping[str, Any] = get_type_hints(RunConfig)
TRAINING_GROUPS: Mapping[str, Any] = get_type_hints(TrainConfig)
"""The settings class of each group."""


def load_config(overrides: Sequence[str] = ()) -> RunConfig:
    """The defaults, changed by group files and then by single fields.

    Raises ConfigError that names the override, its place, and what would be legal.
    """
    return RunConfig(**_load(overrides, GROUPS))


def load_training(overrides: Sequence[str] = ()) -> TrainConfig:
    """As `load_config`, of a training run."""
    return TrainConfig(**_load(overrides, TRAINING_GROUPS))


def _load(overrides: Sequence[str], groups: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of every group."""
    values: dict[str, dict[str, Any]] = {group: {} for group in groups}
    pairs = [_split(override) for override in overrides]
    for key, text in pairs:
        if "." not in key:
            path = _group_file(key, text, groups)
            values[key].update(_read_group(path, key, groups))
    for key, text in pairs:
        if "." in key:
            group, name = _field_of(key, groups)
            values[group][name] = _parse(groups[group], group, name, text)
    return {group: _build(groups[group], group, values[group]) for group in groups}


def _split(override: str) -> tuple[str, str]:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(
            f"override '{override}' is not of the form group=name or group.field=value"
        )
    return key.strip(), text.strip()


def _group_file(group: str, name: str, groups: Mapping[str, Any]) -> Path:
    _require_known(group, groups, f"override '{group}={name}': no group")
    folder = library_path("configs") / group
    names = sorted(path.stem for path in folder.glob("*.yaml"))
    _require_known(name, names, f"override '{group}={name}': group {group} has no")
    return folder / f"{name}.yaml"


def _read_group(path: Path, group: str, groups: Mapping[str, Any]) -> dict[str, Any]:
    try:
        fields = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: not readable as YAML ({error})") from error
    if not isinstance(fields, dict):
        raise ConfigError(f"{path}: must hold fields of {group}, holds {fields!r}")
    for name in fields:
        _require_known(str(name), _names(groups[group]), f"{path}: {group} has no field")
    return fields


def _field_of(key: str, groups: Mapping[str, Any]) -> tuple[str, str]:
    group, name = key.split(".", 1)
    _require_known(group, groups, f"override '{key}': no group")
    _require_known(name, _names(groups[group]), f"override '{key}': {group} has no field")
    return group, name


def _names(kind: Any) -> list[str]:
    return [item.name for item in dataclasses.fields(kind)]


def _parse(kind: Any, group: str, name: str, text: str) -> Any:
    """The value of an override: YAML, where a list may also be written `a,b`."""
    if _is_list(get_type_hints(kind)[name]) and not text.startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{group}.{name} is {text!r}, which is not readable as YAML") from error


def _is_list(kind: Any) -> bool:
    return get_origin(kind) is tuple


def _build(kind: Any, group: str, values: Mapping[str, Any]) -> Any:
    """The group's frozen settings, each value converted to its field's type and checked."""
    node = OmegaConf.structured(kind)
    OmegaConf.set_readonly(node, False)
    for name, value in values.items():
        _set(node, name, value, f"{group}.{name}", get_type_hints(kind)[name])
    settings = OmegaConf.to_object(node)
    for item in dataclasses.fields(kind):
        _require_legal(f"{group}.{item.name}", getattr(settings, item.name), item.metadata)
    return settings


def _set(node: Any, name: str, value: Any, place: str, kind: Any) -> None:
    for chosen in value if isinstance(value, list) else [value]:
        if legal := _names_in(kind):
            _require_known(str(chosen), legal, f"{place}: no")
    # OmegaConf takes any number for a truth and a truth for the number 1
    confused = isinstance(value, bool) and bool not in _options(kind)
    confused |= isinstance(value, int) and bool in _options(kind) and value not in (True, False)
    try:
        if confused:
            raise TypeError
        OmegaConf.update(node, name, value)
    except (OmegaConfBaseException, TypeError) as error:
        raise ConfigError(f"{place} is {value!r}, must be {_type_words(kind)}") from error


def _names_in(kind: Any) -> tuple[str, ...]:
    """The names that a Literal, or a tuple of them, allows; empty for other types."""
    inner = get_args(kind)[0] if _is_list(kind) else kind
    return get_args(inner) if get_origin(inner) is Literal else ()


def _options(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) or (kind,)


def _type_words(kind: Any) -> str:
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
    if _is_list(kind):
        return "a list of names"
    named = [words[option] for option in _options(kind) if option in words]
    return " or ".join([*named, "null"] if type(None) in _options(kind) else named)


def _require_legal(place: str, value: Any, limits: Mapping[str, Any]) -> None:
    if value is None:
        return
    if isinstance(value, tuple):
        _require_distinct(place, value)
    if "low" in limits:
        _require_between(place, value, limits["low"], limits["high"])
    if "pattern" in limits and not re.fullmatch(limits["pattern"], value):
        raise ConfigError(f"{place} is '{value}', must be {limits['words']}")


def _require_between(place: str, value: float, low: float, high: float | None) -> None:
    if not low <= value <= (math.inf if high is None else high):
        wanted = f"at least {low}" if high is None else f"from {low} to {high}"
        raise ConfigError(f"{place} is {value}, must be {wanted}")


def _require_distinct(place: str, names: Sequence[str]) -> None:
    if not names:
        raise ConfigError(f"{place} is empty, must name at least one")
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{place} names '{name}' more than once")


def _require_known(name: str, known: Iterable[str], complaint: str) -> None:
    """Raise `complaint` with the name, the nearest known one, and all that are legal."""
    legal = list(known)
    if name in legal:
        return
    near = difflib.get_close_matches(name, legal, n=1)
    guess = f"did you mean '{near[0]}'? " if near else ""
    raise ConfigError(f"{complaint} '{name}'; {guess}legal: {', '.join(legal)}")
