"""HartSim/Carla-v0 on the stand-in server: Gymnasium's contract, and what becomes of the server."""

import os
import signal
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import hartsim  # noqa: F401
from hartsim.adapters.carla.connection import ServerAddress
from hartsim.adapters.carla.guard import Taken, file_of
from hartsim.adapters.gymnasium.experts import expert_of
from hartsim.adapters.gymnasium.vector import WeatherObservation
from hartsim.adapters.gymnasium.wrappers import BackdropObservation
from hartsim.dataset.bank import BankWriter, Row
from hartsim.errors import ScenarioError, WorldError
from hartsim.types import CLASS_ID
from tests.carla.children import begin, condition, end, line_of

pytest.importorskip("carla")
pytestmark = pytest.mark.carla

CARLA, STREET = "HartSim/Carla-v0", "HartSim/Street-v0"
CONES, FOG, RAIN = "cones_blown_into_open_lane", "stopped_car_fog", "rain_drops_on_lens_at_night"
STAY = np.zeros(2, np.float32)
Make = Callable[..., Any]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARTSIM_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def make(standin: Callable[..., Any]) -> Iterator[Make]:
    """Makes environments of 32 px, on the map on show; closes all before servers end."""
    made: list[Any] = []

    def build(*servers: Any, count: int = 0, mode: str = "sync", **told: Any) -> Any:
        told = {"size_px": 32, "map_name": "current", "scenario": CONES, **told}
        if count:
            if mode == "async":  # the clients of these tests have threads, so do not fork
                told["vector_kwargs"] = {"context": "spawn"}
            told["servers"] = named(servers)
            made.append(gym.make_vec(CARLA, count, vectorization_mode=mode, **told))
        elif len(servers) > 1:
            made.append(gym.make(CARLA, servers=named(servers), **told))
        else:
            made.append(gym.make(CARLA, port=servers[0].port, **told))
        return made[-1]

    yield build
    for env in made:
        env.close()


@pytest.fixture
def plain(standin: Callable[..., Any]) -> Any:
    """A server that draws boxes on a plain."""
    return standin(pictures="plain")


@pytest.fixture
def two(standin: Callable[..., Any]) -> list[Any]:
    return [standin(pictures="plain") for _ in range(2)]


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A bank with backdrops of single colours, whose blue is 128."""
    path = tmp_path_factory.mktemp("banks") / "plain"
    with BankWriter(path, {"made for": "tests"}) as writer:
        colours = [np.full((48, 64, 3), (10 * n, 255 - n, 128), np.uint8) for n in range(4)]
        writer.add("backdrop", colours, [Row("plain", 0, n, "front", "a colour") for n in range(4)])
    return str(path)


def named(servers: Any) -> list[str]:
    return [f"127.0.0.1:{server.port}" for server in servers]


@pytest.mark.slow
@pytest.mark.parametrize("how", [{}, {"observation": "dict", "actions": "discrete"}])
def test_gymnasium_finds_nothing_to_complain_about(
    make: Make, standin: Callable[..., Any], how: dict[str, Any]
) -> None:
    servers = [standin() for _ in range(2)]  # the check makes a second one beside it
    env = make(*servers, render_mode="rgb_array", **how)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)


@pytest.mark.parametrize("observation", ["image", "dict"])
@pytest.mark.parametrize("actions", ["continuous", "discrete"])
def test_it_sees_does_and_is_told_what_the_street_is(
    make: Make, plain: Any, observation: str, actions: str
) -> None:
    how = {"observation": observation, "actions": actions}
    env = make(plain, **how)
    street = gym.make(STREET, scenario=CONES, size_px=32, **how)
    assert (env.observation_space, env.action_space) == (
        street.observation_space,
        street.action_space,
    )
    (_, ours), (_, theirs) = env.reset(seed=4), street.reset(seed=4)
    assert ours["scene"] == theirs["scene"]
    action = STAY if actions == "continuous" else 0
    (_, reward, *_, ours), (_, expected, *_, theirs) = env.step(action), street.step(action)
    assert ours.keys() == theirs.keys()
    assert reward == pytest.approx(expected)
    street.close()


@pytest.mark.slow
def test_the_same_seed_shows_the_same_after_other_scenes(
    make: Make, standin: Callable[..., Any]
) -> None:
    env = make(standin(), observation="dict", map_name="", scenario=[CONES, FOG, RAIN])
    first, info = env.reset(seed=1)
    others = {env.reset(seed=seed)[1]["scenario"] for seed in range(2, 12)}
    again, told = env.reset(seed=1)
    assert (others, info) == ({CONES, FOG, RAIN}, told)
    for name, value in first.items():
        np.testing.assert_array_equal(value, again[name], name)


def test_a_reset_replaces_our_actors_and_loads_no_map(make: Make, plain: Any) -> None:
    env = make(plain)
    env.reset(seed=1)
    there = dict(condition(plain.port)["actors"])
    env.reset(seed=2)
    now = dict(condition(plain.port)["actors"])
    ours = [number for number, kind in there.items() if kind.startswith(("vehicle", "sensor"))]
    assert ours
    assert not set(ours) & set(now)
    assert sorted(now.values()) == sorted(there.values())
    assert plain.calls("load_new_episode") == []


def test_a_map_is_loaded_where_the_place_needs_one(make: Make, plain: Any) -> None:
    env = make(plain, map_name="")
    env.reset(seed=1, options={"scenario": "child_behind_van"})
    env.reset(seed=2, options={"scenario": "child_behind_van"})
    (call,) = plain.calls("load_new_episode")
    assert call["args"][0] == "Town02"


def test_the_expert_drives_to_the_goal(make: Make, plain: Any, rock: str) -> None:
    env = make(plain, scenario=rock)
    expert = expert_of(env)
    env.reset(seed=1)
    expert.begin()
    ended = False
    while not ended:
        *_, terminated, truncated, info = env.step(expert.act())
        ended = terminated or truncated
    assert (info["success"], info["collision"]) == (True, "")


def test_a_second_environment_on_a_server_is_refused_until_the_first_is_closed(
    make: Make, plain: Any
) -> None:
    first, second = make(plain), make(plain)
    first.reset(seed=1)
    with pytest.raises(Taken, match=f"another world .* 127.0.0.1:{plain.port}; one world, one"):
        second.reset(seed=1)
    first.close()
    second.reset(seed=1)


def test_of_several_servers_the_next_free_one_is_taken(make: Make, two: list[Any]) -> None:
    for server in two:
        make(*two).reset(seed=1)
        assert server.calls("spawn_actor")
    with pytest.raises(WorldError, match=r"none left of 127.0.0.1:\d+, 127.0.0.1:\d+: another"):
        make(*two).reset(seed=1)


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_each_environment_of_a_vector_has_the_server_of_its_number(
    make: Make, two: list[Any], mode: str
) -> None:
    before = [condition(server.port) for server in two]
    envs = make(*two, count=2, mode=mode, scenario=[CONES, FOG])
    seen, infos = envs.reset(seed=[1, 8])
    alone = [gym.make(STREET, scenario=[CONES, FOG]) for _ in two]
    scenes = [env.reset(seed=seed)[1]["scene"] for env, seed in zip(alone, (1, 8), strict=True)]
    assert seen.shape == (2, 32, 32, 3)
    assert list(infos["scene"]) == scenes
    cones = ["static.prop" in str(server.calls("spawn_actor")) for server in two]
    assert cones == [name == CONES for name in infos["scenario"]] == [True, False]
    for _ in range(3):
        seen, *_ = envs.step(envs.action_space.sample())
    envs.close()
    assert [condition(server.port) for server in two] == before
    assert not [server for server in two if file_of(ServerAddress(port=server.port)).exists()]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_vector_with_more_environments_than_servers_is_refused(
    make: Make, two: list[Any], mode: str
) -> None:
    envs = make(*two, count=3, mode=mode)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # gymnasium shows the traceback of the worker
        with pytest.raises(WorldError, match="one environment, one server"):
            envs.reset(seed=1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_after_a_killed_worker_all_servers_become_what_they_were(
    two: list[Any], make: Make, number: int
) -> None:
    before = [condition(server.port) for server in two]
    base = make(*two, count=2, mode="async", observation="dict")
    envs = WeatherObservation(base, "fog")
    envs.reset(seed=1)
    os.kill(base.unwrapped.processes[1].pid, number)
    base.unwrapped.processes[1].join()
    with pytest.raises(WorldError, match=rf"worker 1 died \(exit code -{int(number)}\)"):
        envs.step(envs.action_space.sample())
    assert condition(two[0].port) == before[0]
    again = make(two[1])
    again.reset(seed=1)
    again.close()
    assert condition(two[1].port) == before[1]


VECTOR = """
import os, signal, gymnasium as gym
servers = sys.argv[1:3]
names = [f"127.0.0.1:{port}" for port in servers]
envs = gym.make_vec("hartsim:HartSim/Carla-v0", 2, "async", servers=names, map_name="current",
                    scenario="cones_blown_into_open_lane")
envs.reset(seed=1)
os.kill(envs.processes[1].pid, signal.SIGKILL)
envs.processes[1].join()
raise RuntimeError("the policy is broken")
"""
ALONE = """
import gymnasium as gym
env = gym.make("hartsim:HartSim/Carla-v0", port=int(sys.argv[1]), map_name="current",
               scenario="cones_blown_into_open_lane")
env.reset(seed=1)
say("shown")
raise RuntimeError("the policy is broken")
"""


def test_an_exception_puts_the_server_back(plain: Any, tmp_path: Path) -> None:
    before = condition(plain.port)
    child = begin(ALONE, plain, tmp_path / "cache")
    assert line_of(child) == "shown"
    status, _, complaint = end(child)
    assert (status, "the policy is broken" in complaint) == (1, True)
    assert condition(plain.port) == before


def test_an_exception_beside_workers_puts_all_servers_back_that_of_a_killed_one_too(
    two: list[Any], tmp_path: Path
) -> None:
    before = [condition(server.port) for server in two]
    child = begin(VECTOR, two[0], tmp_path / "cache", tm_port=two[1].port)
    status, _, complaint = end(child)
    assert (status, "the policy is broken" in complaint) == (1, True)
    assert [condition(server.port) for server in two] == before


def test_what_carla_cannot_do_is_refused_by_name(make: Make, plain: Any) -> None:
    env = make(plain)
    env.reset(seed=1)
    with pytest.raises(WorldError, match="cannot go back to an earlier moment"):
        env.unwrapped.save()
    with pytest.raises(ScenarioError, match="a robot scenario, but this is a driving task"):
        env.reset(options={"scenario": "hand_and_knife"})
    with pytest.raises(ScenarioError, match="no camera 'rear'; there are: front"):
        make(plain, camera="rear")
    with pytest.raises(TypeError, match="draft"):
        make(plain, draft=False)


def test_without_labels_there_are_pictures_alone_and_the_error_says_so(
    make: Make, plain: Any
) -> None:
    env = make(plain, labels=False)
    assert env.reset(seed=1)[0].shape == (32, 32, 3)
    with pytest.raises(WorldError, match="an environment has them with labels=True"):
        env.unwrapped.frame()
    kinds = {kind for _, kind in condition(plain.port)["actors"] if kind.startswith("sensor.")}
    assert kinds == {"sensor.camera.rgb"}


def test_of_the_cameras_of_a_scenario_only_the_one_that_is_seen_is_mounted(
    make: Make, plain: Any, tmp_path: Path
) -> None:
    scenario = tmp_path / "two_cameras.yaml"
    scenario.write_text(
        "task: driving\nscene: {place: city_street}\n"
        "hazards: {cone: {kind: traffic_cones, ahead_m: 16}}\n"
        "cameras: {"
        "front: {ahead_m: 0.6, left_m: 0, up_m: 1.5, pitch_deg: 0, yaw_deg: 0, fov_deg: 55}, "
        "left: {ahead_m: 0, left_m: 0.8, up_m: 1.4, pitch_deg: 0, yaw_deg: 90, fov_deg: 60}}\n"
    )
    make(plain, scenario=str(scenario), camera="left", labels=False).reset(seed=1)
    (call,) = plain.calls("spawn_actor_with_parent")
    assert "hartsim/left.rgb" in str(call["args"])


@pytest.mark.parametrize(
    ("told", "error", "message"),
    [
        ({"servers": ["a:2000", "a:2000"]}, WorldError, "a:2000 twice; one environment, one"),
        ({"servers": ["2000"]}, WorldError, "'2000' is no server, must be HOST:PORT"),
        ({"servers": "a:2000"}, WorldError, "must be a list such as"),
        ({"servers": ["a:2000"], "host": "b"}, WorldError, "name a server by host and port, or"),
        ({"port": 70000}, WorldError, "port is 70000, must be 1..65535"),
        ({"tick_s": 0.03}, ValueError, "tick_s is 0.03, must be at most 0.1 and go into step_s"),
        ({"observation": "dict", "labels": False}, ValueError, "the observation 'dict' has labels"),
    ],
)
def test_what_does_not_fit_is_refused_when_it_is_made(
    told: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        gym.make(CARLA, **told)


def test_the_traffic_managers_of_a_vector_have_ports_of_their_own(
    make: Make, two: list[Any]
) -> None:
    make(*two, count=2, tm_port=8100, traffic=True).reset(seed=1)
    assert [managers_port(server) for server in two] == [8100, 8101]


def test_without_a_port_for_its_traffic_manager_an_environment_finds_a_free_one(
    make: Make, two: list[Any]
) -> None:
    make(*two, count=2, traffic=True).reset(seed=1)
    assert managers_port(two[0]) != managers_port(two[1])


def managers_port(server: Any) -> int:
    (call,) = server.calls("add_traffic_manager_running")
    port: int = call["args"][0][1]
    return port


def test_a_backdrop_stands_behind_what_carla_labels(make: Make, plain: Any, bank: str) -> None:
    env = BackdropObservation(make(plain, observation="dict"), bank, mask="labels:sky")
    seen, _ = env.reset(seed=1)
    sky = seen["labels"] == CLASS_ID["sky"]
    assert 0.1 < sky.mean() < 0.9
    assert len(np.unique(seen["image"][sky], axis=0)) == 1
    assert (seen["image"][sky][:, 2] == 128).all()
    assert (seen["image"][~sky][:, 2] != 128).any()
