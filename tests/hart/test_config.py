import json

import pytest

from hartsim.hart.config import SIZES, HartConfig, TokenizerConfig, TransformerConfig, hart_config
from hartsim.hart.model import build_hart


@pytest.mark.parametrize("name", SIZES)
def test_every_size_survives_json(name):
    config = hart_config(name)
    assert HartConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_the_published_size_has_the_published_parameter_counts():
    import torch

    with torch.device("meta"):
        hart = build_hart(hart_config("0.7b"))
    head = hart.transformer.diffloss
    assert sum(p.numel() for p in hart.transformer.parameters()) == 732_399_168
    assert sum(p.numel() for p in head.parameters()) == 36_585_536
    assert len(list(hart.transformer.parameters())) == 291
    assert hart.config.size_px == (1024, 1024)


def test_published_fields_that_shape_nothing_are_ignored():
    llm = {"depth": 2, "vae_path": "/gone", "num_sampling_steps": "5", "patch_nums": [1, 2]}
    config = HartConfig.from_published(llm, {"ch": 64, "double_decoder": False})
    assert config.transformer.patch_nums == (1, 2)
    assert config.residual_steps == 5
    assert config.tokenizer.ch == 64


def test_an_unknown_size_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"tiny, mini, 0\.7b"):
        hart_config("huge")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"embed_dim": 30, "num_heads": 2}, "embed_dim is 30"),
        ({"patch_nums": (1, 3, 2)}, r"patch_nums is \(1, 3, 2\)"),
        ({"patch_nums": (2, 3)}, "grow from 1"),
        ({"depth": 0}, "depth is 0"),
    ],
)
def test_impossible_transformers_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        TransformerConfig(**fields)


def test_channels_that_the_norm_cannot_group_are_refused():
    with pytest.raises(ValueError, match="norm_groups = 32"):
        TokenizerConfig(ch=48)


def test_the_stem_counts_as_downsampling():
    assert TokenizerConfig(stem_patch=2, ch_mult=(1, 1, 2)).downsampling == 8
