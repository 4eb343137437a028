import json

import pytest
import yaml

from hartsim.config import GROUPS, TRAINING_GROUPS, RunConfig, load_config, load_training
from hartsim.errors import ConfigError
from hartsim.library import library_path
from hartsim.types import ROUTES

SHIPPED = sorted(library_path("configs").glob("*/*.yaml"))


def test_without_overrides_every_default_holds():
    assert load_config() == RunConfig()
    assert load_config().hart.name == "mini"
    assert load_config().dataset.routes == ROUTES


def test_a_group_file_and_a_field_change_only_what_they_name():
    config = load_config(["hart=tiny", "render.guidance=3"])
    assert (config.hart.name, config.render.guidance) == ("tiny", 3.0)
    assert config.world == RunConfig().world


def test_a_field_wins_over_a_group_that_is_named_after_it():
    config = load_config(["render.attempts=5", "render=draft"])
    assert (config.render.attempts, config.render.residual_steps) == (5, 2)


def test_null_leaves_a_choice_to_the_model():
    assert load_config(["render=draft", "render.residual_steps=null"]).render.residual_steps is None


@pytest.mark.parametrize("written", ["view,repaint", "[view, repaint]", " view , repaint"])
def test_a_list_may_be_written_in_either_way(written):
    assert load_config([f"dataset.routes={written}"]).dataset.routes == ("view", "repaint")


def test_the_config_cannot_be_changed_after_loading():
    with pytest.raises(AttributeError):
        load_config().render.guidance = 1.0


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}={path.stem}")
def test_every_shipped_file_loads_into_its_group(path):
    fields = yaml.safe_load(path.read_text())
    load = load_training if path.parent.name in TRAINING_GROUPS else load_config
    config = load([f"{path.parent.name}={path.stem}"])
    group = getattr(config, path.parent.name)
    assert json.loads(json.dumps({name: getattr(group, name) for name in fields})) == fields


def test_every_group_ships_a_file():
    assert {path.parent.name for path in SHIPPED} == {*GROUPS, *TRAINING_GROUPS}


def test_runs_and_trainings_are_told_different_things():
    with pytest.raises(ConfigError, match="no group 'transformer'; legal: hart, render"):
        load_config(["transformer.batch=3"])
    with pytest.raises(ConfigError, match="no group 'render'; legal: tokenizer, transformer"):
        load_training(["render.guidance=3"])
    assert load_training(["transformer=gpu", "transformer.batch=3"]).transformer.batch == 3


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("tiny", "'tiny' is not of the form group=name or group.field=value"),
        ("=3", "'=3' is not of the form"),
        ("hrt=tiny", "no group 'hrt'; did you mean 'hart'? legal: hart, render"),
        ("hart=tny", "group hart has no 'tny'; did you mean 'tiny'? legal: 0.7b, mini, tiny"),
        ("hart=../render/draft", "group hart has no '../render/draft'"),
        ("rendr.guidance=3", "no group 'rendr'; did you mean 'render'?"),
        ("render.guidence=3", "render has no field 'guidence'; did you mean 'guidance'?"),
        ("render.guidance=high", "render.guidance is 'high', must be a number or null"),
        ("render.guidance=nan", "render.guidance is nan, must be from 0 to 100"),
        ("render.guidance=[1", "render.guidance is '[1', which is not readable as YAML"),
        ("render.batch=0", "render.batch is 0, must be at least 1"),
        ("render.batch=1.5", "render.batch is 1.5, must be a whole number"),
        ("render.batch=true", "render.batch is True, must be a whole number"),
        ("render.device=gpu", "render.device is 'gpu', must be auto, cpu, cuda or cuda:N"),
        ("world.shadows=7", "world.shadows is 7, must be true or false"),
        ("render.attempts=101", "render.attempts is 101, must be from 1 to 100"),
        ("dataset.routes=textur", "dataset.routes: no 'textur'; did you mean 'texture'?"),
        ("dataset.views=", "dataset.views is empty, must name at least one"),
        ("dataset.views=top,top", "dataset.views names 'top' more than once"),
    ],
)
def test_a_bad_override_is_named_with_what_would_be_right(override, complaint):
    with pytest.raises(ConfigError) as caught:
        load_config([override])
    assert complaint in str(caught.value)
