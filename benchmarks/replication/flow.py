"""Rectified flow (arXiv 2209.03003): its loss, and solvers for the way from noise to latents.

At time t a latent is (1 - t) * clean + t * noise, and its velocity is noise - clean.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.replication.models import FlowPainter, Memory
from hartsim.hart.text import Context
from hartsim.hart.transformer import drop_context

Solver = Literal["euler", "heun", "multistep"]
SOLVERS: tuple[Solver, ...] = ("euler", "heun", "multistep")
Velocity = Callable[[Tensor, int], Tensor]
"""The velocity at a latent, for the number of a time in `evaluation_times`."""


def flow_loss(
    painter: FlowPainter, latents: Tensor, ids: Tensor, drop_rate: float, generator: torch.Generator
) -> Tensor:
    """Squared error of the velocity; times are logit-normal (arXiv 2403.03206)."""
    flow = painter.transformer
    clean = flow.normalised(latents)
    noise = torch.randn(clean.shape, generator=generator)
    times = torch.randn(len(clean), generator=generator).sigmoid()
    at = times[:, None, None, None]
    context = drop_context(painter.text(ids), drop_rate, generator)
    velocity = flow((1 - at) * clean + at * noise, flow.embed_times(times), flow.read(context))
    return functional.mse_loss(velocity, noise - clean)


def knots(evaluations: int, solver: Solver) -> Tensor:
    """The times between which a solver steps, from 1 to 0, for so many evaluations."""
    if evaluations < 1 or (solver == "heun" and evaluations % 2):
        raise ValueError(f"{solver} cannot take {evaluations} evaluations")
    return torch.linspace(1, 0, (evaluations // 2 if solver == "heun" else evaluations) + 1)


def evaluation_times(evaluations: int, solver: Solver) -> Tensor:
    """The time of every evaluation, (N,), in order."""
    at = knots(evaluations, solver)
    if solver == "heun":
        return torch.stack([at[:-1], at[1:]], dim=1).flatten()
    return at[:-1]


def integrate(velocity: Velocity, start: Tensor, evaluations: int, solver: Solver) -> Tensor:
    """Follow the flow from noise at time 1 to a latent at time 0.

    `multistep` is DPM-Solver++(2M) (arXiv 2211.01095) with signal 1 - t and noise t: the clean
    latent is predicted, and extrapolated from the step before; first and last step are of first
    order.
    """
    at: Sequence[float] = knots(evaluations, solver).double().tolist()
    if solver == "multistep":
        return _multistep(velocity, start, at)
    x = start
    for step, (now, then) in enumerate(itertools.pairwise(at)):
        if solver == "euler":
            x = x + (then - now) * velocity(x, step)
            continue
        first = velocity(x, 2 * step)
        second = velocity(x + (then - now) * first, 2 * step + 1)
        x = x + (then - now) * (first + second) / 2
    return x


def _multistep(velocity: Velocity, start: Tensor, at: Sequence[float]) -> Tensor:
    x, before = start, torch.zeros_like(start)
    for step, (now, then) in enumerate(itertools.pairwise(at)):
        clean = x - now * velocity(x, step)
        toward = clean
        if 1 < step < len(at) - 2:
            # The logarithms of signal over noise grow by these much in this and the last step.
            grown = torch.tensor(_log_ratio(then) - _log_ratio(now)).item()
            grew = _log_ratio(now) - _log_ratio(at[step - 1])
            toward = clean + (clean - before) * grown / (2 * grew)
        x = then / now * x + (1 - then - then / now * (1 - now)) * toward
        before = clean
    return x


def _log_ratio(time: float) -> float:
    return float(torch.logit(torch.tensor(1 - time, dtype=torch.float64)))


@torch.no_grad()
def draw_latents(
    painter: FlowPainter,
    context: Context,
    start: Tensor,
    evaluations: int,
    solver: Solver,
    guidance: float,
) -> Tensor:
    """Latents (B, C, P, P) from noise of that shape; with guidance 0 there are no null rows.

    Guidance counts as in `hartsim.hart.sampling.guide`: 1 doubles the lead over the null rows.
    """
    flow = painter.transformer
    memory = flow.read(context, guided=guidance > 0)
    of_blocks, of_end = flow.embed_times(evaluation_times(evaluations, solver))

    def velocity(x: Tensor, number: int) -> Tensor:
        time = of_blocks[number : number + 1], of_end[number : number + 1]
        if guidance == 0:
            return _velocity(painter, x, time, memory)
        conditional, null = _velocity(painter, torch.cat([x, x]), time, memory).chunk(2)
        return (1 + guidance) * conditional - guidance * null

    return flow.latents_of(integrate(velocity, start, evaluations, solver))


def _velocity(
    painter: FlowPainter, x: Tensor, time: tuple[Tensor, Tensor], memory: Memory
) -> Tensor:
    out: Tensor = painter.transformer(x, time, memory)
    return out
