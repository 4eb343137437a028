"""Jobs in, renders out: HART as the rest of hartsim sees it."""

import dataclasses
import functools
import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from hartsim import __version__
from hartsim.errors import CheckpointError, ConfigError, RenderError
from hartsim.hart import hub
from hartsim.hart.checkpoint import load_hart
from hartsim.hart.config import LEAST_STEPS, Grid, hart_config
from hartsim.hart.model import Hart, new_hart
from hartsim.hart.noise import seeds_of
from hartsim.hart.painting import Kind, Tensors, paint
from hartsim.hart.prepared import prepare
from hartsim.hart.sampling import SamplingSettings
from hartsim.images import OPENCV_VERSION, fade_in, resize, resize_labels
from hartsim.library import library_path
from hartsim.types import Canvas, Image, Layout, Mask, Render, RenderJob, Size, Underlay

logger = logging.getLogger(__name__)

Work = tuple[RenderJob, Underlay]

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
    def guided_scales(self) -> int | None: ...  # noqa: D102
    @property
    def kept_tokens(self) -> float: ...  # noqa: D102
    @property
    def paint_px(self) -> int | None: ...  # noqa: D102
    @property
    def feather_px(self) -> int | None: ...  # noqa: D102
    @property
    def precision(self) -> str | None: ...  # noqa: D102
    @property
    def fuse(self) -> bool: ...  # noqa: D102
    @property
    def rows(self) -> int | None: ...  # noqa: D102
    @property
    def threads(self) -> int: ...  # noqa: D102
    @property
    def device(self) -> str: ...  # noqa: D102


def make_renderer(model: ModelChoice, render: RenderChoice) -> "HartRenderer":
    """The renderer of a configuration.

    CheckpointError if its weights are missing or broken, ConfigError for a device that is not here
    or cannot do what is asked of it.
    """
    device = find_device(render.device)
    hart = prepare(find_hart(model.name, model.weights).to(device), render.precision)
    asked = {
        "guidance": render.guidance,
        "more_smooth": render.smooth,
        "top_p": render.top_p,
        "residual_steps": render.residual_steps,
        "choices": render.choices,
    }
    least = LEAST_STEPS[hart.config.transformer.diff_process]
    if render.residual_steps is not None and render.residual_steps < least:
        raise ConfigError(
            f"render.residual_steps is {render.residual_steps}; this model's residual head needs "
            f"{least} at least"
        )
    chosen: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    settings = dataclasses.replace(
        SamplingSettings.of(hart.config),
        guided_scales=render.guided_scales,
        kept_tokens=render.kept_tokens,
        **chosen,
    )
    renderer = HartRenderer(
        hart, settings, render.rows, render.threads, render.paint_px, render.feather_px
    )
    if device.type == "cuda":
        from hartsim.hart.fast import Recorder

        recorder = Recorder(hart, settings, render.fuse)
        return dataclasses.replace(renderer, fused=render.fuse, run=recorder)
    if render.fuse:
        raise ConfigError("render.fuse is true, but it is for CUDA devices; leave it out on a CPU")
    return renderer


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
    """The model of a named size: from a folder, shipped or pulled; `tiny` has random weights."""
    if weights is not None:
        return load_hart(Path(weights))
    if name == "tiny":
        return new_hart(hart_config(name), seed=0)
    if any(name == model.size for model in hub.MODELS):
        return load_hart(hub.find_weights(name))
    shipped = library_path("weights") / name
    if not shipped.is_dir():
        raise CheckpointError(f"{shipped}: hartsim ships no weights called {name!r}; name a folder")
    return load_hart(shipped)


@dataclass(frozen=True, eq=False)
class HartRenderer:
    """A function from jobs to renders, whose bytes do not depend on how the jobs are grouped.

    `rows` samples go through the model together, always that many: fewer are padded. None is 1 on a
    CPU and 8 on CUDA. What decides the bytes beside job, canvas and weights is recorded in each
    render, also where memory was too small for so many rows and fewer went together.
    """

    hart: Hart
    settings: SamplingSettings
    rows: int | None = None
    threads: int = 2
    paint_px: int | None = None
    """Longest side at which the model paints, at most its own; None is its own."""
    feather_px: int | None = None
    """Pixels over which a painting fades in, inside its mask; None is a 64th of the picture."""
    fused: bool = False
    """Whether the model's layers were compiled, which may round otherwise."""
    run: Callable[[Kind, Tensors], Tensors] | None = None
    """What paints instead of `painting.paint`, with the same result; such as a recording of it."""

    def __post_init__(self) -> None:
        own = max(self.hart.config.size_px)
        if self.paint_px is not None and not self._cell <= self.paint_px <= own:
            raise ConfigError(
                f"render.paint_px is {self.paint_px}; {self.hart.config.name} paints from "
                f"{self._cell} to {own} pixels"
            )

    @property
    def size_px(self) -> Size:
        """The size of square pictures at which the model is at home."""
        return self.hart.config.size_px

    @property
    def scales(self) -> int:
        """How many scales the model has."""
        return len(self.hart.config.transformer.patch_nums)

    @property
    def follows_labels(self) -> bool:
        """Whether the model heeds the labels of canvases and layouts."""
        return self.hart.config.transformer.label_classes > 0

    def recorded(self, rows: int | None = None) -> dict[str, Any]:
        """Everything but job, canvas and weights that decides the bytes."""
        return {
            **dataclasses.asdict(self.settings),
            "paint_px": self.paint_px,
            "feather_px": self.feather_px,
            "precision": self.hart.precision,
            "rows": rows or self._rows,
            "threads": self.threads,
            "device": _device_name(self.hart.device),
            "fused": self.fused,
            "torch": torch.__version__,
            "opencv": OPENCV_VERSION,
        }

    def __call__(self, work: Sequence[Work]) -> Iterator[Render]:
        """The renders, in the order of the work, each as soon as those before it are done.

        Raises ValueError for a job whose canvas or layout is missing, superfluous or of another
        size, and
        RenderError where the model gives no numbers or a single picture is too large for memory.
        """
        for job, underlay in work:
            _require_underlay(job, underlay)
        kinds: dict[Kind, list[int]] = {}
        for index, each in enumerate(work):
            kinds.setdefault(self._kind(*each), []).append(index)
        chunks = [
            (indices[start : start + self._rows], kind)
            for kind, indices in kinds.items()
            for start in range(0, len(indices), self._rows)
        ]
        done: dict[int, Render] = {}
        given = 0
        for indices, kind in sorted(chunks, key=lambda chunk: chunk[0]):
            renders = self._render(kind, [work[i] for i in indices], self._rows)
            done.update(zip(indices, renders, strict=True))
            while given in done:
                yield done.pop(given)
                given += 1

    @property
    def _rows(self) -> int:
        return self.rows or (CUDA_ROWS if self.hart.device.type == "cuda" else CPU_ROWS)

    @property
    def _cell(self) -> int:
        return self.hart.config.tokenizer.downsampling

    def _grid(self, size_px: Size) -> Grid:
        """The tokens of a picture: as many as the model may on the longer side, in its shape."""
        longest = max(self.hart.config.size_px) if self.paint_px is None else self.paint_px
        cells = longest // self._cell
        height, width = (max(1, round(cells * side / max(size_px))) for side in size_px)
        return height, width

    def _painted_px(self, grid: Grid) -> Size:
        return grid[0] * self._cell, grid[1] * self._cell

    def _kind(self, job: RenderJob, underlay: Underlay) -> Kind:
        return Kind(
            grid=self._grid(job.size_px),
            seamless=job.route == "texture",
            canvas=isinstance(underlay, Canvas),
            labels=underlay is not None and self.follows_labels,
            negative=bool(job.negative) and self.settings.guidance > 0,
            calm=bool(job.calm) and self.settings.choices > 1,
        )

    def _render(self, kind: Kind, work: Sequence[Work], rows: int) -> list[Render]:
        """Renders of one kind, `rows` at a time: where memory is too small, half as many."""
        started = time.perf_counter()
        torch.set_num_threads(self.threads)
        padded = [*work, *[work[0]] * (rows - len(work))]
        painted = self._paint_if_it_fits(kind, padded)
        if painted is None:
            logger.warning("memory is too small for %d rows; %d go together", rows, rows // 2)
            parts = [work[start : start + rows // 2] for start in range(0, len(work), rows // 2)]
            return [render for part in parts for render in self._render(kind, part, rows // 2)]
        for finite, (job, _) in zip(painted["finite"].tolist(), work, strict=False):
            if not finite:
                raise RenderError(
                    f"'{job.target}': the model gives no numbers (NaN or infinite) for "
                    f"{job.prompt!r}; its weights are damaged, or too large for "
                    f"render.precision={self.hart.precision}"
                )
        images = painted["pixels"].numpy()[: len(work)]
        seconds = (time.perf_counter() - started) / len(work)
        logger.debug("%d images in %.2f s", len(work), seconds * len(work))
        return [
            Render(
                job=job,
                image=self._finish(image, job, underlay),
                weights_hash=self.hart.weights_hash,
                settings=self.recorded(rows),
                cache_key=self.cache_key(job, underlay, rows),
                seconds=seconds,
            )
            for image, (job, underlay) in zip(images, work, strict=True)
        ]

    def _paint_if_it_fits(self, kind: Kind, work: Sequence[Work]) -> Tensors | None:
        """As `_paint`, or None where memory is too small; RenderError if it is for one row."""
        try:
            return self._paint(kind, work)
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
            if len(work) == 1:
                height, width = self._painted_px(kind.grid)
                raise RenderError(
                    f"'{work[0][0].target}': memory is too small to paint even one picture of "
                    f"{width}x{height} pixels; set render.paint_px lower"
                ) from error
        # Out here the error is gone, and with it all that its frames held.
        return None

    @torch.inference_mode()
    def _paint(self, kind: Kind, work: Sequence[Work]) -> Tensors:
        """What `painting.paint` makes of jobs and their underlays, on the CPU."""
        underlays = [underlay for _, underlay in work if underlay is not None]
        given = self._prompts(kind, [job for job, _ in work])
        if kind.canvas:
            given |= self._canvases(kind, [each for each in underlays if isinstance(each, Canvas)])
        if kind.labels:
            given["labels"] = self._labels(kind, underlays)
        device = self.hart.device
        there = {name: tensor.to(device, non_blocking=True) for name, tensor in given.items()}
        run = self.run or functools.partial(paint, self.hart, self.settings)
        return {name: tensor.cpu() for name, tensor in run(kind, there).items()}

    def _prompts(self, kind: Kind, jobs: Sequence[RenderJob]) -> dict[str, Tensor]:
        """Contexts and seeds of the jobs."""
        asked = {"prompt": [job.prompt for job in jobs]}
        if kind.negative:
            asked["negative"] = [job.negative for job in jobs]
        if kind.calm:
            asked["calm"] = [job.calm for job in jobs]
        given: dict[str, Tensor] = {}
        for name, prompts in asked.items():
            context = self.hart.text.encode(prompts)
            given |= {name: context.states, f"{name}_positions": context.position_ids}
        keys = [job.noise_key for job in jobs]
        given["seeds"] = seeds_of(keys)
        if kind.calm:
            choices = range(1, self.settings.choices)
            others = [seeds_of([f"{key}/{choice}" for key in keys]) for choice in choices]
            given["seeds"] = torch.stack([given["seeds"], *others])
        return given

    def _canvases(self, kind: Kind, canvases: Sequence[Canvas]) -> dict[str, Tensor]:
        """Pictures and masks at the size at which the model paints."""
        size_px = self._painted_px(kind.grid)
        return {
            "canvas": torch.from_numpy(np.stack([resize(c.image, size_px) for c in canvases])),
            "editable": torch.stack([_shrink_mask(c.editable, size_px) for c in canvases]),
            "keep_scales": torch.tensor([c.keep_scales for c in canvases]),
        }

    def _labels(self, kind: Kind, underlays: Sequence[Canvas | Layout]) -> Tensor:
        """Label maps at the size at which the model paints."""
        size_px = self._painted_px(kind.grid)
        maps = [torch.from_numpy(resize_labels(each.labels, size_px)) for each in underlays]
        return torch.stack(maps)

    def _finish(self, image: Image, job: RenderJob, underlay: Underlay) -> Image:
        """The image at the job's size, with what the canvas does not offer put back exactly."""
        if job.route == "texture":
            return _resize_wrapped(image, job.size_px)
        image = resize(image, job.size_px)
        if not isinstance(underlay, Canvas):
            return image
        reach = max(job.size_px) / 64 if self.feather_px is None else self.feather_px
        return fade_in(underlay.image, image, underlay.editable, reach)

    def cache_key(self, job: RenderJob, underlay: Underlay, rows: int | None = None) -> str:
        """Equal for two renders exactly if everything that decides their bytes is."""
        known = (self.recorded(rows), self.hart.weights_hash, __version__)
        digest = hashlib.sha256(json.dumps([dataclasses.asdict(job), *known]).encode())
        if isinstance(underlay, Canvas):
            digest.update(f"{underlay.image.shape} {underlay.keep_scales}".encode())
            digest.update(underlay.image.tobytes() + underlay.editable.tobytes())
        if underlay is not None:
            digest.update(underlay.labels.tobytes())
        return digest.hexdigest()[:32]


def _device_name(device: torch.device) -> str:
    """What computes: the kind of CPU by its instructions, or the CUDA device by its name."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu {torch.backends.cpu.get_cpu_capability()}"


def _is_out_of_memory(error: RuntimeError) -> bool:
    # The CPU's allocator and CUDA's libraries have no exception of their own.
    signs = ("out of memory", "DefaultCPUAllocator", "ALLOC_FAILED")
    return any(sign in str(error) for sign in signs)


def _require_underlay(job: RenderJob, underlay: Underlay) -> None:
    needed = job.route in ("backdrop", "repaint")
    if needed != isinstance(underlay, Canvas):
        raise ValueError(f"a {job.route} job {'needs a' if needed else 'takes no'} canvas")
    if isinstance(underlay, Layout):
        if job.route != "view":
            raise ValueError(f"a {job.route} job takes no layout")
        labels = underlay.labels
        if labels.shape != job.size_px or labels.dtype != np.uint8:
            raise ValueError(
                f"layout is {labels.dtype} {labels.shape}, must be uint8 {job.size_px}"
            )
    if not isinstance(underlay, Canvas):
        return
    if underlay.image.shape[:2] != job.size_px:
        raise ValueError(f"canvas is {underlay.image.shape[:2]}, job asks for {job.size_px}")
    mask = underlay.editable
    if mask.shape != job.size_px or mask.dtype != np.bool_:
        raise ValueError(f"mask is {mask.dtype} {mask.shape}, must be bool {job.size_px}")
    if not mask.any():
        logger.warning("'%s': its mask lets nothing change, so nothing does", job.target)


def _shrink_mask(mask: Mask, size_px: Size) -> Tensor:
    """The mask at the model's size, True where any of its pixels is."""
    whole = torch.from_numpy(mask)[None, None].float()
    return functional.adaptive_max_pool2d(whole, size_px)[0, 0] > 0


def _resize_wrapped(image: Image, size_px: Size) -> Image:
    """The image at another size, interpolated across its edges, which belong together."""
    if image.shape[:2] == size_px:
        return image
    height, width = size_px
    tiled = resize(np.tile(image, (3, 3, 1)), (3 * height, 3 * width))
    return tiled[height : 2 * height, width : 2 * width]
