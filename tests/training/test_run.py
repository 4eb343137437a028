import time

import pytest
import torch

from hartsim.errors import DatasetError
from hartsim.training.run import Average, Budget, Run, ahead, learning_rate


def test_the_clock_runs_from_the_start_of_the_phase(tmp_path):
    run = Run(tmp_path, "phase", Budget(minutes=1))
    time.sleep(0.05)
    run.start()
    assert run.seconds < 0.04


def test_a_resumed_run_takes_up_step_clock_and_state(tmp_path):
    first = Run(tmp_path, "phase", Budget(minutes=1))
    assert first.start() is None
    first.step, first._spent = 7, 30.0
    first.save(model={"weight": torch.ones(2)})
    second = Run(tmp_path, "phase", Budget(minutes=1))
    state = second.start()
    assert state is not None
    assert state["model"]["weight"].tolist() == [1, 1]
    assert second.step == 7
    assert second.progress == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("bytes_", [b"", b"junk", b"PK\x03\x04half a zip"])
def test_a_broken_checkpoint_is_told_in_one_line(tmp_path, bytes_):
    (tmp_path / "phase.pt").write_bytes(bytes_)
    with pytest.raises(DatasetError, match=r"phase\.pt: no.* checkpoint.*delete it to begin anew"):
        Run(tmp_path, "phase", Budget(minutes=1)).start()


def test_another_file_of_torch_is_no_checkpoint(tmp_path):
    torch.save({"weight": torch.ones(2)}, tmp_path / "phase.pt")
    with pytest.raises(DatasetError, match="not a checkpoint of this training"):
        Run(tmp_path, "phase", Budget(minutes=1)).start()


def test_the_learning_rate_rises_stays_and_falls():
    moments = ((0, 0.0), (99, 0.1), (500, 0.5), (900, 0.9))
    rates = [learning_rate(1.0, step, progress) for step, progress in moments]
    assert rates[0] == pytest.approx(0.01)
    assert rates[1:3] == [1.0, 1.0]
    assert rates[3] == pytest.approx(0.25, abs=0.01)


def test_a_budget_of_steps_knows_no_clock():
    budget = Budget(steps=40)
    assert budget.spent(10, 1e9) == 0.25
    assert budget.share(0.3) == Budget(steps=12)
    assert Budget(minutes=2).spent(10**9, 60) == 0.5


def test_a_budget_is_of_minutes_or_of_steps():
    for wrong in ({}, {"minutes": 1.0, "steps": 1}):
        with pytest.raises(ValueError, match="give minutes or steps, and not both"):
            Budget(**wrong)


def test_a_step_has_its_own_randomness(tmp_path):
    run = Run(tmp_path, "phase", Budget(steps=9), seed=1)

    def drawn(step, purpose=0):
        run.step = step
        return torch.rand(4, generator=run.generator(purpose)).tolist()

    assert drawn(3) == drawn(3)
    assert len({tuple(drawn(s, p)) for s in range(3) for p in range(2)}) == 6


def test_what_is_loaded_ahead_comes_in_order():
    numbers = ahead(lambda number: number * 10, first=3, threads=3)
    assert [next(numbers) for _ in range(5)] == [30, 40, 50, 60, 70]
    numbers.close()


def test_an_error_while_loading_ahead_is_raised():
    def load(number):
        raise OSError(f"no picture {number}")

    with pytest.raises(OSError, match="no picture 2"):
        next(ahead(load, first=2))


def test_the_log_is_a_table_with_one_head(tmp_path):
    run = Run(tmp_path, "phase", Budget(minutes=1), log_every=2)
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
