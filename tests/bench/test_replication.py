"""HART beside diffusion: equal models and arithmetic, solvers, curves, and resumed training."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.replication.compare import (
    Kernels,
    draws_with_replacement,
    frechet_of,
    interval,
    ratio_at_equal_quality,
    resampled,
    time_to_reach,
)
from benchmarks.replication.flops import flops_of_picture
from benchmarks.replication.flow import SOLVERS, draw_latents, evaluation_times, integrate
from benchmarks.replication.measure import Setting, drawing, times_in_turns
from benchmarks.replication.models import HART, PLANS, new_model, parameters_of
from benchmarks.replication.plot import COLOURS, figure
from benchmarks.replication.show import TIMES as TIME_NAMES
from benchmarks.replication.show import ratio_shown, write_tables
from benchmarks.replication.train import (
    HOW,
    Lessons,
    flops_per_sample,
    new_tokenizer,
    samples_for,
    train,
)
from hartsim.bench.flops import FLOP_PER_MAC, drawing_cost, total_macs
from hartsim.bench.quality.distances import cubic_kernel, frechet_distance, kernel_distance


@pytest.fixture(autouse=True)
def one_thread():
    """Steps are too small to share, and on a busy machine threads wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def lessons(count: int = 8) -> Lessons:
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(count, 16, 8, 8, generator=generator)
    return Lessons(latents, [["a dog on the road", "a lost load"]] * count)


def shaken(name: str):
    """A model none of whose weights are zero, as they are before training."""
    model = new_model(PLANS[name]).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(1)
    for weight in model.parameters():
        if not weight.any():
            weight.copy_(0.05 * torch.randn(weight.shape, generator=generator))
    return model


def test_all_models_have_the_same_number_of_weights_within_a_twentieth():
    counts = [parameters_of(new_model(plan)) for plan in PLANS.values()]
    assert max(counts) < 1.05 * min(counts)
    assert max(counts) <= 4_000_000


@pytest.mark.parametrize("name", PLANS)
def test_all_models_train_on_the_same_arithmetic(name):
    samples = 52_480
    spent = samples_for(name, samples) * flops_per_sample(name)
    assert spent == pytest.approx(samples * flops_per_sample("hart"), rel=0.005)
    assert samples_for(name, samples) >= 50_000


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("guidance", [0.0, 1.5])
def test_the_closed_form_of_a_picture_is_what_pytorch_counts(name, guidance):
    plan, steps = PLANS[name], 0 if name == "var" else 4
    draw = drawing(Setting(name, steps, guidance, solver="heun"), shaken(name), new_tokenizer())
    draw(["a dog"], ["once"])  # reads the null context, once for these weights
    counter = FlopCounterMode(display=False)
    with sdpa_kernel(SDPBackend.MATH), counter:
        draw(["a dog"], ["once"])
    form = flops_of_picture(plan, steps, guidance > 0, "heun")
    levels = FLOP_PER_MAC * total_macs(drawing_cost(plan.config), "levels")  # which may be kept
    assert abs(counter.get_total_flops() - form) <= (0 if plan.kind == "dit" else levels)


def test_without_residual_steps_a_picture_costs_less():
    costs = [flops_of_picture(PLANS["hart"], steps, True) for steps in (0, 2, 8)]
    assert costs == sorted(set(costs))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("evaluations", [2, 4, 10])
def test_a_solver_follows_straight_ways_exactly(solver, evaluations):
    """All noise going to one latent is the flow of a single picture: its ways are straight."""
    start, goal = torch.randn(3, 2, 4, 4, dtype=torch.float64), torch.full((1, 2, 4, 4), 0.3)
    times = evaluation_times(evaluations, solver).double()
    velocity = lambda x, i: (x - goal) / times[i] if times[i] > 0 else start - goal  # noqa: E731
    end = integrate(velocity, start, evaluations, solver)
    assert torch.allclose(end, goal.expand_as(end).double(), atol=1e-6)


def test_heun_follows_a_velocity_that_is_linear_in_time_exactly():
    start, times = torch.zeros(1), evaluation_times(4, "heun")
    end = integrate(lambda x, i: 1 + 3 * times[i] + 0 * x, start, 4, "heun")
    assert end.item() == pytest.approx(-(1 + 3 / 2))


def gaussian_error(solver, evaluations: int, deviation: float = 0.5) -> float:
    """Of the flow to normally distributed latents, whose velocity is linear and end is known."""
    times = evaluation_times(evaluations, solver).double()

    def velocity(x, i):
        t = times[i]
        return x * (t - (1 - t) * deviation**2) / (t**2 + (1 - t) ** 2 * deviation**2)

    start = torch.ones(1, dtype=torch.float64)
    return abs(integrate(velocity, start, evaluations, solver).item() - deviation)


def test_solvers_of_second_order_gain_fourfold_from_twice_the_steps():
    gains = {s: gaussian_error(s, 32) / gaussian_error(s, 64) for s in SOLVERS}
    assert gains["euler"] == pytest.approx(2, rel=0.2)
    assert gains["heun"] == pytest.approx(4, rel=0.3)
    assert gains["multistep"] == pytest.approx(4, rel=0.3)


@pytest.mark.parametrize(("evaluations", "solver"), [(0, "euler"), (3, "heun")])
def test_impossible_numbers_of_evaluations_are_refused(evaluations, solver):
    with pytest.raises(ValueError, match=f"{solver} cannot take {evaluations} evaluations"):
        evaluation_times(evaluations, solver)


def test_null_rows_are_those_of_the_context_without_states():
    """The constant that stands for attention among equal tokens is what attention gives."""
    model = shaken("dit")
    flow, context = model.transformer, model.text.encode(["a dog on the road"])
    x, time = torch.randn(1, 16, 8, 8), flow.embed_times(torch.tensor([0.7]))
    null = flow(torch.cat([x, x]), time, flow.read(context, guided=True))[1:]
    nothing = replace(context, states=torch.zeros_like(context.states))
    assert torch.allclose(null, flow(x, time, flow.read(nothing)), atol=1e-5)


def test_guidance_moves_latents_away_from_those_without_text():
    model, start = shaken("dit-patch2"), torch.randn(1, 16, 8, 8)
    context = model.text.encode(["a dog on the road"])
    drawn = [draw_latents(model, context, start, 1, "euler", g) for g in (0.0, 1.0, 2.0)]
    assert torch.allclose(drawn[1] - drawn[0], drawn[2] - drawn[1], atol=1e-4)
    assert not torch.allclose(drawn[0], drawn[1], atol=1e-3)


@pytest.mark.parametrize("name", PLANS)
def test_a_picture_depends_on_its_key_and_not_on_its_batch(name):
    draw = drawing(Setting(name, 0 if name == "var" else 2, 1.0), shaken(name), new_tokenizer())
    alone, together = draw(["a dog"], ["b"]), draw(["a cat", "a dog"], ["a", "b"])
    assert (alone[0].int() - together[1].int()).abs().max() <= 2
    assert alone.shape == (1, 64, 64, 3)


@pytest.mark.parametrize("name", ["hart", "dit-patch2"])
def test_a_resumed_training_goes_on_bit_for_bit(name, tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.replication.train.HOW", replace(HOW, batch=4))
    tokenizer, taught = new_tokenizer(), lessons(10)
    whole = train(name, tokenizer, taught, tmp_path / "whole", 4)
    train(name, tokenizer, taught, tmp_path / "halves", 4, stop=2)
    halves = train(name, tokenizer, taught, tmp_path / "halves", 4)
    for key, value in whole.state_dict().items():
        assert torch.equal(value, halves.state_dict()[key]), key


def test_an_epoch_shows_every_picture_once():
    taught = Lessons(torch.arange(12.0)[:, None, None, None].expand(12, 16, 8, 8), [["a"]] * 12)
    text = new_model(PLANS["hart"]).text
    seen = [taught.batch(step, 4, text).latents[:, 0, 0, 0].tolist() for step in range(6)]
    for epoch in (seen[:3], seen[3:]):
        assert sorted(number for batch in epoch for number in batch) == list(range(12))
    assert seen[:3] != seen[3:]


def test_a_model_without_residual_head_learns_codes_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.replication.train.HOW", replace(HOW, batch=4))
    train("var", new_tokenizer(), lessons(8), tmp_path, 2)
    (row,) = map(json.loads, (tmp_path / "var.jsonl").read_text().splitlines())
    assert row["loss"] == pytest.approx(math.log(HART.tokenizer.vocab_size), rel=0.02)


TIMES, DISTANCES = (1.0, 2.0, 4.0, 8.0), (8.0, 4.0, 5.0, 2.0)
"""A curve whose third point is worse than its second."""


@pytest.mark.parametrize(
    ("wanted", "time", "reach"),
    [
        (9.0, 1.0, "at most"),
        (8.0, 1.0, "at most"),
        (6.0, math.sqrt(2), "within"),
        (4.0, 2.0, "within"),
        (3.0, 4.0, "within"),
        (2.0, 8.0, "within"),
        (1.0, 8.0, "never"),
    ],
)
def test_the_time_to_a_quality_is_read_off_the_curve(wanted, time, reach):
    found = time_to_reach(TIMES, DISTANCES, wanted)
    assert (found.time, found.reach) == (pytest.approx(time), reach)


def test_the_order_of_the_points_does_not_matter():
    order = [2, 0, 3, 1]
    shuffled = [[values[i] for i in order] for values in (TIMES, DISTANCES)]
    assert time_to_reach(*shuffled, 3.0) == time_to_reach(TIMES, DISTANCES, 3.0)


def test_the_ratio_says_how_much_longer_the_curve_takes():
    assert ratio_at_equal_quality(TIMES, DISTANCES, 0.5, 3.0) == (pytest.approx(8), "within")
    assert ratio_at_equal_quality(TIMES, DISTANCES, 0.5, 1.0) == (16, "never")


def test_an_interval_holds_the_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = 0
    for trial in range(60):
        values = rng.normal(3, 1, 40)
        means = resampled(lambda g, v=values: g.choice(v, len(v)).mean(), 100, seed=trial)
        low, high = interval(means)
        held += low <= 3 <= high
    assert 0.85 <= held / 60 < 1


def test_infinite_ratios_stand_at_the_end_of_an_interval():
    assert interval([1.0] * 90 + [math.inf] * 10) == (1.0, math.inf)


def features(seed: int, shift: float = 0.0):
    return np.random.default_rng(seed).normal(shift, 1, (60, 24))


def test_distances_are_those_of_the_quality_figures():
    real, made = features(0), features(1, 0.5)
    assert frechet_of(real, made) == pytest.approx(frechet_distance(real, made), rel=1e-4)
    pairs = cubic_kernel(real, real), cubic_kernel(made, made), cubic_kernel(real, made)
    once, across = np.ones(60), kernel_distance(*pairs)
    # Made pictures are not compared with the very pictures whose captions they have.
    assert Kernels.of(real, made).distance(once) == pytest.approx(across, abs=0.05)


def test_resamples_of_equal_sets_have_a_kernel_distance_around_nought():
    kernels = Kernels.of(features(0), features(1))
    found = resampled(lambda rng: kernels.distance(draws_with_replacement(60, rng)), 200)
    low, high = interval(found)
    assert low < 0 < high or abs(np.mean(found)) < 0.2


def test_a_ratio_that_is_a_bound_or_has_no_end_says_so():
    shown = {"ratio": 4.21, "interval": [2.5, None], "reach": "never"}
    assert ratio_shown(shown) == "> 4.2 (2.5 to never)"
    assert ratio_shown({"ratio": 0.5, "interval": [0.4, 0.6], "reach": "within"}) == (
        "0.5 (0.4 to 0.6)"
    )


def report():
    """A small one: HART with two points, a DiT with three."""
    points = []
    for model, steps, kid, time in [
        ("hart", 0, 0.1, 0.02),
        ("hart", 8, 0.05, 0.04),
        ("dit", 1, 0.3, 0.01),
        ("dit", 4, 0.06, 0.05),
        ("dit", 20, 0.04, 0.2),
    ]:
        setting = {"model": model, "steps": steps, "guidance": 1.0, "solver": "euler"}
        points.append(
            {
                "name": f"{model}-{steps}",
                "setting": setting,
                "kid": kid,
                "kid_interval": [0.9 * kid, 1.1 * kid],
                "frechet": 100 * kid,
                "cpu_s": time,
                "batched_cpu_s": time / 2,
                "flops": int(1e10 * time),
            }
        )
    ratio = {"point": "hart-8", "dit": "dit", "metric": "kid", "ratio": 2.2, "reach": "within"}
    trained = {"model": "hart", "parameters": 1_700_000, "samples": 64, "planned_samples": 128}
    return {
        "date": "today",
        "machine": {"cpu": "a CPU", "threads": 1, "cores": 2, "load": 0.5, "torch": "2"},
        "pictures": {"training": 10, "validation": 5, "test": 5},
        "size_px": 64,
        "reconstruction": dict.fromkeys(
            ["discrete_kid", "discrete_frechet", "hybrid_kid", "hybrid_frechet"], 0.5
        )
        | {"kid_of_two_halves": 0.0},
        "trained": [trained | {"flops": 10**12}],
        "points": points,
        "ratios": [{**ratio, "time": time, "interval": [1.5, 3.0]} for time in TIME_NAMES],
    }


def test_the_tables_stand_between_the_marks_of_the_page(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- figures -->\nold\n<!-- end of figures -->\nafter\n")
    write_tables(report(), page)
    text = page.read_text()
    assert text.startswith("before\n<!-- figures -->\n")
    assert text.endswith("<!-- end of figures -->\nafter\n")
    assert "| HART, 8 residual steps | 2.2 (1.5 to 3) | 2.2 (1.5 to 3) | 2.2 (1.5 to 3) |" in text
    assert "old" not in text


def test_a_page_without_marks_is_left_alone(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("nothing to fill")
    with pytest.raises(ValueError, match="no marks"):
        write_tables(report(), page)
    assert page.read_text() == "nothing to fill"


def test_the_figure_shows_the_curves_in_their_colours_over_the_pictures():
    row = [np.full((96, 96, 3), (1, 2, 3), np.uint8)] * 14
    image = figure(report(), [("held out", row)])
    colours = {tuple(pixel) for pixel in image.reshape(-1, 3)[::7].tolist()}
    assert {COLOURS["hart"], COLOURS["dit"], (1, 2, 3)} <= colours
    assert COLOURS["var"] not in colours


def test_all_are_timed_in_turns_after_a_warm_round():
    calls = []
    draws = {n: lambda prompts, keys, n=n: calls.append((n, len(prompts))) for n in "ab"}
    laps = times_in_turns(draws, ["a dog"], 3, 2)
    assert calls == [("a", 3), ("b", 3)] * 3
    assert [len(each) for each in laps.values()] == [2, 2]
