"""One training run on several processes, as `torchrun` starts them; alone without it."""

import os
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import torch
from torch import distributed


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together, and where its tensors are."""

    rank: int = 0
    world: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def seed(self, *numbers: int) -> torch.Generator:
        """A generator on the device that depends on the numbers and the rank alone."""
        state = 0
        for number in (*numbers, self.rank):
            state = (state * 1_000_003 + number + 1) % (1 << 61)
        return torch.Generator(self.device).manual_seed(state)

    def average_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Make the gradients of all processes their mean."""
        if self.world == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.flatten() for g in gradients])
        distributed.all_reduce(flat)
        flat /= self.world
        start = 0
        for gradient in gradients:
            gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
            start += gradient.numel()

    def agreed(self, value: float) -> float:
        """The value of the process that leads, for all."""
        if self.world == 1:
            return value
        shared = torch.tensor(value, dtype=torch.float64, device=self.device)
        distributed.broadcast(shared, src=0)
        return float(shared)

    def wait(self) -> None:
        """Until all processes are here."""
        if self.world > 1:
            distributed.barrier()

    def autocast(self) -> AbstractContextManager[object]:
        """Bfloat16 where it is fast, which is on GPUs."""
        if self.device.type == "cuda":
            return torch.autocast("cuda", torch.bfloat16)
        return nullcontext()


def join_ranks() -> Ranks:
    """Meet the processes that `torchrun` started, each on a GPU of its own where there are GPUs."""
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    local = int(os.environ.get("LOCAL_RANK", 0))
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", local)
        torch.cuda.set_device(device)
    if world > 1 and not distributed.is_initialized():
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return Ranks(rank, world, device)
