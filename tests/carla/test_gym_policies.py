"""Policies taught, judged and recorded on CARLA servers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hartsim.cli import run
from hartsim.config import CloningTraining, TrainConfig
from hartsim.errors import ConfigError
from hartsim.policies import PolicyRequest, environment_of, judge, made_for, teach

pytest.importorskip("carla")
pytestmark = pytest.mark.carla

QUICK = TrainConfig(
    cloning=CloningTraining(rounds=1, first_episodes=1, drivers=0, updates=2, width=4)
)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARTSIM_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def server(standin: Callable[..., Any]) -> Any:
    return standin(pictures="plain", map="Town04")


def at(server: Any) -> str:
    return f"127.0.0.1:{server.port}"


def test_a_policy_of_the_street_is_judged_in_carla(server: Any, rock: str, tmp_path: Path) -> None:
    taught = teach(PolicyRequest((rock,), tmp_path / "street", size_px=32, config=QUICK))
    (found,) = judge(taught, [rock], episodes=2, servers=[at(server)])
    assert (found.episodes, found.scenario) == (2, "rock")
    assert len(server.calls("tick_cue")) > 20


def test_a_policy_is_taught_in_carla_and_knows_where(
    server: Any, rock: str, tmp_path: Path
) -> None:
    out = tmp_path / "taught"
    request = PolicyRequest((rock,), out, size_px=32, config=QUICK, servers=(at(server),))
    teach(request)
    made = environment_of(out / "policy.pt")
    assert (made["id"], made["servers"]) == ("HartSim/Carla-v0", [at(server)])
    elsewhere = environment_of(out / "policy.pt", ["other:2000"])
    assert elsewhere == {**made, "servers": ["other:2000"]}


def test_the_expert_is_judged_and_recorded_from_the_command_line(
    server: Any, rock: str, tmp_path: Path
) -> None:
    pytest.importorskip("pyarrow")
    figures, out = tmp_path / "figures.json", tmp_path / "episodes"
    request = PolicyRequest((rock,), tmp_path, size_px=32)
    (tmp_path / "env.json").write_text(json.dumps(made_for(request)))
    asked = [str(tmp_path / "expert"), rock, "--episodes", "1", "--json", str(figures)]
    assert run(["evaluate", *asked, "--carla", at(server)]) == 0
    assert json.loads(figures.read_text())[0]["success"] == 1.0
    asked = [rock, "--episodes", "1", "--size-px", "32", "--out", str(out)]
    assert run(["record", *asked, "--carla", at(server)]) == 0
    about = next(out.rglob("*.json")).parent
    assert any("Carla-v0" in path.read_text() for path in about.rglob("*.json*"))


def test_a_robot_is_not_taken_to_carla(tmp_path: Path) -> None:
    request = PolicyRequest(("hand_and_knife",), tmp_path, servers=("somewhere:2000",))
    with pytest.raises(ConfigError, match=r"Tabletop-v0 cannot be shown in CARLA \(somewhere:2000"):
        made_for(request)
