"""Every kind of picture, in ways that a CUDA device would fail at and a CPU forgives."""

from dataclasses import replace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from hartsim.hart.config import hart_config
from hartsim.hart.model import new_hart
from hartsim.hart.noise import seeds_of
from hartsim.hart.painting import Kind, paint
from hartsim.hart.sampling import SamplingSettings

GRID = (2, 4)
SIZE_PX = (16, 32)
KINDS = {
    "view": Kind(GRID),
    "negative": Kind(GRID, negative=True),
    "calm": Kind(GRID, calm=True),
    "canvas": Kind(GRID, canvas=True),
    "labels": Kind(GRID, canvas=True, labels=True),
    "layout": Kind(GRID, labels=True),
    "calm layout": Kind(GRID, labels=True, calm=True),
    "seamless": Kind(GRID, seamless=True),
    "seamless, negative": Kind(GRID, seamless=True, negative=True),
}
SETTINGS = {
    "usual": {},
    "unguided": {"guidance": 0.0},
    "guided early": {"guided_scales": 2},
    "half of the tokens": {"kept_tokens": 0.5},
    "sharp": {"more_smooth": False},
}


@pytest.fixture(scope="module")
def config():
    tiny = hart_config("tiny")
    return replace(tiny, transformer=replace(tiny.transformer, label_classes=5))


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


@pytest.fixture(params=SETTINGS)
def settings(request):
    return replace(SamplingSettings(guidance=2.0), choices=3, **SETTINGS[request.param])


def given(hart, kind):
    """Two pictures' inputs of a kind."""
    asked = {"prompt": ["a", "b"]}
    asked |= {"negative": ["blurred"] * 2} if kind.negative else {}
    asked |= {"calm": ["a road"] * 2} if kind.calm else {}
    inputs = {}
    for name, prompts in asked.items():
        context = hart.text.encode(prompts)
        inputs |= {name: context.states, f"{name}_positions": context.position_ids}
    inputs["seeds"] = seeds_of(["a", "b"])
    if kind.calm:
        inputs["seeds"] = torch.stack([seeds_of([f"a{i}", f"b{i}"]) for i in range(3)])
    if kind.canvas:
        inputs["canvas"] = torch.randint(256, (2, *SIZE_PX, 3)).to(torch.uint8)
        inputs["editable"] = torch.rand(2, *SIZE_PX) > 0.9
        inputs["keep_scales"] = torch.tensor([0, 1])
    if kind.labels:
        inputs["labels"] = torch.randint(5, (2, *SIZE_PX)).to(torch.uint8)
    return inputs


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_layers_may_be_halved_where_the_rest_is_not(config, kind, settings, dtype):
    """As on CUDA: the transformer and the decoder in half precision, latents and draws not."""
    hart = new_hart(config, seed=0)
    for part in (hart.transformer, hart.tokenizer.vae.post_quant_conv, hart.tokenizer.vae.decoder):
        part.to(dtype)
    with torch.inference_mode():
        painted = paint(hart, settings, kind, given(hart, kind))
    assert painted["pixels"].shape == (2, *SIZE_PX, 3)
    assert painted["finite"].all()


class HostWatch(TorchDispatchMode):
    """Notes every operation that reads or makes a tensor in the host's memory."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        tensors = [t for t in tree_leaves((args, kwargs, out)) if isinstance(t, torch.Tensor)]
        if any(tensor.device.type == "cpu" for tensor in tensors):
            self.seen.add(str(func))
        return out


def test_nothing_is_asked_of_the_host_between_context_and_pixels(config, kind, settings):
    """On the device `meta`, where a value that the host waits for does not exist."""
    hart = new_hart(config, seed=0)
    inputs = {name: tensor.to("meta") for name, tensor in given(hart, kind).items()}
    for part in (hart.text, hart.transformer, hart.tokenizer):
        part.to("meta")
    with torch.inference_mode():
        paint(hart, settings, kind, inputs)  # makes the constants that are kept
        with HostWatch() as watch:
            paint(hart, settings, kind, inputs)
    assert watch.seen == set()


def test_the_watch_sees_the_host():
    with HostWatch() as watch:
        torch.ones(2, device="meta") + torch.ones(2).to("meta")
    assert any("_to_copy" in name for name in watch.seen)
