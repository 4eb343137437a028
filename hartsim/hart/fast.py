"""What only CUDA needs: a picture recorded once as a graph of kernels, then replayed as a whole.

A generation is some ten thousand small kernels, which the host takes longer to start than a large
device takes to run. Recorded, they start together, and the host is asked nothing between a prompt
and its pixels. Everything else that makes a picture lies in `painting` and runs anywhere.
"""

import functools
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from hartsim.hart.model import Hart
from hartsim.hart.painting import Kind, Tensors, paint
from hartsim.hart.sampling import SamplingSettings

logger = logging.getLogger(__name__)

WARM_UPS = 2
"""Runs before a recording: libraries choose their kernels then, and constants are made."""
MOST_RECORDINGS = 8
"""Kinds and shapes kept at a time; each holds memory for its inputs and outputs."""


class Recorder:
    """`painting.paint` of one model on a CUDA device, recorded for every kind and shape of input.

    With `fuse`, the elementwise steps of a block are compiled into few kernels, which takes a
    minute at the first picture.
    """

    def __init__(self, hart: Hart, settings: SamplingSettings, fuse: bool = False) -> None:
        self._run = functools.partial(paint, hart, settings)
        self._recordings: OrderedDict[Any, Recording] = OrderedDict()
        self._pool: Any = None
        if fuse:
            fuse_blocks(hart)

    def __call__(self, kind: Kind, given: Tensors) -> Tensors:
        """What `paint` returns; valid until the next call."""
        shapes = tuple((name, tensor.shape, tensor.dtype) for name, tensor in given.items())
        key = (kind, shapes)
        if key not in self._recordings:
            self._pool = self._pool or torch.cuda.graph_pool_handle()
            run = functools.partial(self._run, kind)
            self._recordings[key] = record(run, given, self._pool)
            if len(self._recordings) > MOST_RECORDINGS:
                self._recordings.popitem(last=False)
        self._recordings.move_to_end(key)
        return self._recordings[key].replay(given)


@dataclass(frozen=True)
class Recording:
    """A function of tensors as a graph, with the memory that it reads and writes."""

    graph: torch.cuda.CUDAGraph
    inputs: dict[str, Tensor]
    outputs: Tensors

    def replay(self, given: Tensors) -> Tensors:
        """The function's result for other values of the same shapes."""
        for name, tensor in given.items():
            self.inputs[name].copy_(tensor, non_blocking=True)
        self.graph.replay()
        return self.outputs


def record(run: Callable[[Tensors], Tensors], given: Tensors, pool: Any) -> Recording:
    """Run a function of tensors a few times, then record it."""
    inputs = {name: tensor.clone() for name, tensor in given.items()}
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM_UPS):
            run(inputs)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, pool=pool):
        outputs = run(inputs)
    logger.info("recorded %s", {name: tuple(tensor.shape) for name, tensor in inputs.items()})
    return Recording(graph, inputs, outputs)


def fuse_blocks(hart: Hart) -> None:
    """Compile the transformer's blocks for any number of tokens; works on a CPU as well."""
    for block in hart.transformer.blocks:
        block.compile(dynamic=True)
