import dataclasses

import numpy as np
import pytest
import torch

from hartsim.config import HartSettings, RenderSettings
from hartsim.errors import CheckpointError, ConfigError, RenderError
from hartsim.hart.choosing import told_apart
from hartsim.hart.config import hart_config
from hartsim.hart.model import new_hart
from hartsim.hart.noise import KeyedNoise
from hartsim.hart.painting import paint
from hartsim.hart.renderer import HartRenderer, find_hart, make_renderer
from hartsim.hart.sampling import SamplingSettings, generate
from hartsim.hart.tokenizer import to_pixels
from hartsim.images import resize
from hartsim.types import CLASS_ID, CLASSES, Canvas, Layout, RenderJob

SETTINGS = SamplingSettings(guidance=2.0)


@pytest.fixture
def renderer(tiny):
    return HartRenderer(tiny, SETTINGS, threads=1)


def job(route="view", key="k", prompt="a wet road", negative="", size_px=(32, 32)):
    return RenderJob(route, "front", prompt, negative, size_px, key)


def canvas(size_px=(32, 32), keep_scales=1):
    image = np.random.default_rng(0).integers(0, 256, (*size_px, 3), dtype=np.uint8)
    editable = np.zeros(size_px, bool)
    editable[: size_px[0] // 2, : size_px[1] // 2] = True
    return Canvas(image, editable, np.zeros(size_px, np.uint8), keep_scales)


def layout(name, size_px=(32, 32)):
    return Layout(np.full(size_px, CLASS_ID[name], np.uint8))


def masked(editable):
    return dataclasses.replace(canvas(), editable=editable)


def mixed_work():
    return [
        (job(key="a"), None),
        (job("texture", key="b"), None),
        (job("repaint", key="c"), canvas()),
        (job(key="d", negative="blurred"), None),
        (job(key="e"), None),
    ]


def images(renders):
    return {render.job.noise_key: render.image.tobytes() for render in renders}


def test_renders_come_in_the_order_of_the_work(renderer):
    assert [r.job.noise_key for r in renderer(mixed_work())] == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("rows", [1, 3])
def test_bytes_do_not_depend_on_grouping(tiny, rows):
    renderer = HartRenderer(tiny, SETTINGS, rows=rows, threads=1)
    together = images(renderer(mixed_work()))
    backwards = images(renderer(mixed_work()[::-1]))
    alone = {key: image for work in mixed_work() for key, image in images(renderer([work])).items()}
    assert together == backwards == alone


def test_pixels_outside_the_mask_come_back_exactly(renderer):
    start = canvas((48, 40))
    (render,) = renderer([(job("backdrop", size_px=(48, 40)), start)])
    assert np.array_equal(render.image[~start.editable], start.image[~start.editable])
    assert not np.array_equal(render.image, start.image)


def test_an_empty_mask_changes_nothing_and_is_told(renderer, caplog):
    start = masked(np.zeros((32, 32), bool))
    (render,) = renderer([(job("repaint"), start)])
    assert np.array_equal(render.image, start.image)
    assert "'front': its mask lets nothing change" in caplog.text


def test_paintings_fade_in_inside_their_mask(tiny):
    start = canvas((64, 64))
    sharp, soft = (
        next(
            HartRenderer(tiny, SETTINGS, threads=1, feather_px=px)(
                [(job("repaint", size_px=(64, 64)), start)]
            )
        ).image
        for px in (0, 8)
    )
    inner = np.zeros((64, 64), bool)
    inner[:24, :24] = True
    assert np.array_equal(sharp[inner], soft[inner])
    edge = start.editable & ~inner
    old = start.image[edge].astype(int)
    assert np.abs(soft[edge] - old).mean() < np.abs(sharp[edge] - old).mean()
    assert np.array_equal(soft[~start.editable], start.image[~start.editable])


@pytest.mark.parametrize(
    ("size_px", "grid"),
    [((64, 128), (2, 4)), ((90, 60), (4, 3)), ((32, 500), (1, 4)), ((8, 8), (4, 4))],
)
def test_pictures_are_painted_in_the_shape_they_are_asked_in(tiny, size_px, grid):
    kinds = []

    def run(kind, given):
        kinds.append(kind)
        return paint(tiny, SETTINGS, kind, given)

    renderer = HartRenderer(tiny, SETTINGS, threads=1, run=run)
    view, texture, repaint = renderer(
        [
            (job(size_px=size_px), None),
            (job("texture", size_px=size_px), None),
            (job("repaint", size_px=size_px), canvas(size_px)),
        ]
    )
    assert {kind.grid for kind in kinds} == {grid}
    assert view.image.shape == texture.image.shape == repaint.image.shape == (*size_px, 3)


def test_a_smaller_painting_is_enlarged(tiny):
    kinds = []

    def run(kind, given):
        kinds.append(kind)
        return paint(tiny, SETTINGS, kind, given)

    renderer = HartRenderer(tiny, SETTINGS, threads=1, paint_px=16, run=run)
    (render,) = renderer([(job(), None)])
    assert [kind.grid for kind in kinds] == [(2, 2)]
    assert render.image.shape == (32, 32, 3)
    assert renderer.size_px == (32, 32)


@pytest.mark.parametrize("px", [7, 33])
def test_sizes_that_the_model_cannot_paint_are_refused(tiny, px):
    with pytest.raises(ConfigError, match=f"paint_px is {px}; tiny paints from 8 to 32 pixels"):
        HartRenderer(tiny, SETTINGS, paint_px=px)


def test_damaged_weights_are_told_and_not_painted():
    broken = new_hart(hart_config("tiny"), seed=0)
    broken.transformer.head.bias[3] = torch.nan
    with pytest.raises(RenderError, match=r"'front': the model gives no numbers .* 'a wet road'"):
        list(HartRenderer(broken, SETTINGS, threads=1)([(job(), None)]))


def test_rows_that_memory_has_no_room_for_are_halved_told_and_recorded(tiny, caplog):
    sizes = []

    def run(kind, given):
        sizes.append(len(given["prompt"]))
        if sizes[-1] > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return paint(tiny, SETTINGS, kind, given)

    work = [(job(key=key), None) for key in "abcdef"]
    crowded = HartRenderer(tiny, SETTINGS, rows=8, threads=1, run=run)
    renders = list(crowded(work))
    assert sizes == [8, 4, 2, 2, 4, 2]
    assert {render.settings["rows"] for render in renders} == {2}
    assert "memory is too small for 8 rows; 4 go together" in caplog.text
    assert images(renders) == images(HartRenderer(tiny, SETTINGS, rows=2, threads=1)(work))


def test_a_single_picture_too_large_for_memory_is_an_error(tiny):
    def run(kind, given):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    with pytest.raises(
        RenderError, match=r"memory is too small .* 32x32 pixels; set render.paint_px"
    ):
        list(HartRenderer(tiny, SETTINGS, run=run)([(job(), None)]))


@pytest.fixture
def following():
    """A model that heeds labels, and draws twice where a job has a calm prompt."""
    config = hart_config("tiny")
    transformer = dataclasses.replace(config.transformer, label_classes=len(CLASSES))
    hart = new_hart(dataclasses.replace(config, transformer=transformer), seed=0)
    torch.nn.init.normal_(hart.transformer.label_embed.weight)
    return HartRenderer(hart, dataclasses.replace(SETTINGS, choices=2), threads=1)


@pytest.mark.parametrize("calm", ["", "a road"])
def test_views_follow_their_layout(following, calm):
    view = dataclasses.replace(job(), calm=calm)
    work = [(view, layout("road")), (view, layout("sky")), (view, None)]
    road, sky, free = following(work)
    assert len({each.image.tobytes() for each in (road, sky, free)}) == 3
    assert len({each.cache_key for each in (road, sky, free)}) == 3
    (alone,) = following([(view, layout("road"))])
    assert np.array_equal(alone.image, road.image)
    assert alone.cache_key == road.cache_key


def test_a_layout_changes_nothing_for_a_model_that_heeds_none(renderer):
    guided, free = renderer([(job(), layout("road")), (job(), None)])
    assert np.array_equal(guided.image, free.image)


def test_repaints_follow_the_labels_of_their_canvas_where_the_model_does(following):
    road, sky = (
        dataclasses.replace(canvas(), labels=np.full((32, 32), CLASS_ID[name], np.uint8))
        for name in ("road", "sky")
    )
    first, again, other = following([(job("repaint", key="k"), each) for each in (road, road, sky)])
    assert np.array_equal(first.image, again.image)
    assert not np.array_equal(first.image, other.image)
    assert first.cache_key != other.cache_key


def test_other_sizes_are_resized_to(renderer):
    view, texture = renderer(
        [(job(size_px=(20, 44)), None), (job("texture", key="t", size_px=(64, 64)), None)]
    )
    assert view.image.shape == (20, 44, 3)
    assert texture.image.shape == (64, 64, 3)


def test_another_noise_key_is_another_picture(renderer):
    first, second = renderer([(job(key="a"), None), (job(key="b"), None)])
    assert not np.array_equal(first.image, second.image)
    assert first.cache_key != second.cache_key


def test_the_cache_key_follows_canvas_and_settings(tiny, renderer):
    other = HartRenderer(tiny, dataclasses.replace(SETTINGS, guidance=1.0), threads=1)
    repaint = job("repaint")
    keys = {
        renderer.cache_key(repaint, canvas()),
        renderer.cache_key(repaint, canvas(keep_scales=2)),
        other.cache_key(repaint, canvas()),
    }
    assert len(keys) == 3
    assert renderer.cache_key(repaint, canvas()) in keys


def test_a_render_says_what_made_it(renderer, tiny):
    (render,) = renderer([(job(), None)])
    assert render.weights_hash == tiny.weights_hash
    assert render.settings["rows"] == 1
    assert render.settings["threads"] == 1
    assert render.settings["guidance"] == 2.0
    assert render.settings["precision"] == "fp32"
    assert render.settings["torch"] == torch.__version__
    assert render.settings["device"].startswith("cpu ")


@pytest.mark.parametrize(
    ("work", "message"),
    [
        ((job("repaint"), None), "a repaint job needs a canvas"),
        ((job("view"), canvas()), "a view job takes no canvas"),
        ((job("texture"), layout("road")), "a texture job takes no layout"),
        ((job("repaint"), layout("road")), "a repaint job needs a canvas"),
        (
            (job(), layout("road", (8, 128))),
            r"layout is uint8 \(8, 128\), must be uint8 \(32, 32\)",
        ),
        ((job(), Layout(np.zeros((32, 32)))), r"layout is float64 \(32, 32\), must be uint8"),
        ((job("repaint"), canvas((32, 40))), r"canvas is \(32, 40\), job asks for \(32, 32\)"),
        (
            (job("repaint"), masked(np.ones((32, 31), bool))),
            r"mask is bool \(32, 31\), must be bool",
        ),
        ((job("repaint"), masked(np.ones((32, 32), np.uint8))), "mask is uint8"),
    ],
)
def test_jobs_that_do_not_fit_their_canvas_are_refused(renderer, work, message):
    with pytest.raises(ValueError, match=message):
        list(renderer([work]))


def test_weights_that_are_not_shipped_are_an_error():
    with pytest.raises(CheckpointError, match=r"hartsim weights pull hart-0\.7b-1024px"):
        find_hart("0.7b", None)


def test_a_configuration_makes_a_renderer_and_null_leaves_the_models_choice():
    choice = RenderSettings(smooth=False, device="cpu", threads=1)
    renderer = make_renderer(HartSettings(name="tiny"), choice)
    assert renderer.settings.guidance == renderer.hart.config.guidance
    assert not renderer.settings.more_smooth
    assert renderer.size_px == (32, 32)
    assert renderer.scales == 4


def test_what_is_not_asked_for_is_as_the_model_was_made():
    renderer = make_renderer(HartSettings(name="mini"), RenderSettings(top_p=0.3))
    own = SamplingSettings.of(renderer.hart.config)
    assert own.residual_temperature != SamplingSettings().residual_temperature
    assert renderer.settings == dataclasses.replace(own, top_p=0.3)


def test_of_several_choices_the_one_that_shows_best_what_is_asked_for_is_kept(tiny, renderer):
    asked = dataclasses.replace(job(prompt="a deer on a road"), calm="an empty road")
    five = dataclasses.replace(renderer, settings=dataclasses.replace(SETTINGS, choices=5))
    keys = [asked.noise_key, *(f"{asked.noise_key}/{choice}" for choice in range(1, 5))]
    context, calm = tiny.text.encode([asked.prompt]), tiny.text.encode([asked.calm])
    with torch.no_grad():
        latents = [generate(tiny, context, KeyedNoise.of([key]), SETTINGS) for key in keys]
        scores = [told_apart(tiny, latent, context, calm).item() for latent in latents]
        best = latents[scores.index(max(scores))]
        image = to_pixels(tiny.tokenizer.decode(best))[0].numpy()
    (render,) = five([(asked, None)])
    assert len(set(scores)) == 5
    assert np.array_equal(render.image, resize(image, asked.size_px))
    assert render.cache_key != next(renderer([(asked, None)])).cache_key


def test_choices_do_not_depend_on_the_grouping(renderer):
    settings = dataclasses.replace(SETTINGS, choices=3)
    choosy = dataclasses.replace(renderer, settings=settings, rows=2)
    work = [
        (dataclasses.replace(job(key=key, prompt=f"a deer {key}"), calm="an empty road"), None)
        for key in "abc"
    ]
    together = [render.image for render in choosy(work)]
    alone = [next(choosy([each])).image for each in work]
    assert all(np.array_equal(a, b) for a, b in zip(together, alone, strict=True))
