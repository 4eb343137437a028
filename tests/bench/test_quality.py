"""The measures of `hartsim bench quality` on fabricated values, where the right answer is known."""

import numpy as np
import pytest

from hartsim.bench.quality.agreement import TRUE, agreement, mean_iou, thing_iou, things_of
from hartsim.bench.quality.attributes import attributes
from hartsim.bench.quality.distances import (
    cubic_kernel,
    distances,
    frechet_distance,
    kernel_distance,
    psnr,
    ssim,
)
from hartsim.bench.quality.diversity import diversity, memorised, nearest
from hartsim.bench.quality.exam import (
    ABSENT,
    PRESENT,
    UNSURE,
    calm_prompt,
    labels_with_support,
    pixels_shown,
    size_bin,
    targets_of,
)
from hartsim.bench.quality.figures import (
    LeftOut,
    bootstrap,
    half_samples,
    mean_figure,
    ratio_figure,
    share_figure,
    wilson,
)
from hartsim.bench.quality.hazards import Judged, hazards_of, hazards_present, thresholds
from hartsim.bench.quality.seams import seam_energy, seams
from hartsim.types import CLASS_ID, UNKNOWN

RNG = np.random.default_rng(0)


def normal(count: int, width: int = 8, shift: float = 0.0, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(count, width)) + shift).astype(np.float32)


def record(kind="deer", class_name="animal", pixels=900, look="render", **more):
    thing = {"kind": kind, "class_name": class_name, "pixels": pixels}
    known = {"content": "street", "look": look, "task": "driving", "hazards": [thing]}
    conditions = {"place": "highway", "weather": "rain", "time_of_day": "dusk"}
    return {**known, **conditions, "objects": [], **more}


# Figures


def test_most_bootstrap_intervals_cover_the_true_mean():
    drawn = [mean_figure(np.random.default_rng(i).normal(3, 1, 60)) for i in range(40)]
    assert sum(figure.low <= 3 <= figure.high for figure in drawn) >= 34


def test_an_interval_is_narrower_for_more_pictures():
    few, many = (mean_figure(normal(n, 1).ravel()) for n in (30, 3000))
    assert (few.high - few.low) > 5 * (many.high - many.low)


def test_half_samples_give_the_standard_error_of_a_mean():
    values = normal(400, 1).ravel()
    found = half_samples(lambda picks: float(values[picks].mean()), 400, repeats=400)
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.2)


def test_a_share_without_exceptions_is_still_in_doubt():
    found = share_figure([True] * 20)
    assert (found.value, found.high) == (1, 1)
    assert found.low == pytest.approx(wilson(1, 20)[0])
    assert found.low < 0.9


def test_things_of_one_picture_are_resampled_together():
    hits = np.repeat(np.arange(20) % 2, 10)
    alone, together = share_figure(hits), share_figure(hits, np.repeat(np.arange(20), 10))
    assert alone.value == together.value == 0.5
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_a_ratio_of_equal_values_is_one_without_doubt():
    assert ratio_figure([1, 2, 3], [1, 2, 3]) == mean_figure([1, 1, 1])


def test_nothing_has_no_figure():
    with pytest.raises(LeftOut, match="nothing to count"):
        bootstrap(lambda picks: 0.0, 0)


# Distances


def test_equal_sets_are_at_no_distance():
    a = normal(90, 6, seed=1).astype(np.float64)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)


def test_the_frechet_distance_of_a_shift_is_its_square():
    a = normal(90, 6, seed=1).astype(np.float64)
    assert frechet_distance(a, a + 2) == pytest.approx(4 * 6, rel=1e-6)


def test_the_frechet_distance_is_that_of_the_covariances():
    a, b = (normal(90, 6, shift, seed).astype(np.float64) for shift, seed in ((0, 1), (0.5, 2)))
    covs = [np.cov(x, rowvar=False) for x in (a, b)]
    roots = np.sqrt(np.linalg.eigvals(covs[0] @ covs[1]).real.clip(0)).sum()
    gap = np.square(a.mean(axis=0) - b.mean(axis=0)).sum()
    by_hand = gap + np.trace(covs[0]) + np.trace(covs[1]) - 2 * roots
    assert frechet_distance(a, b) == pytest.approx(by_hand, rel=1e-6)


def test_the_kernel_distance_orders_sets():
    a = normal(300, 6, seed=1).astype(np.float64)
    others = [normal(300, 6, seed=2).astype(np.float64), a + 0.2, a + 1.5]
    kernels = [(cubic_kernel(a, a), cubic_kernel(b, b), cubic_kernel(a, b)) for b in others]
    distances = [kernel_distance(*each) for each in kernels]
    assert distances == sorted(distances)
    assert abs(distances[0]) < 0.05


def test_pictures_from_elsewhere_are_farther_than_the_floor():
    real, looks = normal(80, seed=1), ["render"] * 40 + ["photo"] * 40
    sets = {"generated": normal(80, shift=1.0, seed=2)}
    found = distances(real, sets, {"floor": normal(80, seed=3), "few": normal(5)}, looks)
    far, floor = found.row("kid_efflite0", "generated"), found.row("kid_efflite0", "floor")
    assert far.low > floor.high
    assert found.row("kid_efflite0", "generated", "photo").n == 40
    assert found.left_out == ("few: 5 pictures, at least 40 are needed",)


def test_too_few_pictures_have_no_distance():
    with pytest.raises(LeftOut, match="12 held-out pictures"):
        distances(normal(12), {"generated": normal(12)}, {}, ["render"] * 12)


def test_pictures_are_like_themselves_and_unlike_noise():
    image = RNG.integers(256, size=(1, 32, 32, 3), dtype=np.uint8)
    other = RNG.integers(256, size=(1, 32, 32, 3), dtype=np.uint8)
    assert (psnr(image, image)[0], ssim(image, image)[0]) == (pytest.approx(100), pytest.approx(1))
    assert psnr(image, np.clip(image, 1, 255) - 1 + np.uint8(0))[0] > 40
    assert ssim(image, other)[0] < 0.2


# What should be seen


def test_a_thing_is_present_absent_or_too_small_to_say():
    shown = [pixels_shown(record(pixels=p)) for p in (400, 399)] + [{}]
    assert targets_of(shown, ["kind deer"]).ravel().tolist() == [PRESENT, UNSURE, ABSENT]
    assert labels_with_support(shown, 1) == ["class animal", "kind deer"]


def test_the_label_map_tells_of_things_in_no_list():
    labels = np.full((64, 64), CLASS_ID["road"], np.uint8)
    labels[:8, :8] = CLASS_ID["car"]
    assert pixels_shown(record(), labels)["class car"] == 64 * 16


@pytest.mark.parametrize(
    ("pixels", "name"),
    [(399, "<400 px"), (400, "400-1600 px"), (6399, "1600-6400 px"), (50000, ">6400 px")],
)
def test_sizes_have_bins(pixels, name):
    assert size_bin(pixels) == name


def test_a_calm_prompt_has_the_conditions_and_no_hazard():
    prompt = calm_prompt(record())
    assert "highway at dusk" in prompt
    assert "deer" not in prompt
    assert calm_prompt(record(calm="an empty road")) == "an empty road"


# Hazards


def judged_frames(count=200, seed=0):
    """Scores of a judge that tells two labels apart well: targets alternate."""
    rng = np.random.default_rng(seed)
    targets = np.stack([np.arange(count) % 2, np.arange(count) // 2 % 2], axis=1).astype(np.int8)
    return (targets * 6 + rng.normal(size=(count, 2))).astype(np.float32), targets


def test_thresholds_keep_the_rate_of_false_alarms():
    scores, targets = judged_frames(2000)
    fresh, same = judged_frames(2000, seed=1)
    limits = thresholds(scores, targets)
    alarms = (fresh > limits)[same == ABSENT].mean()
    assert alarms == pytest.approx(0.05, abs=0.02)


def test_a_label_that_the_judge_does_not_know_has_no_threshold():
    scores, targets = judged_frames()
    scores[:, 1] = np.random.default_rng(2).normal(size=len(scores))
    assert np.isfinite(thresholds(scores, targets)).tolist() == [True, False]


def test_hazards_that_are_there_are_found_and_calm_pictures_are_not():
    labels = ["class animal", "kind deer"]
    halves = judged_frames(), judged_frames(seed=1)
    records = [record(look="photo" if i % 2 else "render") for i in range(40)]
    seen, none = (np.full((40, 2), value, np.float32) for value in (6, -2))
    sets = {"generated": Judged(seen, records), "calm prompt": Judged(none, records)}
    found = hazards_present("judge", labels, *halves, sets)
    assert found.row("class present (judge)", "generated").value == 1
    assert found.row("class present (judge)", "calm prompt").value == 0
    assert found.row("kind present (judge)", "generated", "photo").n == 20
    assert found.row("class present (judge)", "generated", "400-1600 px").n == 40
    more = found.row("class present more than when calm (judge)", "generated")
    assert (more.value, more.n) == (1, 40)
    alarms = found.row("class false alarms (judge)", "true frames")
    assert alarms.value == pytest.approx(0.05, abs=0.05)


def test_a_judge_that_knows_nothing_gives_no_figure():
    scores = np.random.default_rng(3).normal(size=(200, 2)).astype(np.float32)
    half = (scores, judged_frames()[1])
    with pytest.raises(LeftOut, match="0 labels that the judge knows"):
        hazards_present("judge", ["class animal", "kind deer"], half, half, {})


def test_two_hazards_of_a_kind_count_once_and_small_ones_never():
    twice = record()
    twice["hazards"] = [*twice["hazards"], {**twice["hazards"][0], "pixels": 500}]
    asked = hazards_of([twice, record(pixels=399)], ["kind deer"], np.zeros(1))
    assert [(each.row, each.pixels) for each in asked] == [(0, 1400)]


# Attributes


def test_right_attributes_are_told_from_wrong_ones():
    values = {"weather": ["clear", "rain"]}
    records = [record(weather=values["weather"][i % 2]) for i in range(60)]
    right, wrong = np.arange(60) % 2, np.zeros(60, np.int64)
    sets = {TRUE: ({"weather": right}, records), "generated": ({"weather": wrong}, records)}
    found = attributes(values, sets)
    assert found.row("weather right", TRUE).value == 1
    assert found.row("weather right", "generated").value == 0.5
    assert found.row("weather right", "commonest").value == 0.5


def test_a_judge_that_guesses_tells_nothing_of_attributes():
    records = [record(weather="rain" if i % 2 else "clear") for i in range(60)]
    guesses = {"weather": np.zeros(60, np.int64)}
    with pytest.raises(LeftOut, match="attributes"):
        attributes({"weather": ["clear", "rain"]}, {TRUE: (guesses, records)})


# Agreement


def street_labels(count=20):
    """Roads under skies with a car of another size and place in each."""
    maps = np.full((count, 64, 64), CLASS_ID["sky"], np.uint8)
    maps[:, 32:] = CLASS_ID["road"]
    for i, each in enumerate(maps):
        side = 4 + i % 3 * 8
        each[30 : 30 + side, 2 * i % 40 : 2 * i % 40 + side] = CLASS_ID["car"]
    maps[:, 0] = UNKNOWN
    return list(maps)


def test_perfect_repaints_agree_and_shuffled_ones_do_not():
    labels = street_labels()
    shuffled = [np.roll(each, (20, 13), axis=(0, 1)) for each in labels[1:] + labels[:1]]
    clean = [np.where(each == UNKNOWN, 0, each).astype(np.uint8) for each in labels]
    found = agreement(labels, {TRUE: clean, "perfect": clean, "shuffled": shuffled})
    assert found.row("agreement", "perfect").value == pytest.approx(1)
    assert found.row("agreement", "shuffled").high < 0.7
    assert found.row("agreement of things", "perfect").value == 1
    assert found.row("agreement of things", "shuffled").high < 0.3
    assert found.row("IoU", "perfect", "class car").value == 1
    assert found.row("IoU", "shuffled", "class car").value < 0.3


def test_small_things_are_measured_apart_from_large_ones():
    labels = street_labels(60)
    blind = [np.where(each == UNKNOWN, 0, each).astype(np.uint8) for each in labels]
    for each in blind[::3]:
        each[each == CLASS_ID["car"]] = CLASS_ID["road"]
    found = agreement(labels, {TRUE: blind})
    assert found.row("IoU of things", TRUE, "<400 px").value == 0
    assert found.row("IoU of things", TRUE, "1600-6400 px").value == 1


def test_a_neighbour_of_the_same_class_does_not_count_against_a_thing():
    labels = np.zeros((64, 64), np.uint8)
    labels[10:20, 10:20] = labels[10:20, 22:32] = CLASS_ID["car"]
    things = things_of(labels, 0)
    assert [thing_iou(thing, labels) for thing in things] == [1, 1]


def test_a_segmenter_that_sees_nothing_is_no_judge():
    labels = street_labels()
    blank = [np.full((64, 64), CLASS_ID["food"], np.uint8)] * len(labels)
    with pytest.raises(LeftOut, match=r"mean IoU on true frames is 0\.00"):
        agreement(labels, {TRUE: blank})


def test_mean_iou_of_half_a_class():
    counts = np.array([[[3, 1], [0, 4]]])
    assert mean_iou(counts, [0, 1]) == pytest.approx((3 / 4 + 4 / 5) / 2)


# Diversity


def test_memorised_copies_are_flagged():
    learned, held_out = normal(300, 16, seed=1), normal(60, 16, seed=2)
    copies = learned[:60] + normal(60, 16, seed=3) * 0.01
    usual = nearest(held_out, learned)
    found = memorised(nearest(copies, learned), usual)
    assert nearest(copies, learned).places.tolist() == list(range(60))
    assert found.row("nearer than 1 % of held-out", "generated").value == 1
    assert found.row("nearest distance over held-out", "generated").high < 0.1


def test_fresh_pictures_are_not_flagged():
    learned, held_out = normal(300, 16, seed=1), normal(100, 16, seed=2)
    fresh = nearest(normal(100, 16, seed=4), learned)
    found = memorised(fresh, nearest(held_out, learned), fresh)
    ratio = found.row("nearest distance over held-out", "generated")
    assert ratio.low < 1 < ratio.high
    assert found.row("nearer than 1 % of held-out", "generated").low < 0.05
    assert found.row("nearer than 1 % of held-out", "copies (control)") is not None


def test_pictures_of_one_prompt_that_are_alike_are_seen_to_be():
    repeated = [normal(1, seed=i) + 0.01 * normal(4, seed=100 + i) for i in range(10)]
    rows = {row.of: row for row in diversity(repeated, normal(10, seed=5))}
    assert rows["generated, same prompt"].high < rows["generated, other prompts"].low
    assert rows["true frames"].n == 10


# Seams


def test_a_cut_shows_and_a_torus_does_not():
    steps = np.arange(64) / 64 * 2 * np.pi
    wave = 128 + 100 * np.sin(steps)[:, None] * np.cos(steps)[None]
    torus = np.repeat(wave[..., None], 3, axis=2).astype(np.uint8)
    assert seam_energy(torus) == pytest.approx(1, abs=0.6)
    assert seam_energy(torus[:40, :40]) > 20
    found = seams({"generated": [torus] * 8, "few": [torus]})
    assert found.left_out == ("few: 1 textures, at least 8 are needed",)
