"""The model that is measured, and the drawing that is timed."""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from hartsim.bench.machine import timed
from hartsim.bench.plan import SpeedRequest, is_given_text
from hartsim.bench.records import Lap
from hartsim.errors import ConfigError
from hartsim.hart.checkpoint import load_hart
from hartsim.hart.config import HartConfig
from hartsim.hart.fast import Recorder
from hartsim.hart.model import Hart, new_hart
from hartsim.hart.noise import KeyedNoise, seeds_of
from hartsim.hart.painting import Kind, Tensors, paint
from hartsim.hart.prepared import prepare
from hartsim.hart.sampling import SamplingSettings, Stage, coarse_to_fine
from hartsim.hart.text import Context
from hartsim.hart.tokenizer import to_pixels

PROMPT = "a dashcam photo of a child running into a wet residential street at dusk"
PROMPT_TOKENS = 64
"""Real tokens of given states; all positions after them are padding."""
SEED = 0
AWAKE_STD = 0.02

Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class Subject:
    """A model ready to draw, with settings that decide how."""

    hart: Hart
    settings: SamplingSettings
    parameters: dict[str, int]
    """How many weights each part has."""
    states: Tensor | None = None
    """Given text states (1, n, D); None to encode a prompt each time."""
    fuse: bool = False
    """Whether blocks are compiled, on CUDA."""

    @property
    def device(self) -> torch.device:
        """Where it draws."""
        return self.hart.device

    @torch.inference_mode()
    def draw(self, batch: int = 1) -> Tensor:
        """Pictures of one prompt, uint8 (B, H, W, 3) in the host's memory, as the renderer does."""
        context = self.context(batch)
        given = {
            "prompt": context.states,
            "prompt_positions": context.position_ids,
            "seeds": seeds_of(_keys(batch)).to(self.device, non_blocking=True),
        }
        kind = Kind(self.hart.tokenizer.quantizer.square)
        return self._painter(kind, given)["pixels"].cpu()

    @functools.cached_property
    def _painter(self) -> Callable[[Kind, Tensors], Tensors]:
        if self.device.type == "cuda":
            return Recorder(self.hart, self.settings, self.fuse)
        return functools.partial(paint, self.hart, self.settings)

    def context(self, batch: int) -> Context:
        """What the transformer sees of the prompt, or of the given states."""
        if self.states is None:
            return self.hart.text.encode([PROMPT] * batch)
        positions = torch.arange(self.states.shape[1], device=self.device)
        positions = positions.clamp(max=PROMPT_TOKENS - 1)
        return Context(self.states.expand(batch, -1, -1), positions.expand(batch, -1))

    @torch.inference_mode()
    def laps(self) -> list[Lap]:
        """The stages of one drawing of one picture: text, scales, residual, decoding.

        The residual is a part of the last scale, and is timed alone. On CUDA nothing is recorded
        here, and all stages together take longer than `draw`.
        """
        laps: list[Lap] = []

        def step(work: Callable[[], Made]) -> Made:
            made: list[Made] = []
            laps.append(timed(lambda: made.append(work()), self.device))
            return made[0]

        context = step(lambda: self.context(1))
        scales = self._scales(context)
        for _ in self.hart.config.transformer.patch_nums:
            stage = step(lambda: next(scales))
        step(self._residual)
        step(lambda: self._decoded(stage.latent))
        last, residual = laps[-3], laps[-2]
        without = max(last.wall_s - residual.wall_s, 0), max(last.cpu_s - residual.cpu_s, 0)
        return [*laps[:-3], Lap(*without), *laps[-2:]]

    def _scales(self, context: Context) -> Iterator[Stage]:
        noise = KeyedNoise.of(_keys(len(context.states)), self.device)
        return coarse_to_fine(self.hart, context, noise, self.settings)

    def _decoded(self, latent: Tensor) -> Tensor:
        return to_pixels(self.hart.tokenizer.decode(latent)).cpu()

    def _residual(self) -> Tensor:
        """The residual head's work on one picture, with a condition that has no meaning."""
        c, settings = self.hart.config, self.settings
        tokens, last = c.transformer.patch_nums[-1] ** 2, len(c.transformer.patch_nums) - 1
        strength = settings.strength(last, (last - 1) / last)
        noise, shape = KeyedNoise.of(["bench"], self.device), (tokens, c.tokenizer.z_channels)
        seen = (2 if strength > 0 else 1, tokens, c.transformer.embed_dim)
        condition = noise.normal("residual", 0, seen)[0].to(self.hart.transformer.like.dtype)
        return self.hart.transformer.diffloss.sample(
            condition,
            strength,
            noise.normal("residual", 0, shape),
            lambda step: noise.normal("residual", step, shape),
            settings.residual_steps,
            settings.residual_temperature,
        )


def _keys(batch: int) -> list[str]:
    return [f"bench/{row}" for row in range(batch)]


def random_hart(config: HartConfig, device: torch.device) -> Hart:
    """A model of random weights, made on a device, that no arithmetic can take short cuts through.

    What training starts at zero gets random values as well: zeros may run faster.
    """
    with device:
        hart = new_hart(config, SEED)
    generator = torch.Generator(device).manual_seed(SEED)
    with torch.no_grad():
        for module in hart.modules().values():
            for weight in module.parameters():
                if not weight.any():
                    weight.normal_(std=AWAKE_STD, generator=generator)
    return hart


def load_subject(
    request: SpeedRequest, folder: Path, precision: str, device: torch.device
) -> Subject:
    """The model of a folder, ready to draw; ConfigError for a precision the device lacks."""
    return subject_of(request.model, load_hart(folder).to(device), precision, request.fuse)


def subject_of(model: str, hart: Hart, precision: str, fuse: bool = False) -> Subject:
    """A model of a named size, ready to draw; where its text encoder is not ours, from states.

    The model given is used up.
    """
    if fuse and hart.device.type != "cuda":
        raise ConfigError("--fuse is for CUDA devices; leave it out on a CPU")
    states = None
    if is_given_text(model):
        c = hart.config.transformer
        generator = torch.Generator(hart.device).manual_seed(SEED)
        shape = (1, c.context_token, c.context_dim)
        states = torch.randn(shape, generator=generator, device=hart.device)
    settings, counted = SamplingSettings.of(hart.config), parameters(hart)
    try:
        ready = prepare(hart, precision)
    except ConfigError as error:  # it names the setting, which is an option here
        told = str(error).replace("render.precision", "--precision")
        raise ConfigError(told) from error
    return Subject(ready, settings, counted, states, fuse)


def parameters(hart: Hart) -> dict[str, int]:
    """How many weights each part has."""
    return {
        name: sum(weight.numel() for weight in module.parameters())
        for name, module in hart.modules().items()
    }


def with_settings(subject: Subject, changes: dict[str, Any]) -> Subject:
    """The same model with other sampling settings."""
    settings = dataclasses.replace(subject.settings, **changes)
    return dataclasses.replace(subject, settings=settings)
