"""The scripts that measure a GPU and the peers, as far as a CPU can tell."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import bench_cold
from benchmarks.bench_gpu import SPARE_S, Step, carry_out
from benchmarks.bench_peers import FULL, PEERS, SMALL, flops_of, hart_shape, our_flops

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "bench_gpu.py"


def step(name: str, program: str, least_s: float = 0) -> Step:
    return Step(name, (sys.executable, "-c", program), least_s)


def test_a_run_says_which_steps_failed_and_goes_on():
    found = carry_out([step("bad", "exit('no luck')"), step("good", "pass")], budget_s=60)
    assert [(each.status, each.said) for each in found] == [("failed", "no luck\n"), ("done", "")]


def test_what_no_longer_fits_into_the_budget_is_cut_off_or_left_out():
    slow = step("slow", "import time; print('begun', flush=True); time.sleep(60)")
    found = list(carry_out([slow, step("late", "pass", 30)], budget_s=SPARE_S + 2))
    assert [each.status for each in found] == ["cut off", "left out"]
    assert found[0].said == "begun\n"


@pytest.mark.slow
def test_a_cold_render_is_measured_with_its_imports(tmp_path):
    first, *rows = bench_cold.measure(1, tmp_path)
    assert {len(row) for row in rows} == {len(first)}
    shares = [int(row[-1].split()[0]) for row in rows]
    assert shares[0] == 100 > shares[1] > shares[2]


@pytest.mark.slow
def test_the_gpu_run_can_be_rehearsed_on_a_cpu(tmp_path):
    command = [sys.executable, str(SCRIPT), "--rehearse", "--out", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    done = json.loads((tmp_path / "gpu-run.json").read_text())
    assert {each["status"] for each in done} == {"done"}
    variants = json.loads((tmp_path / "gpu-variants-32.json").read_text())["variants"]
    assert variants[0]["psnr_db"] is None
    assert all(each["mean_difference"] > 0 for each in variants[1:])


def test_hart_is_scaled_down_as_its_peers_are():
    small, full = hart_shape(SMALL).transformer, hart_shape(FULL).transformer
    assert (small.embed_dim * SMALL, small.depth * SMALL) == (full.embed_dim, full.depth)
    assert small.head_dim == full.head_dim


@pytest.mark.slow
def test_the_peers_cost_what_their_published_shapes_do():
    pytest.importorskip("diffusers")
    ratios = {(p.name, p.steps): flops_of(p, FULL) / our_flops(FULL) for p in PEERS}
    assert ratios["SD3-medium", 28] == pytest.approx(9.35, abs=0.1)
    assert ratios["SANA-Sprint-0.6B", 2] == pytest.approx(0.19, abs=0.01)
