"""HART with the settings of a run."""

import pytest

from hartsim.config import load_config
from hartsim.errors import ConfigError
from hartsim.painter import Painter, painted_size


@pytest.mark.parametrize(("model_px", "side"), [(32, 128), (128, 256), (256, 256), (1024, 1024)])
def test_pictures_are_of_the_usual_size_where_the_model_allows(model_px, side):
    assert painted_size(load_config([]), (model_px, model_px)) == (side, side)


def test_a_repaint_that_keeps_every_scale_is_refused():
    config = load_config(["hart=tiny", "render.keep_scales=4"])
    with pytest.raises(ConfigError, match=r"keep_scales is 4, but hart=tiny has 4 scales"):
        Painter(config)
