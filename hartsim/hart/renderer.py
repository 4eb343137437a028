"""Jobs in, renders out: HART as the rest of hartsim sees it."""

import dataclasses
import hashlib
import json
import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from hartsim import __version__
from hartsim.errors import CheckpointError, ConfigError
from hartsim.hart.checkpoint import load_hart
from hartsim.hart.choosing import told_apart
from hartsim.hart.config import hart_config
from hartsim.hart.edit import canvas_of_images, generate_seamless
from hartsim.hart.model import Hart, new_hart
from hartsim.hart.noise import KeyedNoise
from hartsim.hart.sampling import LatentCanvas, SamplingSettings, generate
from hartsim.hart.text import Context
from hartsim.hart.tokenizer import from_pixels, to_pixels
from hartsim.images import composite, resize
from hartsim.library import library_path
from hartsim.types import Canvas, Image, Render, RenderJob, Size

logger = logging.getLogger(__name__)

Work = tuple[RenderJob, Canvas | None]

CPU_ROWS, CUDA_ROWS = 1, 8


class ModelChoice(Protocol):
    """Which model: a named size, and the folder of its weights, if they are not the shipped."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def weights(self) -> str | None: ...  # noqa: D102


class RenderChoice(Protocol):
    """How to render; None leaves a choice to the model's configuration."""

    @property
    def guidance(self) -> float | None: ...  # noqa: D102
    @property
    def smooth(self) -> bool | None: ...  # noqa: D102
    @property
    def top_p(self) -> float | None: ...  # noqa: D102
    @property
    def residual_steps(self) -> int | None: ...  # noqa: D102
    @property
    def choices(self) -> int | None: ...  # noqa: D102
    @property
    def rows(self) -> int | None: ...  # noqa: D102
    @property
    def threads(self) -> int: ...  # noqa: D102
    @property
    def device(self) -> str: ...  # noqa: D102


def make_renderer(model: ModelChoice, render: RenderChoice) -> "HartRenderer":
    """The renderer of a configuration.

    CheckpointError if its weights are missing or broken, ConfigError for a device that is not here.
    """
    hart = find_hart(model.name, model.weights).to(find_device(render.device))
    asked = {
        "guidance": render.guidance,
        "more_smooth": render.smooth,
        "top_p": render.top_p,
        "residual_steps": render.residual_steps,
        "choices": render.choices,
    }
    chosen: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    settings = dataclasses.replace(SamplingSettings.of(hart.config), **chosen)
    return HartRenderer(hart, settings, render.rows, render.threads)


def find_device(name: str) -> torch.device:
    """The device called `cpu`, `cuda`, `cuda:N` or `auto`; ConfigError where it is missing."""
    count = torch.cuda.device_count()
    if name == "auto":
        return torch.device("cuda" if count else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= count:
        there = f"cuda:0 to cuda:{count - 1} and cpu" if count else "cpu"
        raise ConfigError(f"render.device is '{name}', which is not here; there is {there}")
    return device


def find_hart(name: str, weights: str | None) -> Hart:
    """The model of a named size: from a folder, or as shipped; `tiny` has random weights."""
    if weights is not None:
        return load_hart(Path(weights))
    if name == "tiny":
        return new_hart(hart_config(name), seed=0)
    shipped = library_path("weights") / name
    if not shipped.is_dir():
        raise CheckpointError(f"{shipped}: hartsim ships no weights called {name!r}; name a folder")
    return load_hart(shipped)


@dataclass(frozen=True, eq=False)
class HartRenderer:
    """A function from jobs to renders, whose bytes do not depend on how the jobs are grouped.

    `rows` samples go through the model together, always that many: fewer are padded. None is 1 on a
    CPU and 8 on CUDA. Rows, `threads` and the kind of device are recorded in each render.
    """

    hart: Hart
    settings: SamplingSettings
    rows: int | None = None
    threads: int = 2

    @property
    def size_px(self) -> Size:
        """The size at which the model paints; other sizes are resized from it."""
        return self.hart.config.size_px

    @property
    def scales(self) -> int:
        """How many scales the model has."""
        return len(self.hart.config.transformer.patch_nums)

    @property
    def recorded(self) -> dict[str, Any]:
        """Everything but job, canvas and weights that decides the bytes."""
        device = self.hart.device.type
        fixed = {"rows": self._rows, "threads": self.threads, "device": device}
        return {**dataclasses.asdict(self.settings), **fixed}

    def __call__(self, work: Sequence[Work]) -> Iterator[Render]:
        """The renders, in the order of the work, each as soon as those before it are done.

        Raises ValueError for a job whose canvas is missing, superfluous or of another size.
        """
        for job, canvas in work:
            _require_canvas(job, canvas)
        done: dict[int, Render] = {}
        given = 0
        for chunk in self._chunks(work):
            done.update(zip(chunk, self._render([work[i] for i in chunk]), strict=True))
            while given in done:
                yield done.pop(given)
                given += 1

    @property
    def _rows(self) -> int:
        return self.rows or (CUDA_ROWS if self.hart.device.type == "cuda" else CPU_ROWS)

    def _chunks(self, work: Sequence[Work]) -> list[list[int]]:
        """Indices of jobs that take the same path through the model, at most `rows` together."""
        kinds: dict[tuple[bool, ...], list[int]] = {}
        for index, (job, canvas) in enumerate(work):
            route = (job.route == "texture", canvas is not None)
            kind = (*route, bool(job.negative), bool(job.calm))
            kinds.setdefault(kind, []).append(index)
        chunks = [
            indices[start : start + self._rows]
            for indices in kinds.values()
            for start in range(0, len(indices), self._rows)
        ]
        return sorted(chunks)

    def _render(self, work: list[Work]) -> list[Render]:
        started = time.perf_counter()
        torch.set_num_threads(self.threads)
        images = self._paint(work + [work[0]] * (self._rows - len(work)))[: len(work)]
        seconds = (time.perf_counter() - started) / len(work)
        logger.debug("%d images in %.2f s", len(work), seconds * len(work))
        return [
            Render(
                job=job,
                image=_finish(image, job, canvas),
                weights_hash=self.hart.weights_hash,
                settings=self.recorded,
                cache_key=self.cache_key(job, canvas),
                seconds=seconds,
            )
            for image, (job, canvas) in zip(images, work, strict=True)
        ]

    @torch.no_grad()
    def _paint(self, work: list[Work]) -> list[Image]:
        """Images at the model's size; all work is of one kind."""
        hart, device = self.hart, self.hart.device
        jobs = [job for job, _ in work]
        keys = [job.noise_key for job in jobs]
        noise = KeyedNoise(keys, device)
        context = hart.text.encode([job.prompt for job in jobs])
        negative = None
        if jobs[0].negative and self.settings.guidance > 0:
            negative = hart.text.encode([job.negative for job in jobs])
        if jobs[0].route == "texture":
            seam_noise = KeyedNoise([f"{key}/seam" for key in keys], device)
            latent = generate_seamless(hart, context, noise, seam_noise, self.settings, negative)
            image = hart.tokenizer.decode_wrapped(latent)
        elif jobs[0].calm and self.settings.choices > 1:
            latent = self._chosen(jobs, context, negative)
            image = hart.tokenizer.decode(latent)
        else:
            canvas = self._latent_canvas([canvas for _, canvas in work if canvas is not None])
            latent = generate(hart, context, noise, self.settings, canvas, negative)
            image = hart.tokenizer.decode(latent)
        return list(to_pixels(image).cpu().numpy())

    def _chosen(
        self, jobs: Sequence[RenderJob], context: Context, negative: Context | None
    ) -> Tensor:
        """Of several latents for each job, the one that shows best what its prompt asks for."""
        calm = self.hart.text.encode([job.calm for job in jobs])
        best, scores = torch.empty(0), torch.full((len(jobs),), -math.inf, device=self.hart.device)
        for choice in range(self.settings.choices):
            keys = [f"{job.noise_key}/{choice}" if choice else job.noise_key for job in jobs]
            noise = KeyedNoise(keys, self.hart.device)
            latent = generate(self.hart, context, noise, self.settings, None, negative)
            score = told_apart(self.hart, latent, context, calm)
            better = (score > scores)[:, None, None, None]
            best = torch.where(better, latent, best) if choice else latent
            scores = torch.maximum(scores, score)
        return best

    def _latent_canvas(self, canvases: list[Canvas]) -> LatentCanvas | None:
        if not canvases:
            return None
        pixels = np.stack([resize(canvas.image, self.size_px) for canvas in canvases])
        images = from_pixels(torch.from_numpy(pixels).to(self.hart.device))
        editable = torch.stack([_shrink_mask(canvas, self.size_px) for canvas in canvases])
        keep_scales = [canvas.keep_scales for canvas in canvases]
        return canvas_of_images(self.hart, images, editable.to(self.hart.device), keep_scales)

    def cache_key(self, job: RenderJob, canvas: Canvas | None) -> str:
        """Equal for two renders exactly if everything that decides their bytes is."""
        plain = [dataclasses.asdict(job), self.recorded, self.hart.weights_hash, __version__]
        digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode())
        if canvas is not None:
            digest.update(f"{canvas.image.shape} {canvas.keep_scales}".encode())
            digest.update(canvas.image.tobytes() + canvas.editable.tobytes())
        return digest.hexdigest()[:32]


def _require_canvas(job: RenderJob, canvas: Canvas | None) -> None:
    needed = job.route in ("backdrop", "repaint")
    if needed != (canvas is not None):
        raise ValueError(f"a {job.route} job {'needs a' if needed else 'takes no'} canvas")
    if canvas is not None and canvas.image.shape[:2] != job.size_px:
        raise ValueError(f"canvas is {canvas.image.shape[:2]}, job asks for {job.size_px}")


def _shrink_mask(canvas: Canvas, size_px: Size) -> Tensor:
    """The mask at the model's size, True where any of its pixels is."""
    mask = torch.from_numpy(canvas.editable)[None, None].float()
    return functional.adaptive_max_pool2d(mask, size_px)[0, 0] > 0


def _finish(image: Image, job: RenderJob, canvas: Canvas | None) -> Image:
    """The image at the job's size, with what the canvas does not offer put back exactly."""
    if job.route == "texture":
        return _resize_wrapped(image, job.size_px)
    image = resize(image, job.size_px)
    return image if canvas is None else composite(canvas.image, image, canvas.editable)


def _resize_wrapped(image: Image, size_px: Size) -> Image:
    """The image at another size, interpolated across its edges, which belong together."""
    if image.shape[:2] == size_px:
        return image
    height, width = size_px
    tiled = resize(np.tile(image, (3, 3, 1)), (3 * height, 3 * width))
    return tiled[height : 2 * height, width : 2 * width]
