"""The examples of the docs run as they stand."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def ran(name, *arguments):
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_ppo_in_one_loop_learns_from_a_vector_of_environments():
    done = ran("ppo_loop.py", "--steps", "512", "--size-px", "48")
    assert done.returncode == 0, done.stderr
    assert "steps=512" in done.stdout


@pytest.mark.slow
def test_stable_baselines_learns_on_the_street():
    pytest.importorskip("stable_baselines3")
    done = ran("sb3.py", "--steps", "512", "--size-px", "48")
    assert done.returncode == 0, done.stderr
    assert "reward" in done.stdout


@pytest.mark.slow
def test_the_expert_is_recorded_for_other_trainers(tmp_path):
    pytest.importorskip("pyarrow")
    done = ran("record.py", "--episodes", "1", "--out", str(tmp_path / "episodes"))
    assert done.returncode == 0, done.stderr
    assert "observation.state, action, next.reward" in done.stdout
    assert (tmp_path / "episodes/videos/observation.images.front/chunk-000/file-000.mp4").is_file()
