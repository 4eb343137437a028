"""`hartsim bench speed` on the tiny model, from the command line to the page of figures."""

import dataclasses
import json
import os
import re
from types import SimpleNamespace

import pytest
import torch

from hartsim.bench import measure, show
from hartsim.bench.machine import set_up
from hartsim.bench.plan import SpeedRequest, subject_config
from hartsim.bench.records import (
    ColdStart,
    Lap,
    Machine,
    Memory,
    Rate,
    Rates,
    Result,
    SpeedReport,
    Throughput,
    Timing,
    from_plain,
)
from hartsim.bench.speed import goals, read_report, write_report
from hartsim.cli import run
from hartsim.errors import ConfigError
from tools.speed import MARKED, PAGE, RESULTS, lines, page

GIB = 2**30


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> SpeedReport:
    file = tmp_path_factory.mktemp("bench") / "speed.json"
    options = ["--model", "tiny", "--runs", "2", "--threads", "1", "--batch", "1,2"]
    assert run(["bench", "speed", *options, "--device", "cpu", "--json", str(file)]) == 0
    return read_report(file)


def result(precision: str, cpu_s: float, rss_gib: float) -> Result:
    """One that took so much CPU time and memory, for 1 TFLOP at 100 GFLOP a CPU-second."""
    timing = Timing.of([Lap(cpu_s / 2, cpu_s)])
    return Result(
        precision=precision,
        cold_start=ColdStart(0.1, 1.0, 2.0, 3.0),
        memory=Memory(int(rss_gib * GIB), 0, 5 * GIB, None, None),
        latency=timing,
        rates=Rates({"fp32": Rate(2e11, 1e11)}, Rate(2e10, 1e10)),
        flops=10**12,
        reference_flops=2 * 10**12,
        stages=(),
        sweep=(Throughput(1, 1.0, 2.0), Throughput(2, 1.5, 3.0)),
        sweep_ended="no more were asked for",
    )


def test_a_report_says_where_and_with_what_it_was_made(report):
    assert (report.model, report.size_px, report.weights) == ("tiny", 32, "random")
    assert report.machine.threads == 1
    assert report.request.runs == 2
    assert set(report.parameters) == {"llm", "tokenizer", "text"}


def test_the_stages_are_text_scales_residual_and_decoding(report):
    names = [stage.name for stage in report.results[0].stages]
    assert names == ["text", "1x1", "2x2", "3x3", "4x4", "residual", "decode"]
    assert all(stage.roofline_s > 0 for stage in report.results[0].stages)


def test_the_stages_flops_are_the_picture_s(report):
    (measured,) = report.results
    assert sum(stage.flops for stage in measured.stages) == measured.flops
    assert measured.flops < measured.reference_flops


def test_memory_and_start_are_those_of_a_process_of_its_own(report):
    (measured,) = report.results
    assert 50 * 2**20 < measured.memory.rss_bytes <= 1.01 * measured.memory.peak_rss_bytes
    cold = measured.cold_start
    assert min(cold.python_s, cold.imports_s, cold.load_s, cold.first_image_s) > 0


def test_the_batches_are_those_asked_for(report):
    assert [each.batch for each in report.results[0].sweep] == [1, 2]


def test_a_report_comes_back_from_its_file_as_it_was(report, tmp_path):
    write_report(report, tmp_path / "again.json")
    assert read_report(tmp_path / "again.json") == report


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"model": 7}, "SpeedReport.model is 7, must be str"),
        ({"goals": None}, "SpeedReport.goals is None"),
        ({"extra": 1}, "SpeedReport has date"),
        ({"results": [{}]}, "SpeedReport.results[0] has"),
    ],
)
def test_a_file_that_is_no_report_is_refused(report, change, complaint):
    plain = {**json.loads(json.dumps(dataclasses.asdict(report))), **change}
    with pytest.raises(ValueError, match=re.escape(complaint)):
        from_plain(SpeedReport, plain)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("--model large", "--model is 'large', must be of tiny, mini, 0.7b"),
        ("--model 0.7b --size-px 250", "--size-px is 250; 0.7b has 256, 512, 1024"),
        ("--model 0.7b --size-px 320", "--size-px is 320; 0.7b has 256, 512, 1024"),
        ("--size-px 0", "--size-px is 0; mini has 256, 512, 1024"),
        ("--precision fp32,fp7", "--precision is 'fp7', must be of fp32, int8, bf16, fp16, fp8"),
        ("--precision ,", "--precision names none; there are fp32, int8"),
        ("--device gpu", "--device is 'gpu', must be auto, cpu, cuda or cuda:N"),
        ("--batch 1,two", "--batch is '1,two', must be numbers"),
        ("--batch 0", "--batch is '0', must be numbers from 1, or auto"),
        ("--runs 0", "--runs"),
        ("--threads 300", "--threads is 300, must be 1 to 256"),
        ("--json .", "--json is '.', which cannot be written: Is a directory"),
        ("--model tiny --precision fp8 --device cpu", "--precision is 'fp8'"),
        ("--json missing/speed.json", "there is no folder 'missing'"),
    ],
)
def test_what_cannot_be_measured_is_told_in_one_line(capsys, options, complaint):
    assert run(["bench", "speed", *options.split()]) == 2
    assert complaint in " ".join(capsys.readouterr().err.split())


def test_a_device_that_is_not_here_is_refused():
    with pytest.raises(ConfigError, match="--device is 'cuda:99', but there are"):
        set_up("cuda:99", None)


def test_the_large_model_s_text_encoder_has_no_size():
    assert subject_config("0.7b", 512).text.depth == 0
    assert subject_config("0.7b").size_px == (256, 256)


def test_a_95th_percentile_needs_twenty_runs():
    laps = [Lap(second, second) for second in range(1, 21)]
    assert Timing.of(laps).wall_p95_s == 19
    assert Timing.of(laps[1:]).wall_p95_s is None


def test_goals_compare_with_the_rates_of_the_same_run(report):
    request = SpeedRequest("0.7b", precisions=("fp32", "int8"))
    results = [result("fp32", 12.0, 3.9), result("int8", 9.0, 2.0)]
    found = list(goals(request, report.machine, results))
    assert [goal.value for goal in found] == pytest.approx([1.2, 0.75, 3.9, 2.0])
    assert [goal.met for goal in found] == [True, False, True, False]


@pytest.mark.parametrize(
    ("seconds", "batches", "ended"),
    [
        ([1, 1, 1], None, "stopped at 4 pictures, the most it tries"),
        ([1, 1.97], None, "2 pictures are hardly faster each than fewer"),
        ([1, 2.1], None, "2 pictures are no faster each than fewer"),
        ([1, 2.1], (1, 2), "no more were asked for"),
    ],
)
def test_the_sweep_says_why_it_ended(monkeypatch, seconds, batches, ended):
    timings = [Timing.of([Lap(each, each)]) for each in seconds]
    rest = iter(timings[1:])
    monkeypatch.setattr(measure, "_repeated", lambda subject, batch: next(rest))
    monkeypatch.setattr(measure, "MOST_PICTURES", 4)
    subject = SimpleNamespace(device=torch.device("cpu"))
    found, said = measure.swept(subject, batches, timings[0])
    assert (len(found), said) == (len(seconds), ended)


def test_small_numbers_are_readable(report):
    assert re.search(r"tiny, 32 px, \d+ k parameters", show.heading(report))
    assert show.amount(12_345, "FLOP") == "12.3 kFLOP"
    assert "KiB" in show.stages(report.results[0])[1][4]


def test_what_is_measured_is_said_first_and_too_many_threads_are_told(capsys):
    options = ["--model", "tiny", "--runs", "1", "--batch", "1", "--device", "cpu"]
    threads = (os.cpu_count() or 1) + 1
    assert run(["bench", "speed", *options, "--threads", str(threads)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("measuring tiny, 32 px, fp32 on cpu; ")
    assert "latency: the median of 1 run\n" in said.out
    assert "docs/speed.md" in said.out
    assert f"--threads is {threads}, more than the" in said.err


def test_a_file_that_could_be_written_is_not_left_behind_by_a_mistake(tmp_path):
    file = tmp_path / "speed.json"
    assert run(["bench", "speed", "--device", "gpu", "--json", str(file)]) == 2
    assert not file.exists()


def test_other_models_and_gpus_have_no_goals(report):
    gpu: Machine = dataclasses.replace(report.machine, gpu="some GPU")
    assert not list(goals(SpeedRequest("mini"), report.machine, [result("fp32", 1.0, 1.0)]))
    assert not list(goals(SpeedRequest("0.7b"), gpu, [result("fp32", 1.0, 1.0)]))


def test_the_best_batch_is_the_one_with_most_pictures_a_second():
    assert result("fp32", 1.0, 1.0).best.batch == 2


def test_the_summary_has_a_column_for_each_precision(report):
    both = dataclasses.replace(
        report, results=(result("fp32", 12.0, 3.9), result("int8", 9.0, 2.0))
    )
    assert show.summary(both)[0] == ["", "fp32", "int8"]
    assert {len(row) for row in show.summary(both)} == {3}


def test_a_page_takes_its_figures_from_the_files(report, tmp_path):
    write_report(report, tmp_path / "speed-tiny.json")
    text = "Before\n<!-- figures: speed-tiny -->\nold\n<!-- end -->\nafter\n"
    written = page(text, tmp_path)
    assert "| decode |" in written
    assert "old" not in written
    assert page(written, tmp_path) == written


def test_what_was_not_measured_is_said_to_be_missing(tmp_path):
    assert list(lines(tmp_path / "absent.json")) == ["Not measured yet."]


def test_the_page_of_figures_is_what_its_files_say():
    text = PAGE.read_text(encoding="utf-8")
    assert page(text, RESULTS) == text, "run tools/speed.py"


ELSEWHERE = {
    *("gpu-run", "replication", "generalisation", "envs", "wrappers", "textures"),
    *("quality-mini", "hybrid-mini", "sweep-mini", "carla_env"),
}
"""Results that other pages show, or that wait for a GPU."""


def test_every_file_of_results_is_shown():
    shown = {name for _, name, _ in MARKED.findall(PAGE.read_text(encoding="utf-8"))}
    assert {file.stem for file in RESULTS.glob("*.json")} <= shown | ELSEWHERE
