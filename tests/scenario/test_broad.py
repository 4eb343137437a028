from hypothesis import given

from hartsim.scenario.broad import broad_scenario
from hartsim.scenario.catalogue import ids_of
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.schema import misfit, rules_of
from hartsim.scenario.sightings import seen_by
from tests.strategies import scenarios, seeds, tasks


@given(tasks, seeds)
def test_the_same_seed_gives_the_same_scenario(task, seed):
    assert broad_scenario(task, seed) == broad_scenario(task, seed)


@given(scenarios)
def test_every_value_is_one_that_a_file_could_hold(scenario):
    for spec in (scenario.scene, *scenario.hazards.values(), *scenario.objects.values()):
        for name, rule in rules_of(spec).items():
            assert misfit(rule, getattr(spec, name), scenario.task) is None


@given(scenarios)
def test_every_thing_is_in_the_front_picture(scenario):
    setup = compile_draw(scenario, 0, 0).setup
    assert len(seen_by(setup.objects, setup.cameras[0])) == len(setup.objects)


@given(scenarios)
def test_no_thing_stands_in_another(scenario):
    boxes = [thing.box for thing in compile_draw(scenario, 0, 0).setup.objects]
    for index, one in enumerate(boxes):
        for other in boxes[:index]:
            (ax, ay, _), (bx, by, _) = one.centre_m, other.centre_m
            apart = ((ax - bx) ** 2 + (ay - by) ** 2) ** 0.5
            assert apart > (min(one.size_m[:2]) + min(other.size_m[:2])) / 2


def test_every_kind_place_weather_and_time_comes_up():
    for task in ("driving", "robot"):
        drawn = [broad_scenario(task, seed) for seed in range(2000)]
        kinds = {s.kind for each in drawn for s in (each.hazards | each.objects).values()}
        assert kinds == set(ids_of("kind", task))
        for field in ("place", "weather", "time_of_day"):
            assert {getattr(each.scene, field) for each in drawn} == set(ids_of(field, task))


def test_hazards_are_none_one_or_two():
    counts = [len(broad_scenario("driving", seed).hazards) for seed in range(300)]
    assert set(counts) == {0, 1, 2}
    assert counts.count(1) > 150
