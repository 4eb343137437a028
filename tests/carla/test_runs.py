"""What a run in CARLA is told and tells: refusals, plans, records, replays, and the doctor."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hartsim.cli import run
from hartsim.config import load_config
from hartsim.dataset.reader import Record, read_samples
from hartsim.errors import ConfigError, ScenarioError
from hartsim.request import GenerateRequest, describe_request, plan, read_scenarios
from hartsim.scenario.draw import draw
from hartsim.simulators import described, lacking
from tests.carla.children import condition
from tests.carla_standin.process import StandIn, start
from tests.integration.carla_runs import alive, begin, write_scenarios

pytest.importorskip("carla")
pytestmark = pytest.mark.carla

CARLA = ["hart=tiny", "world.simulator=carla", "world.size_px=48", "render.attempts=1"]
REQUEST = GenerateRequest(
    scenarios=("child_behind_van", "deer_snow_road"),
    count=2,
    seed=1,
    out=Path("unused"),
    routes=("repaint",),
    views=("front",),
    shard=None,
    config=load_config(CARLA),
)
READING = {
    *("version", "get_episode_info", "get_sensor_token", "get_episode_settings"),
    *("get_required_files", "query_lights_state", "get_map_info", "get_map_data"),
    *("get_available_maps", "get_actor_definitions"),
}
"""Calls that change nothing."""


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARTSIM_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def plain(standin: Callable[..., StandIn]) -> StandIn:
    return standin(pictures="plain")


def test_robot_scenarios_are_refused_by_name():
    with pytest.raises(ConfigError, match=r"leave out spill_near_laptop, hand_and_knife"):
        plan(replace(REQUEST, scenarios=("spill_near_laptop", "hand_and_knife", "deer_snow_road")))


def test_scenes_of_what_carla_lacks_are_left_out_with_the_reason():
    left_out: dict[str, str] = {}
    keys = {wanted.key for wanted in plan(REQUEST, left_out)}
    assert keys == {"child_behind_van-00000", "child_behind_van-00001"}
    assert list(left_out) == ["deer_snow_road-00000", "deer_snow_road-00001"]
    assert "no animals are shipped" in left_out["deer_snow_road-00000"]


def test_or_they_are_refused():
    config = load_config([*CARLA, "carla.missing=refuse"])
    with pytest.raises(ConfigError, match=r"deer_snow_road\.yaml: deer: kind 'deer'"):
        plan(replace(REQUEST, config=config))


def test_the_embedded_worlds_lack_nothing():
    scenario = draw(read_scenarios(["deer_snow_road"])[0], 1, 0).scenario
    assert lacking(scenario, load_config(["hart=tiny"])) == ""


def test_where_the_server_is_makes_no_other_request():
    far = load_config([*CARLA, "carla.host=far", "carla.port=2002", "carla=far"])
    assert describe_request(replace(REQUEST, config=far), "w") == describe_request(REQUEST, "w")


@pytest.mark.parametrize("setting", ["carla.map=Town03", "carla.lidar=true", "carla.physics=true"])
def test_what_decides_bytes_does(setting):
    other = load_config([*CARLA, setting])
    assert describe_request(replace(REQUEST, config=other), "w") != describe_request(REQUEST, "w")


def test_requests_of_the_embedded_worlds_know_no_carla():
    plain = described(load_config(["hart=tiny", "carla.port=2002"]))
    assert "carla" not in plain
    assert "simulator" not in plain["world"]


def test_the_version_of_the_server_is_part_of_the_request():
    simulator = {"name": "carla", "client": "0.9.16", "server": "0.9.16"}
    told = describe_request(REQUEST, "w", simulator)
    assert told["simulator"] == simulator
    assert told["count"] == {"child_behind_van": 2, "deer_snow_road": 0}


def test_another_weather_takes_the_place_of_what_is_drawn():
    (foggy,) = read_scenarios(["child_behind_van"], {"weather": "fog"})
    assert {draw(foggy, 1, k).scenario.scene.weather for k in range(6)} == {"fog"}
    with pytest.raises(ScenarioError, match=r"scene\.weather: unknown weather 'fogg'"):
        read_scenarios(["child_behind_van"], {"weather": "fogg"})


def test_a_dry_run_needs_no_server(capsys):
    words = ["carla", "run", "child_behind_van", "deer_snow_road", "--count", "1", "--port", "1"]
    assert run([*words, "--dry-run", "hart=tiny"]) == 0
    told = capsys.readouterr()
    assert "without a server: nothing listens at 127.0.0.1:1" in told.err
    assert "hazard child: walker.pedestrian.*" in told.out
    assert "no animals are shipped" in told.out
    assert "fog_density" in told.out
    assert "1 scene of 2" in told.out


def test_a_dry_run_changes_nothing_on_a_server(plain, capsys):
    words = ["carla", "run", "child_behind_van", "--count", "2", "--port", str(plain.port)]
    assert run([*words, "--dry-run", "hart=tiny"]) == 0
    assert {call["call"] for call in plain.calls()} <= READING
    assert "on Town02" in capsys.readouterr().out


def test_the_pace_of_samples_is_a_number_of_ticks(capsys):
    words = ["carla", "record", "child_behind_van", "--every", "0.12", "--dry-run", "--port", "1"]
    assert run([*words, "hart=tiny"]) == 2
    assert "--every is 0.12 s, must be a number of ticks of 0.05 s" in capsys.readouterr().err


def test_nothing_is_restored_where_nothing_was_left(plain, capsys):
    assert run(["carla", "restore", "--port", str(plain.port)]) == 0
    assert "nothing of ours to put back" in capsys.readouterr().out
    assert plain.calls() == []


def test_the_doctor_finds_a_good_server_well_and_leaves_it_so(plain, capsys):
    before = condition(plain.port)
    assert run(["carla", "doctor", "--port", str(plain.port)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "paint facade_c ok" in told
    assert "paint road note is seen, but its material takes no paint" in told
    assert "put back ok" in told
    after = condition(plain.port)
    for name in ("settings", "weather", "map", "spectator"):
        assert before[name] == after[name]
    assert alive(plain.calls()) == 0


def test_a_doctor_who_only_looks_changes_nothing(plain):
    assert run(["carla", "doctor", "--look-only", "--port", str(plain.port)]) == 0
    assert {call["call"] for call in plain.calls()} <= READING


@pytest.mark.parametrize(
    ("knobs", "complaint"),
    [
        ({"version": "0.9.13"}, "server wrong the CARLA server at"),
        ({"dead_stream": ["sensor.camera.depth"]}, "trial wrong"),
    ],
)
def test_the_doctor_finds_what_is_wrong(standin, capsys, knobs, complaint):
    server = standin(pictures="plain", **knobs)
    settings = condition(server.port)["settings"] if "version" not in knobs else None
    assert run(["carla", "doctor", "--no-paint", "--port", str(server.port)]) == 1
    assert complaint in " ".join(capsys.readouterr().out.split())
    if settings is not None:
        assert condition(server.port)["settings"] == settings


def test_the_doctor_says_where_nothing_listens(capsys):
    assert run(["carla", "doctor", "--port", "1"]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "nothing listens at 127.0.0.1:1" in told
    assert "is the CARLA server started" in told


def test_a_sensor_that_is_silent_ends_a_run_and_is_named(standin, tmp_path):
    server = standin(pictures="plain", dead_stream=["sensor.camera.depth"])
    words = ["carla", "run", "child_behind_van", "--count", "1", "--routes", "repaint"]
    words += ["--port", str(server.port), "--out", str(tmp_path / "data"), *CARLA[2:]]
    process = begin([*words, "hart=tiny", "carla.sensor_timeout_s=0.3"], tmp_path / "cache")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "no picture of sensor 'front.depth'" in " ".join(errors.split())
    assert not condition(server.port)["settings"]["synchronous_mode"]


DRIVE = ("--seconds", "0.5", "--every", "0.25", "--routes", "repaint,texture", *CARLA[2:3])


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StandIn, Path, list[str]]]:
    """A server, a dataset that it recorded of a car that cuts in, and the scenario."""
    folder = tmp_path_factory.mktemp("drive")
    server = start(folder / "server", pictures="plain")
    scenarios = write_scenarios(folder / "scenarios")[1:2]
    words = ["carla", "record", *scenarios, *DRIVE, "--port", str(server.port)]
    process = begin([*words, "--out", str(folder / "data"), "hart=tiny"], folder / "cache")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    yield server, folder, scenarios
    server.stop()


@pytest.fixture(scope="module")
def foggy(drive: tuple[StandIn, Path, list[str]]) -> Path:
    """The recorded drive once more, in fog."""
    server, folder, scenarios = drive
    out = folder / "foggy"
    words = ["carla", "replay", str(folder / "data"), *scenarios, "--weather", "fog"]
    words += ["--port", str(server.port), "--out", str(out), "hart=tiny", "world.size_px=48"]
    process = begin(words, folder / "cache")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return out


def moments(root: Path, route: str) -> dict[float, Record]:
    """The samples of a route by their moment."""
    found = [each for each in read_samples(root) if each.route == route]
    return {each.provenance.get("moment_s", 0.0): each for each in found}


def car_of(record: Record) -> Any:
    (car,) = [each.instance for each in record.annotations if each.instance.name == "car"]
    return car


def test_a_record_has_a_sample_of_every_moment_and_its_recording(drive):
    _, folder, _ = drive
    found = moments(folder / "data", "repaint")
    assert list(found) == [0.0, 0.25, 0.5]
    for each in found.values():
        name = each.provenance["simulator"]["recording"]
        assert name == "hartsim-car_cuts_in-00000-0.log"
        assert (folder / "server" / name).exists()


def test_what_moves_moves_between_the_moments(drive):
    boxes = [car_of(each).box for each in moments(drive[1] / "data", "repaint").values()]
    aside = [box.centre_m[1] for box in boxes]
    assert aside[0] > aside[1] > aside[2]


def test_a_replay_shows_everything_where_it_was(drive, foggy):
    recorded, replayed = moments(drive[1] / "data", "repaint"), moments(foggy, "repaint")
    assert list(recorded) == list(replayed)
    for moment_s, record in recorded.items():
        before, after = car_of(record), car_of(replayed[moment_s])
        assert before.box.centre_m == pytest.approx(after.box.centre_m, abs=0.02)
        assert before.box.heading_rad == pytest.approx(after.box.heading_rad, abs=0.01)


def test_a_replay_has_its_own_weather_in_tags_prompts_and_numbers(drive, foggy):
    for record in moments(foggy, "repaint").values():
        assert record.tags["weather"] == ["fog"]
        assert "overcast" not in record.prompt
        assert record.provenance["simulator"]["weather"]["fog_density"] > 20
        assert record.provenance["simulator"]["replay"] == "hartsim-car_cuts_in-00000-0.log"


def test_textures_are_put_on_again_in_a_replay(drive, foggy):
    names = [call["call"] for call in drive[0].calls()]
    last = max(k for k, name in enumerate(names) if name == "replay_file")
    assert "apply_color_texture_to_objects" in names[last:]
    for each in moments(foggy, "texture").values():
        assert each.provenance["surfaces_tried"]
        assert sorted(each.textures) == each.provenance["surfaces_changed"]


def test_after_record_and_replay_nothing_is_left(drive, foggy):
    server, _, _ = drive
    calls = server.calls()
    assert alive(calls) <= 0
    started = sum(call["call"] in ("start_recorder", "replay_file") for call in calls)
    ended = [call["call"] for call in calls if call["call"] in ("stop_recorder", "stop_replayer")]
    assert started
    assert ended[-1] in ("stop_recorder", "stop_replayer")
    assert not condition(server.port)["settings"]["synchronous_mode"]


def test_a_replay_of_a_changed_scenario_is_refused(drive, tmp_path, capsys):
    _, folder, scenarios = drive
    changed = tmp_path / "car_cuts_in.yaml"
    changed.write_text(Path(scenarios[0]).read_text() + "# another\n")
    words = ["carla", "replay", str(folder / "data"), str(changed), "--out", str(tmp_path / "out")]
    assert run([*words, "hart=tiny", "--port", "1"]) == 2
    assert "is not what" in capsys.readouterr().err


def test_a_dataset_that_was_not_recorded_cannot_be_replayed(drive, foggy, tmp_path, capsys):
    server, _, scenarios = drive
    words = ["carla", "replay", str(foggy), *scenarios, "--out", str(tmp_path / "out")]
    assert run([*words, "hart=tiny", "world.size_px=48", "--port", str(server.port)]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "no sample of it was recorded by CARLA" in told


def test_the_request_of_a_replay_says_what_it_changes(foggy):
    request = json.loads((foggy / "hartsim.json").read_text())["request"]
    assert request["scene"] == {"weather": "fog"}
    assert request["moments_s"] == [0.0, 0.25, 0.5]
