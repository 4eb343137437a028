"""Banks as they are built, with the test size of HART."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hartsim.banks import BankRequest, build_bank, failures, next_kind, paint, plan, wanted_of
from hartsim.config import load_config
from hartsim.dataset.bank import open_bank
from hartsim.errors import ConfigError, DatasetError
from hartsim.painter import Painter
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.load import load_scenario
from hartsim.scenario.surroundings import SURFACES
from hartsim.types import Image

SETTINGS = ("hart=tiny", "world.size_px=32", "render.attempts=2")
SCENARIOS = ("spill_near_laptop", "child_behind_van", "deer_snow_road")
KINDS = ("texture/road", "texture/box", "backdrop", "view")


def request(out: Path, *settings: str, **changed: object) -> BankRequest:
    config = load_config([*SETTINGS, *settings])
    asked = BankRequest(SCENARIOS, KINDS, 4, 1, out, config, shard_size=3)
    return replace(asked, **changed)


def build(out: Path, *settings: str, **changed: object) -> Path:
    for _ in build_bank(request(out, *settings, **changed)):
        pass
    return out


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("whole") / "bank")


@pytest.fixture(scope="module")
def painter() -> Painter:
    return Painter(load_config(SETTINGS))


def contents(root: Path) -> dict[str, bytes]:
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def hashes(root: Path) -> dict[str, list[str]]:
    bank = open_bank(root, verify=True)
    return {kind: [row.sha256 for row in bank.images(kind).rows] for kind in bank.kinds}


def test_every_kind_has_as_many_pictures_as_were_asked_for(whole):
    bank = open_bank(whole, verify=True)
    assert bank.kinds == dict.fromkeys(sorted(KINDS), 4)
    assert all(bank.images(kind).size_px == (32, 32) for kind in KINDS)
    assert len(set(itertools.chain(*hashes(whole).values()))) == 4 * len(KINDS)


def test_texture_stands_for_every_surface_of_the_scenarios_worlds(tmp_path):
    both = {f"texture/{surface}" for task in SURFACES for surface in SURFACES[task]}
    assert set(plan(request(tmp_path, kinds=("texture",)))) == both
    street = plan(request(tmp_path, kinds=("texture",), scenarios=("child_behind_van",)))
    assert set(street) == {f"texture/{surface}" for surface in SURFACES["driving"]}


def test_the_scenarios_that_have_a_surface_take_turns(whole):
    bank = open_bank(whole)
    drawn = {
        kind: [(row.scenario, row.index) for row in bank.images(kind).rows] for kind in bank.kinds
    }
    child, deer, spill = sorted(SCENARIOS)
    assert drawn["texture/road"] == [(child, 0), (deer, 0), (child, 1), (deer, 1)]
    assert drawn["texture/box"] == [(child, 0), (deer, 0), (spill, 0), (child, 1)]


def test_the_order_of_the_scenarios_does_not_matter(whole, tmp_path):
    assert contents(build(tmp_path / "b", scenarios=SCENARIOS[::-1])) == contents(whole)


def test_neither_the_batch_nor_the_other_kinds_change_a_byte(whole, tmp_path):
    alone = build(tmp_path / "b", "render.batch=1", kinds=("backdrop",))
    shard = "backdrop/00000.npy"
    assert contents(alone)[shard] == contents(whole)[shard]


def test_a_texture_is_the_one_that_the_pipeline_would_paint(whole, painter):
    row = open_bank(whole).images("texture/road").rows[2]
    scene = compile_draw(load_scenario("child_behind_van"), 1, 1)
    job = painter.job(scene, "texture", "road", scene.texture_prompts["road"], row.attempt)
    assert (row.prompt, row.noise_key) == (job.prompt, job.noise_key)
    assert row.cache_key == painter.renderer.cache_key(job, None)
    assert row.weights_hash == painter.weights_hash


def test_a_backdrop_asks_for_no_hazard_and_a_view_for_all(whole):
    bank = open_bank(whole)
    for kind, is_asked in (("backdrop", False), ("view", True)):
        row = bank.images(kind).rows[0]
        scene = compile_draw(load_scenario(row.scenario), row.seed, row.index)
        prompts = scene.view_prompts if is_asked else scene.backdrop_prompts
        assert row.prompt == prompts["front"]
        assert ("hazard" in row.tags) == is_asked
        assert row.tags["weather"] == scene.tags["weather"]


def test_backdrop_and_view_of_a_draw_have_noises_of_their_own(whole):
    bank = open_bank(whole)
    keys = [row.noise_key for kind in bank.kinds for row in bank.images(kind).rows]
    assert len(set(keys)) == len(keys)


def test_every_camera_asked_for_takes_its_turn(tmp_path):
    mirrored = tmp_path / "s.yaml"
    mirrored.write_text(
        "extends: child_behind_van\nname: mirrored\ncameras:\n  front: {}\n"
        "  rear: {ahead_m: -1, left_m: 0, up_m: 1.4, yaw_deg: 180, fov_deg: 60}\n"
    )
    asked = {"scenarios": (str(mirrored),), "kinds": ("backdrop",), "size": 3}
    rows = open_bank(build(tmp_path / "b", "dataset.views=front,rear", **asked)).images("backdrop")
    drawn = [(row.target, row.index) for row in rows.rows]
    assert drawn == [("front", 0), ("rear", 0), ("front", 1)]


@pytest.mark.parametrize("painted", [3, 5, 14])
def test_a_run_that_stops_anywhere_is_continued_to_the_same_files(whole, tmp_path, painted):
    run = build_bank(request(tmp_path / "b"))
    assert len(list(itertools.islice(run, painted))) == painted
    run.close()
    before = sum(open_bank(tmp_path / "b", verify=True).kinds.values())
    assert 0 <= painted - before <= 3
    rest = sum(1 for _ in build_bank(request(tmp_path / "b")))
    assert before + rest == 4 * len(KINDS)
    assert contents(tmp_path / "b") == contents(whole)


def test_a_finished_bank_is_left_as_it_is(whole):
    before = {path: path.stat().st_mtime_ns for path in whole.rglob("*.*")}
    assert list(build_bank(request(whole))) == []
    assert before == {path: path.stat().st_mtime_ns for path in whole.rglob("*.*")}


def test_a_bank_grows_to_what_it_would_have_been_at_once(whole, tmp_path):
    build(tmp_path / "b", size=2, kinds=("view",))
    assert hashes(build(tmp_path / "b")) == hashes(whole)


def test_without_a_size_it_goes_on_and_kinds_grow_side_by_side(tmp_path):
    asked = request(tmp_path / "b", size=None, shard_size=2, kinds=("backdrop", "texture/road"))
    bank, run = None, build_bank(asked)
    for number in range(13):
        next(run)
        bank = bank or open_bank(tmp_path / "b")
        bank.refresh()
        assert sum(bank.kinds.values()) == number // 2 * 2
    assert bank.kinds == {"backdrop": 6, "texture/road": 6}
    run.close()


def test_the_kind_with_fewest_pictures_is_next():
    assert next_kind({"a": 4, "b": 2, "c": 2}, 5) == "b"
    assert next_kind({"a": 5, "b": 5}, 5) is None


class Fussy(Painter):
    """The first attempts of these targets come out black."""

    black: int = 0

    def __call__(self, work):
        for render in super().__call__(work):
            is_black = render.job.attempt < self.black and render.job.target == "front"
            yield replace(render, image=render.image * 0) if is_black else render


@pytest.mark.parametrize(("black", "attempt", "reasons"), [(0, 0, 0), (1, 1, 0), (2, 1, 2)])
def test_a_picture_that_fails_its_checks_is_redrawn_and_at_last_kept(
    tmp_path, black, attempt, reasons
):
    fussy = Fussy(load_config(SETTINGS))
    fussy.black = black
    sources = plan(request(tmp_path))
    wanted = [wanted_of(kind, 0, sources[kind], fussy) for kind in ("backdrop", "texture/road")]
    backdrop, road = paint(wanted, fussy)
    assert (backdrop.render.job.attempt, road.render.job.attempt) == (attempt, 0)
    assert (len(backdrop.failed), len(road.failed)) == (reasons, 0)


@pytest.mark.parametrize(("kind", "failed"), [("backdrop", 0), ("view", 1)])
def test_a_backdrop_may_be_soft_as_fog_and_a_view_may_not(tmp_path, painter, kind, failed):
    wanted = wanted_of(kind, 0, plan(request(tmp_path))[kind], painter)
    assert len(failures(wanted, slope(levels=3))) == failed
    assert len(failures(wanted, slope(levels=0))) == 2 + failed


def slope(levels: int) -> Image:
    """A picture that gets lighter by so many levels a row."""
    rows = np.arange(32, dtype=np.uint8)[:, None, None] * np.uint8(levels)
    return np.array(np.broadcast_to(rows, (32, 32, 3)))


def test_a_texture_with_a_seam_is_redrawn(tmp_path):
    class Seamy(Painter):
        def __call__(self, work):
            for render in super().__call__(work):
                is_first = render.job.attempt == 0
                yield replace(render, image=slope(levels=7)) if is_first else render

    seamy = Seamy(load_config(SETTINGS))
    sources = plan(request(tmp_path, kinds=("texture/road",)))
    (made,) = paint([wanted_of("texture/road", 0, sources["texture/road"], seamy)], seamy)
    assert (made.render.job.attempt, made.failed) == (1, ())


@pytest.mark.parametrize(
    ("settings", "changed", "complaint"),
    [
        ((), {"kinds": ("textur",)}, "no kind 'textur' of pictures; did you mean 'texture'?"),
        ((), {"kinds": ("texture/raod",)}, "did you mean 'texture/road'?"),
        ((), {"kinds": ()}, "no kind of pictures is asked for"),
        (("draw.sampler=sobol",), {}, "draw.sampler is sobol, which must know how many draws"),
        (("world.shadows=false",), {}, "heeds neither world.shadows nor dataset.routes"),
        (("dataset.routes=view",), {}, "heeds neither world.shadows nor dataset.routes"),
        (("dataset.views=top",), {}, "no camera 'top'"),
    ],
)
def test_what_cannot_be_built_claims_no_folder(tmp_path, settings, changed, complaint):
    with pytest.raises(ConfigError) as refusal:
        build(tmp_path / "b", *settings, **changed)
    assert complaint in str(refusal.value)
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("settings", "changed", "complaint"),
    [
        ((), {"seed": 2}, "seed is 1 there and 2 here"),
        ((), {"scenarios": SCENARIOS[:2]}, "scenarios.deer_snow_road is "),
        (("render.guidance=1",), {}, "render.guidance is absent there and 1.0 here"),
        (("world.size_px=64",), {}, "size_px is [32,32] there and [64,64] here"),
    ],
)
def test_another_request_does_not_go_on_in_a_bank(whole, settings, changed, complaint):
    before = contents(whole)
    with pytest.raises(DatasetError) as refusal:
        build(whole, *settings, **changed)
    assert complaint in str(refusal.value)
    assert contents(whole) == before
