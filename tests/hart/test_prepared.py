import functools

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from hartsim.config import HartSettings, RenderSettings
from hartsim.errors import ConfigError
from hartsim.hart.checkpoint import load_hart
from hartsim.hart.config import hart_config, scale_grids
from hartsim.hart.layers import SinusoidEmbedding
from hartsim.hart.model import new_hart
from hartsim.hart.noise import KeyedNoise
from hartsim.hart.prepared import Int8Linear, prepare
from hartsim.hart.renderer import make_renderer
from hartsim.hart.sampling import SamplingSettings, coarse_to_fine, generate
from tests.hart.conftest import require_precision, write_published
from tests.hart.recorded import RecordedNoise

SETTINGS = SamplingSettings(guidance=2.0)
GRIDS = scale_grids((1, 2, 3, 4, 5, 6, 7, 8, 10), (10, 10))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The golden model in every precision of a CPU."""
    folder = write_published(tmp_path_factory.mktemp("published") / "hart")

    def ready(name):
        require_precision(name)
        return prepare(load_hart(folder), name)

    return functools.cache(ready)


def test_in_float32_it_agrees_with_the_reference(prepared, golden, golden_context):
    arrays = golden("greedy")
    noise = RecordedNoise(arrays["diff_noise_init"], arrays["diff_noise_steps"], rows=2)
    settings = SamplingSettings(guidance=arrays["cfg"].item(), more_smooth=False, greedy=True)
    stages = list(coarse_to_fine(prepared("fp32"), golden_context, noise, settings))
    for scale, stage in enumerate(stages):
        assert torch.equal(stage.codes, arrays[f"idx_{scale}"])
    assert_close(stages[-1].latent, arrays["f_hat"], rtol=0, atol=1e-3)
    image = prepared("fp32").tokenizer.decode(stages[-1].latent)
    assert_close((image.clamp(-1, 1) + 1) / 2, arrays["image01"], rtol=0, atol=1e-3)


@pytest.mark.parametrize(("precision", "likeness"), [("bf16", 0.9995), ("int8", 0.998)])
def test_lower_precisions_stay_near_the_reference(
    prepared, golden, golden_context, precision, likeness
):
    arrays, tokens, hart = golden("cached_logits"), golden("tokenizer"), prepared(precision)
    quantizer = hart.tokenizer.quantizer
    running = quantizer.encode(tokens["f"]).running
    run, hidden = hart.transformer.begin(golden_context, GRIDS, hart.nothing)
    for scale in range(9):
        if scale > 0:
            inputs = quantizer.shrink(running[scale - 1], scale)
            hidden = hart.transformer.advance(run, scale, inputs)
        expected = arrays[f"logits_{scale}"]
        logits = hart.transformer.logits(hidden, run.modulation)[:, : expected.shape[1]]
        both = torch.stack([logits.flatten(), expected[: len(logits)].flatten()])
        assert torch.corrcoef(both)[0, 1] > likeness


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
def test_no_linear_layer_of_the_blocks_is_left_as_it_was(precision):
    require_precision(precision)
    hart = prepare(new_hart(hart_config("tiny"), seed=0), precision)
    assert not [m for m in hart.transformer.blocks.modules() if isinstance(m, nn.Linear)]
    assert isinstance(hart.transformer.lvl_embed, SinusoidEmbedding)
    assert hart.precision == precision


def test_the_hash_is_that_of_the_weights_as_they_were(tiny):
    assert prepare(new_hart(hart_config("tiny"), seed=0), "int8").weights_hash == tiny.weights_hash


def test_int8_rows_do_not_depend_on_each_other():
    weight, rows = torch.randn(24, 16), torch.randn(5, 16)
    layer = Int8Linear(weight, torch.randn(24))
    together = layer(rows)
    assert all(
        torch.equal(layer(row[None])[0], out) for row, out in zip(rows, together, strict=True)
    )


def test_int8_keeps_zeros_and_shows_what_is_no_number():
    layer = Int8Linear(torch.zeros(4, 8), None)
    assert not layer(torch.zeros(2, 8)).any()
    assert layer(torch.full((1, 8), torch.nan)).isnan().all()


def test_all_signs_and_sizes_of_int8_inputs_are_summed_right():
    weight = torch.full((2, 64), 127.0)
    weight[1] = -127
    layer = Int8Linear(weight, None)
    rows = torch.stack([torch.full((64,), 3.0), torch.full((64,), -3.0)])
    assert_close(layer(rows), rows @ weight.T, rtol=0.02, atol=0)


def test_a_prepared_model_gives_the_same_bytes_again():
    pictures = []
    for _ in range(2):
        hart = prepare(new_hart(hart_config("tiny"), seed=0), "int8")
        context = hart.text.encode(["a road"])
        pictures.append(generate(hart, context, KeyedNoise.of(["k"]), SETTINGS))
    assert torch.equal(*pictures)


def test_a_precision_that_the_cpu_lacks_is_refused(monkeypatch):
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    with pytest.raises(ConfigError, match="'bf16', but this CPU multiplies no bfloat16"):
        make_renderer(HartSettings(name="tiny"), RenderSettings(precision="bf16", device="cpu"))


def test_a_precision_that_the_device_lacks_is_refused():
    choice = RenderSettings(precision="fp8", device="cpu")
    with pytest.raises(ConfigError, match="precision is 'fp8'; on cpu there is fp32, int8, bf16"):
        make_renderer(HartSettings(name="tiny"), choice)
