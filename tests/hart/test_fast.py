"""What needs a CUDA device; the functions that are recorded are tested on the CPU elsewhere."""

import dataclasses

import numpy as np
import pytest
import torch

from hartsim.config import HartSettings, RenderSettings
from hartsim.errors import ConfigError
from hartsim.hart import fast
from hartsim.hart.config import hart_config
from hartsim.hart.fast import Recorder, fuse_blocks
from hartsim.hart.model import new_hart
from hartsim.hart.noise import KeyedNoise, seeds_of
from hartsim.hart.painting import Kind, paint
from hartsim.hart.prepared import Float8Linear, prepare
from hartsim.hart.renderer import make_renderer
from hartsim.hart.sampling import SamplingSettings, generate
from hartsim.types import RenderJob

SETTINGS = SamplingSettings(guidance=2.0)
VIEW = Kind((4, 4))


def on_cuda(precision="fp32"):
    return prepare(new_hart(hart_config("tiny"), seed=0).to(torch.device("cuda")), precision)


def given(hart, *prompts):
    context = hart.text.encode(prompts)
    seeds = seeds_of(prompts).to(hart.device)
    return {"prompt": context.states, "prompt_positions": context.position_ids, "seeds": seeds}


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_replayed_picture_is_the_picture(precision):
    hart = on_cuda(precision)
    recorder = Recorder(hart, SETTINGS)
    for prompt in ("a road", "a cone on a road", "a road"):
        expected = paint(hart, SETTINGS, VIEW, given(hart, prompt))["pixels"].clone()
        assert torch.equal(recorder(VIEW, given(hart, prompt))["pixels"], expected)


@pytest.mark.gpu
def test_nothing_waits_between_prompt_and_pixels():
    hart = on_cuda()
    asked = given(hart, "a road")
    paint(hart, SETTINGS, VIEW, asked)
    torch.cuda.set_sync_debug_mode("error")
    try:
        painted = paint(hart, SETTINGS, VIEW, asked)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert painted["finite"].all()


@pytest.mark.gpu
def test_the_noise_is_that_of_a_cpu():
    codes = torch.arange(64).view(1, 4, 16)
    here = KeyedNoise.of(["k"]).exponential("codes", 2, codes, 16)
    there = KeyedNoise.of(["k"], "cuda").exponential("codes", 2, codes.cuda(), 16)
    torch.testing.assert_close(there.cpu(), here)


@pytest.mark.gpu
def test_pictures_in_float32_are_near_those_of_a_cpu():
    here, there = new_hart(hart_config("tiny"), seed=0), on_cuda()
    settings = dataclasses.replace(SETTINGS, greedy=True)
    latents = [
        generate(hart, hart.text.encode(["a road"]), KeyedNoise.of(["k"], hart.device), settings)
        for hart in (here, there)
    ]
    wrong = (latents[0] - latents[1].cpu()).abs() > 1e-2
    assert wrong.float().mean() < 0.01


@pytest.mark.gpu
def test_a_renderer_on_cuda_gives_the_same_bytes_in_any_batch():
    renderer = make_renderer(HartSettings(name="tiny"), RenderSettings(device="cuda", rows=4))
    work = [
        (RenderJob("view", "front", f"road {i}", "", (32, 32), f"k{i}"), None) for i in range(6)
    ]
    together = [render.image for render in renderer(work)]
    alone = [next(renderer([each])).image for each in work]
    assert all(np.array_equal(a, b) for a, b in zip(together, alone, strict=True))


@pytest.mark.gpu
def test_float8_layers_are_near_the_whole_ones():
    if torch.cuda.get_device_capability() < (8, 9):
        pytest.skip("FP8 needs compute capability 8.9")
    weight, rows = torch.randn(64, 32, device="cuda"), torch.randn(3, 16, 32, device="cuda")
    out = Float8Linear(weight.bfloat16(), None)(rows.bfloat16()).float()
    assert (out - rows @ weight.T).norm() < 0.06 * (rows @ weight.T).norm()


@pytest.mark.gpu
@pytest.mark.slow
def test_compiled_blocks_give_the_picture():
    hart = on_cuda()
    context = hart.text.encode(["a road"])
    settings = dataclasses.replace(SETTINGS, greedy=True)
    expected = generate(hart, context, KeyedNoise.of(["k"], hart.device), settings)
    fuse_blocks(hart)
    compiled = generate(hart, context, KeyedNoise.of(["k"], hart.device), settings)
    assert ((compiled - expected).abs() > 1e-2).float().mean() < 0.01


class Rerun:
    """A graph that runs its function again, on the same memory."""

    def __init__(self, run, inputs, outputs):
        self.run, self.inputs, self.outputs = run, inputs, outputs

    def replay(self):
        for name, tensor in self.run(self.inputs).items():
            self.outputs[name].copy_(tensor)


def test_each_kind_and_shape_is_recorded_once_and_replayed_for_other_values(tiny, monkeypatch):
    recorded = []

    def record(run, given, pool):
        inputs = {name: tensor.clone() for name, tensor in given.items()}
        outputs = run(inputs)
        recorded.append(pool)
        return fast.Recording(Rerun(run, inputs, outputs), inputs, outputs)

    monkeypatch.setattr(fast, "record", record)
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: "pool")
    recorder = Recorder(tiny, SETTINGS)
    for kind in (VIEW, Kind((4, 2)), VIEW):
        for prompts in (["a road"], ["a cone"], ["fog", "rain"]):
            painted = recorder(kind, given(tiny, *prompts))
            expected = paint(tiny, SETTINGS, kind, given(tiny, *prompts))
            assert torch.equal(painted["pixels"], expected["pixels"])
    assert recorded == ["pool"] * 4


def test_compiling_is_refused_on_a_cpu():
    with pytest.raises(ConfigError, match=r"render\.fuse is true, but it is for CUDA devices"):
        make_renderer(HartSettings(name="tiny"), RenderSettings(device="cpu", fuse=True))
