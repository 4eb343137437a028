import time

import pytest
import torch

from hartsim.errors import DatasetError
from hartsim.training.run import Average, Run


def test_the_clock_runs_from_the_start_of_the_phase(tmp_path):
    run = Run(tmp_path, "phase", minutes=1)
    time.sleep(0.05)
    run.start()
    assert run.seconds < 0.04


def test_a_resumed_run_takes_up_step_clock_and_state(tmp_path):
    first = Run(tmp_path, "phase", minutes=1)
    assert first.start() is None
    first.step, first._spent = 7, 30.0
    first.save(model={"weight": torch.ones(2)})
    second = Run(tmp_path, "phase", minutes=1)
    state = second.start()
    assert state is not None
    assert state["model"]["weight"].tolist() == [1, 1]
    assert second.step == 7
    assert second.progress == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("bytes_", [b"", b"junk", b"PK\x03\x04half a zip"])
def test_a_broken_checkpoint_is_told_in_one_line(tmp_path, bytes_):
    (tmp_path / "phase.pt").write_bytes(bytes_)
    with pytest.raises(DatasetError, match=r"phase\.pt: no.* checkpoint.*delete it to begin anew"):
        Run(tmp_path, "phase", minutes=1).start()


def test_another_file_of_torch_is_no_checkpoint(tmp_path):
    torch.save({"weight": torch.ones(2)}, tmp_path / "phase.pt")
    with pytest.raises(DatasetError, match="not a checkpoint of this training"):
        Run(tmp_path, "phase", minutes=1).start()


def test_the_learning_rate_rises_stays_and_falls(tmp_path):
    run = Run(tmp_path, "phase", minutes=10)
    rates = []
    for step, spent in ((0, 0.0), (99, 60.0), (500, 300.0), (900, 540.0)):
        run.step, run._spent = step, spent
        rates.append(run.learning_rate(1.0))
    assert rates[0] == pytest.approx(0.01)
    assert rates[1:3] == [1.0, 1.0]
    assert rates[3] == pytest.approx(0.25, abs=0.01)


def test_the_log_is_a_table_with_one_head(tmp_path):
    run = Run(tmp_path, "phase", minutes=1, log_every=2)
    for step in range(4):
        run.step = step
        run.log(loss=0.5)
    lines = (tmp_path / "phase.csv").read_text().splitlines()
    assert lines[0] == "step,minutes,loss"
    assert [line.split(",")[0] for line in lines[1:]] == ["0", "2"]


def test_an_average_follows_its_module():
    module = torch.nn.Linear(1, 1)
    average = Average(module)
    with torch.no_grad():
        module.weight.fill_(100.0)
    for _ in range(50):
        average.update(module)
    assert 90 < float(average.values["weight"]) <= 100
