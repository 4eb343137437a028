"""HART beside diffusion models of its class, all with random weights, in one run on one machine.

.venv/bin/python benchmarks/bench_peers.py [--json FILE] [--only NAME ...] [--compile]

On CUDA the models have their published shapes, at 1024 px and in bf16. On a CPU that would take
hours, so all of them, HART too, are scaled down alike: widths and depths by 4, 256 px, fp32. Text
is given as embeddings on both sides. Random weights measure speed, and nothing else. Peers get
their best: their own pipelines, channels_last decoders, and with --compile torch.compile.

Each run of a peer is followed by one of HART, and ratios are between medians of these. The floor is
the arithmetic (`torch.utils.flop_counter`; HART's in closed form) at the GEMM rate of the same run.
"""

import argparse
import dataclasses
import json
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from hartsim.bench.flops import drawing_cost
from hartsim.bench.machine import (
    set_up,
    this_machine,
    timed,
    timed_among_rates,
)
from hartsim.bench.plan import subject_config
from hartsim.bench.records import Lap, Machine, Rates, Timing
from hartsim.bench.show import amount, seconds
from hartsim.bench.subject import Subject, random_hart, subject_of
from hartsim.hart.config import HartConfig

INSTALL = "pip install 'diffusers>=0.35' transformers accelerate"
FULL, SMALL = 1, 4
"""By how much widths and depths are divided."""
SIZE_PX = {FULL: 1024, SMALL: 256}
GUIDANCE = 4.5
WIDTH = 140
"""Of the table on the screen, in characters."""
SAID = 200
"""Characters that are kept of an error."""


@dataclass(frozen=True)
class Parts:
    """What a pipeline is made of, at some scale."""

    denoiser: nn.Module
    vae: nn.Module
    scheduler: Callable[[], Any]


@dataclass(frozen=True)
class Peer:
    """One model with its usual number of steps."""

    name: str
    steps: int
    guided: bool
    pipeline: str
    """The class in diffusers."""
    parts: Callable[[int], Parts]
    """At widths and depths divided by a number."""
    latent: tuple[int, int]
    """Channels, and pixels along one side of a cell."""
    text: Mapping[str, tuple[int, ...]]
    """Shapes of one prompt's embeddings, by the pipeline's names."""
    inputs: Callable[[Tensor, Tensor, Mapping[str, Tensor]], dict[str, Any]]
    """What the denoiser is called with: latents, timesteps and embeddings."""
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """One model in this run; `ours` are the runs of HART between its own."""

    name: str
    steps: int
    guided: bool
    parameters: int
    """Denoiser, or transformer, and decoder."""
    flops: int
    full_size_flops: int
    latency: Timing
    ours: Timing
    batch: int
    """Of the best throughput."""
    images_per_s: float


@dataclass(frozen=True)
class PeersReport:
    """One run of this script."""

    date: str
    machine: Machine
    diffusers: str
    scaled: str
    """How models were scaled down; empty for their published shapes."""
    size_px: int
    precision: str
    compiled: bool
    rates: Rates
    models: tuple[Measured, ...]
    """HART first."""
    failed: dict[str, str]
    """What became of the others."""


def sdxl(shrink: int) -> Parts:
    """SDXL's U-Net and its decoder; heads keep 64 channels, or nearly so."""
    from diffusers import EulerDiscreteScheduler, UNet2DConditionModel

    widths = tuple(width // shrink for width in (320, 640, 1280))
    unet = UNet2DConditionModel(
        sample_size=128,
        block_out_channels=widths,
        norm_num_groups=32 // shrink,
        attention_head_dim=tuple(max(1, heads // shrink) for heads in (5, 10, 20)),
        transformer_layers_per_block=(1, max(1, 2 // shrink), max(1, 10 // shrink)),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=2048,
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=2816,
        use_linear_projection=True,
    )
    return Parts(unet, autoencoder(4, shrink), EulerDiscreteScheduler)


def pixart(shrink: int) -> Parts:
    from diffusers import DPMSolverMultistepScheduler, PixArtTransformer2DModel

    transformer = PixArtTransformer2DModel(
        num_attention_heads=16 // shrink,
        attention_head_dim=72,
        cross_attention_dim=1152 // shrink,
        num_layers=28 // shrink,
        caption_channels=4096,
        sample_size=128,
        use_additional_conditions=False,
    )
    return Parts(transformer, autoencoder(4, shrink), DPMSolverMultistepScheduler)


def sd3(shrink: int) -> Parts:
    from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel

    transformer = SD3Transformer2DModel(
        sample_size=128,
        num_layers=24 // shrink,
        num_attention_heads=24 // shrink,
        attention_head_dim=64,
        caption_projection_dim=1536 // shrink,
        pos_embed_max_size=192,
    )
    scheduler = partial(FlowMatchEulerDiscreteScheduler, shift=3.0)
    return Parts(transformer, autoencoder(16, shrink), scheduler)


def sana(shrink: int) -> Parts:
    from diffusers import DPMSolverMultistepScheduler

    scheduler = partial(
        DPMSolverMultistepScheduler,
        prediction_type="flow_prediction",
        use_flow_sigmas=True,
        flow_shift=3.0,
    )
    return Parts(sana_transformer(shrink), deep_autoencoder(shrink), scheduler)


def sana_sprint(shrink: int) -> Parts:
    from diffusers import SCMScheduler

    transformer = sana_transformer(
        shrink, guidance_embeds=True, qk_norm="rms_norm_across_heads", timestep_scale=1000.0
    )
    return Parts(transformer, deep_autoencoder(shrink), SCMScheduler)


def sana_transformer(shrink: int, **more: Any) -> nn.Module:
    from diffusers import SanaTransformer2DModel

    return SanaTransformer2DModel(
        num_layers=28 // shrink,
        num_attention_heads=36 // shrink,
        attention_head_dim=32,
        num_cross_attention_heads=16 // shrink,
        cross_attention_head_dim=72,
        cross_attention_dim=1152 // shrink,
        caption_channels=2304,
        **more,
    )


def autoencoder(channels: int, shrink: int) -> nn.Module:
    """The eightfold one of SDXL, PixArt and SD3."""
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        latent_channels=channels,
        block_out_channels=tuple(width // shrink for width in (128, 256, 512, 512)),
        norm_num_groups=32 // shrink,
        layers_per_block=2,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        force_upcast=False,
        shift_factor=0.0,  # SD3 wants one
    )


def deep_autoencoder(shrink: int) -> nn.Module:
    """The 32-fold one of SANA."""
    from diffusers import AutoencoderDC

    widths = tuple(width // shrink for width in (128, 256, 512, 512, 1024, 1024))
    blocks = ("ResBlock",) * 3 + ("EfficientViTBlock",) * 3
    return AutoencoderDC(
        encoder_block_types=blocks,
        decoder_block_types=blocks,
        encoder_block_out_channels=widths,
        decoder_block_out_channels=widths,
        downsample_block_type="conv",
        upsample_block_type="interpolate",
    )


def sdxl_inputs(latents: Tensor, times: Tensor, text: Mapping[str, Tensor]) -> dict[str, Any]:
    return {
        "sample": latents,
        "timestep": times[0],
        "encoder_hidden_states": text["prompt_embeds"],
        "added_cond_kwargs": {
            "text_embeds": text["pooled_prompt_embeds"],
            "time_ids": latents.new_zeros(len(latents), 6),
        },
    }


def dit_inputs(latents: Tensor, times: Tensor, text: Mapping[str, Tensor]) -> dict[str, Any]:
    return {
        "hidden_states": latents,
        "timestep": times,
        "encoder_hidden_states": text["prompt_embeds"],
    }


def pixart_inputs(latents: Tensor, times: Tensor, text: Mapping[str, Tensor]) -> dict[str, Any]:
    nothing = {"resolution": None, "aspect_ratio": None}
    return {**dit_inputs(latents, times, text), "added_cond_kwargs": nothing}


def sd3_inputs(latents: Tensor, times: Tensor, text: Mapping[str, Tensor]) -> dict[str, Any]:
    pooled = {"pooled_projections": text["pooled_prompt_embeds"]}
    return {**dit_inputs(latents, times, text), **pooled}


def sprint_inputs(latents: Tensor, times: Tensor, text: Mapping[str, Tensor]) -> dict[str, Any]:
    return {**dit_inputs(latents, times, text), "guidance": times}


XL = {"prompt_embeds": (77, 2048), "pooled_prompt_embeds": (1280,)}
PEERS = (
    Peer("SDXL", 20, True, "StableDiffusionXLPipeline", sdxl, (4, 8), XL, sdxl_inputs),
    Peer("SDXL", 40, True, "StableDiffusionXLPipeline", sdxl, (4, 8), XL, sdxl_inputs),
    Peer(
        "PixArt-Sigma",
        20,
        True,
        "PixArtSigmaPipeline",
        pixart,
        (4, 8),
        {"prompt_embeds": (300, 4096), "prompt_attention_mask": (300,)},
        pixart_inputs,
        {"use_resolution_binning": False, "negative_prompt": None},
    ),
    Peer(
        "SD3-medium",
        28,
        True,
        "StableDiffusion3Pipeline",
        sd3,
        (16, 8),
        {"prompt_embeds": (333, 4096), "pooled_prompt_embeds": (2048,)},
        sd3_inputs,
    ),
    Peer(
        "SANA-0.6B",
        20,
        True,
        "SanaPipeline",
        sana,
        (32, 32),
        {"prompt_embeds": (300, 2304), "prompt_attention_mask": (300,)},
        dit_inputs,
        {"use_resolution_binning": False, "negative_prompt": None},
    ),
    Peer(
        "SANA-Sprint-0.6B",
        2,
        False,
        "SanaSprintPipeline",
        sana_sprint,
        (32, 32),
        {"prompt_embeds": (300, 2304), "prompt_attention_mask": (300,)},
        sprint_inputs,
        {"use_resolution_binning": False},
    ),
)


def hart_shape(shrink: int) -> HartConfig:
    """The 0.7B model, scaled down as its peers are."""
    config = subject_config("0.7b", SIZE_PX[shrink])
    if shrink == FULL:
        return config
    t, tokens = config.transformer, config.tokenizer
    small = dataclasses.replace(
        t,
        depth=t.depth // shrink,
        embed_dim=t.embed_dim // shrink,
        num_heads=t.num_heads // shrink,
        diff_width=t.diff_width // shrink,
        diff_depth=t.diff_depth // 2,
    )
    decoder = dataclasses.replace(
        tokens, ch=tokens.ch // shrink, norm_groups=tokens.norm_groups // shrink
    )
    return dataclasses.replace(config, transformer=small, tokenizer=decoder)


def scaling(shrink: int) -> str:
    """How everything was scaled down, for tables."""
    if shrink == FULL:
        return ""
    return f"widths and depths / {shrink}, {SIZE_PX[shrink]} px instead of {SIZE_PX[FULL]}, fp32"


def our_subject(shrink: int, precision: str, device: torch.device) -> Subject:
    """HART with random weights, made where it runs."""
    return subject_of("0.7b", random_hart(hart_shape(shrink), device), precision)


def flops_of(peer: Peer, shrink: int) -> int:
    """Of one picture: all steps and the decoder, counted without computing anything."""
    side = SIZE_PX[shrink] // peer.latent[1]
    rows = 2 if peer.guided else 1
    with torch.device("meta"), torch.no_grad():
        parts = peer.parts(shrink)
        latents = torch.empty(rows, peer.latent[0], side, side)
        text = {name: torch.empty(rows, *shape) for name, shape in peer.text.items()}
        inputs = peer.inputs(latents, torch.empty(rows), text)
    denoiser, vae = parts.denoiser.to("meta"), parts.vae.to("meta")
    counted = []
    for work in (lambda: denoiser(**inputs), lambda: vae.decode(latents[:1])):
        counter = FlopCounterMode(display=False)
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
            work()
        counted.append(counter.get_total_flops())
    return peer.steps * counted[0] + counted[1]


def our_flops(shrink: int) -> int:
    """As flops_of."""
    return sum(cost.flops for cost in drawing_cost(hart_shape(shrink)))


def pipeline_of(
    peer: Peer, shrink: int, dtype: torch.dtype, device: torch.device, compiled: bool
) -> tuple[Callable[[int], object], int]:
    """A function that draws a batch, and the number of weights that it uses."""
    import diffusers

    torch.manual_seed(0)
    with device:
        parts = peer.parts(shrink)
    denoiser, vae = parts.denoiser.to(device, dtype), parts.vae.to(device, dtype)
    for module in (denoiser, vae):
        for weight in module.parameters():
            if not weight.any():
                nn.init.normal_(weight, std=0.02)
    if device.type == "cuda":
        vae.to(memory_format=torch.channels_last)
    if compiled:
        denoiser.compile()
        vae.decoder.compile()
    kind = getattr(diffusers, peer.pipeline)
    absent = [f"{part}{n}" for part in ("text_encoder", "tokenizer") for n in ("", "_2", "_3")]
    takes = set(kind.__init__.__code__.co_varnames)
    network = "unet" if "unet" in takes else "transformer"
    modules = {network: denoiser, "vae": vae, "scheduler": parts.scheduler()}
    pipeline = kind(**modules, **{name: None for name in absent if name in takes})
    pipeline.set_progress_bar_config(disable=True)
    generator = torch.Generator(device).manual_seed(0)
    text = {
        name: torch.ones(1, *shape, device=device)
        if "mask" in name
        else torch.randn(1, *shape, generator=generator, device=device, dtype=dtype)
        for name, shape in peer.text.items()
    }
    if peer.guided:
        text |= {f"negative_{name}": tensor for name, tensor in text.items()}

    def draw(batch: int) -> object:
        return pipeline(
            **{
                name: tensor.repeat(batch, *[1] * (tensor.ndim - 1))
                for name, tensor in text.items()
            },
            num_inference_steps=peer.steps,
            guidance_scale=GUIDANCE,
            height=SIZE_PX[shrink],
            width=SIZE_PX[shrink],
            generator=torch.Generator(device).manual_seed(0),
            output_type="np",
            **peer.settings,
        )

    used = [denoiser, vae.decoder]
    return draw, sum(weight.numel() for module in used for weight in module.parameters())


def in_turns(
    theirs: Callable[[], object], ours: Callable[[], object], runs: int, device: torch.device
) -> tuple[Timing, Timing]:
    """Runs of both, so that they see the same state of the machine; both are warmed up."""
    theirs()
    ours()
    laps: tuple[list[Lap], list[Lap]] = ([], [])
    for _ in range(runs):
        laps[0].append(timed(theirs, device))
        laps[1].append(timed(ours, device))
    return Timing.of(laps[0]), Timing.of(laps[1])


def best_batch(
    draw: Callable[[int], object], batches: Sequence[int], single: Timing, device: torch.device
) -> tuple[int, float]:
    """The batch that brings most pictures a second, and how many; those that do not fit are out."""
    found = {1: 1 / single.wall_s}
    for batch in batches:
        try:
            draw(batch)
            found[batch] = batch / timed(partial(draw, batch), device).wall_s
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            break
    best = max(found, key=lambda batch: found[batch])
    return best, found[best]


def measure(
    peers: Sequence[Peer],
    shrink: int,
    device: torch.device,
    runs: int,
    batches: Sequence[int],
    compiled: bool,
) -> Iterator[PeersReport]:
    """The report, longer by one model each time."""
    precision, dtype = (
        ("bf16", torch.bfloat16) if device.type == "cuda" else ("fp32", torch.float32)
    )
    subject = our_subject(shrink, precision, device)
    subject.draw()
    laps, rates = timed_among_rates(subject.draw, max(runs, 4), device)
    own = Timing.of(laps)
    batch, most = best_batch(subject.draw, batches, own, device)
    decoder = subject.hart.tokenizer.vae.decoder.parameters()
    weights = subject.parameters["llm"] + sum(weight.numel() for weight in decoder)
    steps = subject.settings.residual_steps
    ours = Measured(
        "HART", steps, True, weights, our_flops(shrink), our_flops(FULL), own, own, batch, most
    )
    report = PeersReport(
        date=datetime.now(UTC).date().isoformat(),
        machine=this_machine(device),
        diffusers=metadata.version("diffusers"),
        scaled=scaling(shrink),
        size_px=SIZE_PX[shrink],
        precision=precision,
        compiled=compiled,
        rates=rates,
        models=(ours,),
        failed={},
    )
    yield report
    for peer in peers:
        title = f"{peer.name}, {peer.steps} steps"
        try:
            draw, weights = pipeline_of(peer, shrink, dtype, device, compiled)
            latency, between = in_turns(partial(draw, 1), subject.draw, runs, device)
            batch, most = best_batch(draw, batches, latency, device)
        except (RuntimeError, ValueError, TypeError) as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:SAID]
            failed = {**report.failed, title: reason}
            report = dataclasses.replace(report, failed=failed)
            yield report
            continue
        finally:
            if device.type == "cuda":
                torch.cuda.empty_cache()
        flops, full = flops_of(peer, shrink), flops_of(peer, FULL)
        measured = Measured(
            title, peer.steps, peer.guided, weights, flops, full, latency, between, batch, most
        )
        report = dataclasses.replace(report, models=(*report.models, measured))
        yield report


def rows(report: PeersReport) -> list[list[str]]:
    """The table as words; the first row says what the columns are."""
    gemm = report.rates.gemm[report.precision].per_s
    head = ["", "weights", "time", "of HART's", "FLOP", "of floor", "pictures/s (batch)"]
    head += ["FLOP at full size", "of HART's"]
    lines = [head]
    for each in report.models:
        lines.append(
            [
                each.name,
                f"{each.parameters / 1e6:.0f} M",
                seconds(each.latency.wall_s),
                f"{each.latency.wall_s / each.ours.wall_s:.2f}",
                amount(each.flops, "FLOP"),
                f"{100 * each.flops / gemm / each.latency.wall_s:.0f} %",
                f"{each.images_per_s:.3g} ({each.batch})",
                amount(each.full_size_flops, "FLOP"),
                f"{each.full_size_flops / report.models[0].full_size_flops:.2f}",
            ]
        )
    return lines


def heading(report: PeersReport) -> str:
    """What the table is about."""
    m, gemm = report.machine, report.rates.gemm[report.precision].per_s
    scaled = f"scaled down ({report.scaled})" if report.scaled else "published shapes"
    return (
        f"{report.size_px} px, {report.precision}, {scaled}, random weights, text given; "
        f"{m.gpu or m.cpu}, {m.threads} threads, load {m.load:.1f}, GEMM {amount(gemm, 'FLOP')}/s, "
        f"PyTorch {m.torch}, diffusers {report.diffusers}"
        f"{', peers compiled' if report.compiled else ''}, {report.date}"
    )


def shown(report: PeersReport) -> None:
    """Print the table and what failed."""
    first, *others = rows(report)
    table = Table(first[0], *first[1:], box=None, pad_edge=False)
    for row in others:
        table.add_row(*row)
    screen = Console(soft_wrap=True, highlight=False, width=WIDTH)
    screen.print(table)
    screen.print(heading(report))
    for name, reason in report.failed.items():
        screen.print(f"{name} failed: {reason}", markup=False)


def parsed() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = sorted({peer.name for peer in PEERS})
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--device", default="auto")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--batches", type=int, nargs="*", help="for throughput; CUDA: 8")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--compile", action="store_true", help="torch.compile the peers")
    parser.add_argument("--json", type=Path, metavar="FILE", help="rewritten after every model")
    return parser.parse_args()


def main() -> None:
    asked = parsed()
    if find_spec("diffusers") is None:
        print(f"nothing measured: the peers need diffusers; {INSTALL}")
        return
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)  # what diffusers and its friends miss is not needed here
    device = set_up(asked.device, asked.threads)
    on_gpu = device.type == "cuda"
    batches = ((8,) if on_gpu else ()) if asked.batches is None else asked.batches
    peers = [peer for peer in PEERS if not asked.only or peer.name in asked.only]
    shrink = FULL if on_gpu else SMALL
    for report in measure(peers, shrink, device, asked.runs, batches, asked.compile):
        sys.stderr.write(f"{len(report.models)} of {len(peers) + 1} measured\n")
        if asked.json:
            words = {"heading": heading(report), "rows": rows(report)}
            text = json.dumps({**dataclasses.asdict(report), **words}, indent=1)
            asked.json.write_text(text + "\n", encoding="utf-8")
    shown(report)


if __name__ == "__main__":
    main()
