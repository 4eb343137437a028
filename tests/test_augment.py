"""`hartsim augment`: the objects of a COCO set keep every bit, the rest gets a new look."""

import contextlib
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools.coco import COCO

from hartsim.augment import (
    CHANGED,
    FEATHER_PX,
    MARGIN_PX,
    OUTSIDE,
    PLACELESS,
    UNPAINTED,
    AugmentRequest,
    augment,
    failures,
    paint_group,
    plan,
)
from hartsim.cli import run
from hartsim.config import RunConfig, load_config
from hartsim.dataset.augmented import Augmented, read_dropped
from hartsim.dataset.coco import mask_of, read_coco
from hartsim.dataset.export import run_lengths
from hartsim.errors import ConfigError, DatasetError, HartSimError, ScenarioError
from hartsim.images import composite, encode_jpeg, encode_png, read_image
from hartsim.painter import Painter
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.load import load_scenario
from hartsim.types import Canvas, Image, Mask, Render

HEIGHT, WIDTH = 48, 64
CONFIG = load_config(["hart=tiny", "render.attempts=1"])
CATEGORIES = [
    {"id": 1, "name": "person", "supercategory": "living", "skeleton": [[1, 2]]},
    {"id": 3, "name": "car"},
    {"id": 8, "name": "sky"},
]
SIGHT = np.random.default_rng(5).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
"""Noise: no pixel of it is painted again by chance."""

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def block(rows: slice, columns: slice) -> Mask:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[rows, columns] = True
    return mask


CAR = block(slice(20, 40), slice(30, 50))
CROWD = block(slice(5, 9), slice(40, 60))
ANNOTATIONS = (
    {"id": 11, "category_id": 1, "bbox": [2.5, 8.25, 9, 30], "area": 270, "iscrowd": 0},
    {
        "id": 12,
        "category_id": 3,
        "bbox": [30, 20, 20, 20],
        "segmentation": [[30, 20, 50, 20, 50, 40, 30, 40]],
        "area": 400.5,
        "keypoints": [31, 22, 2],
        "num_keypoints": 1,
        "mine": {"colour": "red"},
    },
    {"id": 14, "category_id": 1, "segmentation": run_lengths(CROWD), "iscrowd": 1},
    {"id": 17, "category_id": 8, "bbox": [0, 0, 64, 12]},
    {"id": 18, "category_id": 3, "bbox": [64, 0, 9, 9]},
    {"id": 20, "category_id": 1, "caption": "a person beside a car"},
)


def coco_folder(
    root: Path,
    annotations: Any = ANNOTATIONS,
    names: tuple[str, ...] = ("a.png",),
    picture: Image = SIGHT,
    **more: Any,
) -> Path:
    """A set whose pictures are all alike; the annotations are of the first."""
    images = [
        {"id": 40 + number, "file_name": name, "height": HEIGHT, "width": WIDTH, **more}
        for number, name in enumerate(names)
    ]
    for name in names:
        path = root / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(picture) if path.suffix == ".png" else encode_jpeg(picture))
    data = {
        "info": {"description": "by hand", "year": 2024},
        "licenses": [{"id": 1, "name": "CC0"}],
        "images": images,
        "annotations": [{**each, "image_id": each.get("image_id", 40)} for each in annotations],
        "categories": CATEGORIES,
    }
    (root / "annotations.json").write_text(json.dumps(data))
    return root


def with_render(setting: str) -> RunConfig:
    return load_config(["hart=tiny", "render.attempts=1", f"render.{setting}"])


def request_for(folder: Path, out: Path, **more: Any) -> AugmentRequest:
    return AugmentRequest(
        folder, more.pop("route", "repaint"), "deer_snow_road", out, **{"config": CONFIG, **more}
    )


def augmented(folder: Path, out: Path, **more: Any) -> list[Augmented]:
    return list(augment(request_for(folder, out, **more)))


def result(out: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((out / "annotations.json").read_text())
    return data


def whole_folder(out: Path) -> dict[str, bytes]:
    files = (path for path in out.rglob("*") if path.is_file() and path.name != ".hartsim-lock")
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def unknown_of(entry: Any) -> Mask:
    mask = mask_of({"id": 0, "segmentation": entry["unknown"]}, (entry["height"], entry["width"]))
    assert mask is not None
    return mask


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return coco_folder(tmp_path_factory.mktemp("coco"))


class BoldPainter(Painter):
    """Changes every pixel that it may."""

    def __call__(self, work: Any) -> Any:
        for job, canvas in work:
            image = composite(canvas.image, 255 - canvas.image, canvas.editable)
            yield Render(job, image, "", {}, "", 0.0)


@pytest.fixture(scope="module")
def painter() -> Painter:
    return BoldPainter(CONFIG)


@pytest.fixture(scope="module", params=["repaint", "backdrop"])
def done(request: pytest.FixtureRequest, source: Path, tmp_path_factory: Any) -> Path:
    out: Path = tmp_path_factory.mktemp("out") / request.param
    augmented(source, out, route=request.param, change=("sky",))
    return out


# What stays


def test_the_annotations_of_what_is_kept_are_as_they_were(source: Path, done: Path) -> None:
    before = {
        each["id"]: each
        for each in json.loads((source / "annotations.json").read_text())["annotations"]
    }
    after = {each["id"]: each for each in result(done)["annotations"]}
    assert after == {number: before[number] for number in (11, 12, 14)}


def test_what_is_dropped_is_listed_with_its_reason(done: Path) -> None:
    assert read_dropped(done) == [
        {"id": 17, "image_id": 40, "category": "sky", "reason": CHANGED},
        {"id": 18, "image_id": 40, "category": "car", "reason": OUTSIDE},
        {"id": 20, "image_id": 40, "category": "person", "reason": PLACELESS},
    ]


def test_pixels_outside_the_mask_do_not_differ(done: Path) -> None:
    (entry,) = result(done)["images"]
    image, unknown = read_image(done / entry["file_name"]), unknown_of(entry)
    assert np.abs(image.astype(int) - SIGHT)[~unknown].max() == 0
    assert (image != SIGHT).any(axis=2)[unknown].mean() > 0.9


def test_objects_crowds_and_a_margin_round_them_are_kept(done: Path) -> None:
    (entry,) = result(done)["images"]
    unknown = unknown_of(entry)
    box = block(slice(8, 39), slice(2, 12))
    for kept in (CAR, CROWD, box, block(slice(17, 43), slice(35, 45))):
        assert not unknown[kept].any()
    assert unknown[:, 15:20].all()


def test_categories_licences_and_info_are_handed_on(source: Path, done: Path) -> None:
    data = result(done)
    assert (data["categories"], data["licenses"]) == (CATEGORIES, [{"id": 1, "name": "CC0"}])
    assert (data["info"]["description"], data["info"]["year"]) == ("by hand", 2024)
    assert data["info"]["augment"]["scenario"].keys() == {"deer_snow_road"}


def test_a_picture_says_where_it_is_from_and_what_was_asked(done: Path) -> None:
    (entry,) = result(done)["images"]
    scene = compile_draw(load_scenario("deer_snow_road"), 0, 0)
    assert (entry["id"], entry["file_name"], entry["source"]) == (40, "images/a.png", "a.png")
    assert (entry["scenario"], entry["route"]) == ("deer_snow_road", done.name)
    assert entry["prompt"] == scene.backdrop_prompts["front"]
    assert entry["tags"]["weather"] == list(scene.tags["weather"])
    assert "hazard" not in entry["tags"]


def test_pycocotools_reads_it(done: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(done / "annotations.json"))
    assert np.array_equal(coco.annToMask(coco.anns[12]).astype(bool), CAR)


def test_without_change_every_annotated_pixel_stays(source: Path, tmp_path: Path) -> None:
    augmented(source, tmp_path / "out")
    (entry,) = result(tmp_path / "out")["images"]
    assert not unknown_of(entry)[:12].any()
    assert 17 in [each["id"] for each in result(tmp_path / "out")["annotations"]]


def test_what_was_unknown_stays_unknown_and_what_was_tagged_tagged(tmp_path: Path) -> None:
    before, tags = CAR.copy(), {"hazard": ["child"], "weather": ["rain"]}
    more = {"unknown": run_lengths(before), "tags": tags}
    augmented(coco_folder(tmp_path / "coco", **more), tmp_path / "out")
    (entry,) = result(tmp_path / "out")["images"]
    assert unknown_of(entry)[before].all()
    assert (entry["tags"]["hazard"], entry["tags"]["weather"]) == (["child"], ["snow"])


EVERYTHING = [{"id": 1, "category_id": 1, "bbox": [0, 0, WIDTH, HEIGHT]}]


def test_a_picture_that_is_all_object_stays_as_it_is_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tags = {"weather": ["rain"]}
    folder = coco_folder(tmp_path / "coco", EVERYTHING, tags=tags)
    made = augmented(folder, tmp_path / "out", count=2)
    for each, entry in zip(made, result(tmp_path / "out")["images"], strict=True):
        assert np.array_equal(each.image, SIGHT)
        assert (entry["tags"], entry["prompt"], entry["failed"]) == (tags, "", [UNPAINTED])
        assert not unknown_of(entry).any()
    (told,) = caplog.messages
    assert told == f"{folder}/images/a.png: {UNPAINTED}, so it stays as it is"


def test_objects_in_prompts_are_a_choice(source: Path, tmp_path: Path) -> None:
    (made,) = augmented(source, tmp_path / "out", objects=True)
    scene = compile_draw(load_scenario("deer_snow_road"), 0, 0)
    assert made.said["prompt"] == scene.view_prompts["front"]


SIDES = st.floats(-10, 70)


@given(st.lists(st.tuples(SIDES, SIDES, SIDES, SIDES), max_size=4), st.integers(0, 6))
def test_whatever_the_boxes_their_pixels_are_exact(
    source: Path, painter: Painter, boxes: Any, margin_px: int
) -> None:
    annotations = tuple(
        {"id": number, "category_id": 1, "bbox": list(box)} for number, box in enumerate(boxes)
    )
    planned = plan(request_for(source, source / "out", margin_px=margin_px))
    variant = planned.variants[0]
    picture = replace(variant.picture, annotations=annotations)
    (made,) = paint_group([replace(variant, picture=picture)], planned, painter)
    for each in annotations:
        mask = mask_of(each, (HEIGHT, WIDTH))
        assert mask is not None
        assert mask.any() != (each["id"] in made.dropped)
        assert np.array_equal(made.image[mask], SIGHT[mask])


# Runs


FIVE = ("a/1.png", "b/1.png", "1.jpg", "2.png", "Ä 3.png")


def test_an_interrupted_run_ends_the_same(tmp_path: Path) -> None:
    folder = coco_folder(tmp_path / "coco", names=FIVE)
    augmented(folder, tmp_path / "whole")
    halted = augment(request_for(folder, tmp_path / "halted"))
    for _ in range(2):
        next(halted)
    halted.close()
    (tmp_path / "halted" / "images" / ".hartsim-7-x.png").write_bytes(b"half")
    assert not (tmp_path / "halted" / "annotations.json").exists()
    assert len(augmented(folder, tmp_path / "halted")) == 3
    assert whole_folder(tmp_path / "halted") == whole_folder(tmp_path / "whole")


def test_the_batch_does_not_change_a_byte(tmp_path: Path) -> None:
    folder = coco_folder(tmp_path / "coco", names=FIVE)
    for batch in (1, 4):
        config = load_config(["hart=tiny", "render.attempts=2", f"render.batch={batch}"])
        augmented(folder, tmp_path / f"{batch}", config=config)
    assert whole_folder(tmp_path / "1") == whole_folder(tmp_path / "4")


def test_a_picture_is_the_same_whatever_pictures_are_beside_it(tmp_path: Path) -> None:
    few, many = (coco_folder(tmp_path / f"{n}", names=FIVE[3 : 3 + n]) for n in (1, 2))
    alone, beside = (augmented(each, tmp_path / f"out-{each.name}")[0] for each in (few, many))
    assert np.array_equal(alone.image, beside.image)


def test_names_do_not_collide(tmp_path: Path) -> None:
    variants = plan(request_for(coco_folder(tmp_path, names=FIVE), tmp_path / "out")).variants
    assert [each.name for each in variants] == ["0-1", "1-1", "2-1", "3-2", "4-Ä_3"]


def test_names_are_kept_where_they_differ(tmp_path: Path) -> None:
    folder = coco_folder(tmp_path, names=("train/dusk 1.png", "2.png"))
    request = request_for(folder, tmp_path / "out", count=2)
    names = [each.name for each in plan(request).variants]
    assert names == ["dusk_1-0", "dusk_1-1", "2-0", "2-1"]


def test_every_variant_is_another_picture_with_ids_of_its_own(source: Path, tmp_path: Path) -> None:
    made = augmented(source, tmp_path / "out", count=3)
    data = result(tmp_path / "out")
    assert [each["id"] for each in data["images"]] == [40, 41, 42]
    assert len({each["id"] for each in data["annotations"]}) == 3 * 4
    assert data["annotations"][0]["id"] == 11
    assert {each["image_id"] for each in data["annotations"]} == {40, 41, 42}
    assert len({each.image.tobytes() for each in made}) == 3
    assert len(read_dropped(tmp_path / "out")) == 2


def test_a_finished_run_does_nothing(source: Path, tmp_path: Path) -> None:
    augmented(source, tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.*")}
    assert augmented(source, tmp_path / "out") == []
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_picture_that_is_not_as_it_was_written_is_made_anew(
    source: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    augmented(source, tmp_path / "out", count=2)
    before, path = whole_folder(tmp_path / "out"), tmp_path / "out" / "images" / "a-1.png"
    path.write_bytes(b"half") if damage == "changed" else path.unlink()
    assert [each.variant.name for each in augmented(source, tmp_path / "out", count=2)] == ["a-1"]
    assert whole_folder(tmp_path / "out") == before
    assert [each.startswith(f"{path}: ") for each in caplog.messages] == [True]


def test_verify_finds_what_changed(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    augmented(source, out, count=3)
    assert run(["verify", str(out)]) == 0
    assert capsys.readouterr().out == "3 pictures, every byte as it was written\n"
    (out / "images" / "a-0.png").write_bytes(encode_png(SIGHT))
    (out / "images" / "a-1.png").unlink()
    (out / "records" / "a-2.json").unlink()
    assert run(["verify", str(out)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{out}/images/a-0.png: its bytes are not those that were written",
        f"{out}/images/a-1.png: missing",
        f"{out}/records/a-2.json: No such file or directory",
    ]


def test_verify_says_that_a_run_was_not_finished(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    halted = augment(request_for(source, out, count=2))
    next(halted)
    del halted
    assert run(["verify", str(out)]) == 1
    assert capsys.readouterr().out == (
        f"{out}/annotations.json: missing; run the same augment again\n"
    )


def test_another_seed_gives_another_picture(source: Path, tmp_path: Path) -> None:
    first, second = (augmented(source, tmp_path / f"{n}", seed=n)[0].image for n in (0, 1))
    assert not np.array_equal(first, second)


def test_another_request_leaves_the_folder_alone(source: Path, tmp_path: Path) -> None:
    augmented(source, tmp_path / "out")
    before = whole_folder(tmp_path / "out")
    with pytest.raises(DatasetError, match=r"another request: margin_px is 3 there and 5 here;"):
        augmented(source, tmp_path / "out", margin_px=5)
    assert whole_folder(tmp_path / "out") == before


def test_other_annotations_are_another_request(tmp_path: Path) -> None:
    augmented(coco_folder(tmp_path / "coco"), tmp_path / "out")
    coco_folder(tmp_path / "coco", ANNOTATIONS[:2])
    with pytest.raises(DatasetError, match="another request: annotations is"):
        augmented(tmp_path / "coco", tmp_path / "out")


def test_a_folder_of_something_else_is_left_alone(source: Path) -> None:
    before = whole_folder(source)
    with pytest.raises(DatasetError, match=r"not made by augment \(it holds 'annotations.json'\)"):
        augmented(source, source)
    assert whole_folder(source) == before


def test_two_runs_do_not_share_a_folder(source: Path, tmp_path: Path) -> None:
    first = augment(request_for(source, tmp_path / "out", count=2))
    next(first)
    with pytest.raises(DatasetError, match="another run is at work here"):
        augmented(source, tmp_path / "out", count=2)
    assert len(list(first)) == 1


class IdlePainter(Painter):
    """Leaves the canvas as it is in its first draws."""

    idle = 1

    def __call__(self, work: Any) -> Any:
        self.idle -= 1
        for (_, canvas), render in zip(work, super().__call__(work), strict=True):
            yield replace(render, image=canvas.image) if self.idle >= 0 else render


@pytest.mark.parametrize(("idle", "failed"), [(1, 0), (2, 1)])
def test_a_picture_that_fails_a_check_is_drawn_again_and_says_so_at_last(
    source: Path, tmp_path: Path, idle: int, failed: int
) -> None:
    painter = IdlePainter(load_config(["hart=tiny", "render.attempts=2"]))
    painter.idle = idle
    planned = plan(request_for(source, tmp_path))
    (made,) = paint_group(planned.variants, planned, painter)
    assert [("look different" in each) for each in made.said["failed"]] == [True] * failed


def test_what_was_wrong_before_is_no_failure() -> None:
    dark = np.zeros_like(SIGHT)
    canvas = Canvas(dark, CAR, np.zeros(CAR.shape, np.uint8))
    painted = np.where(CAR[..., None], np.uint8(16), dark)
    assert failures(canvas, painted) == []
    bright = replace(canvas, image=SIGHT, editable=np.ones_like(CAR))
    assert failures(bright, dark)[0].startswith("exposure: mean luminance 0.0; black is 0, ")
    assert "; the limit is " in failures(bright, dark)[0]


# What is refused


@pytest.mark.parametrize(
    ("more", "kind", "complaint"),
    [
        ({"route": "view"}, ConfigError, "--route is 'view', must be repaint or backdrop"),
        ({"change": ("skye",)}, ConfigError, "no category 'skye'; did you mean 'sky'?"),
        ({"config": load_config(["world=plain"])}, ConfigError, "heeds no setting of 'world'"),
        ({"change": ("",)}, ConfigError, "--change is '', which has an empty name in it"),
        ({"change": ("car", "", "sky")}, ConfigError, "--change is 'car,,sky', which has an empty"),
        ({"config": with_render("keep_scales=10")}, ConfigError, "tiny has [0-9]+ scales"),
        (
            {"config": with_render("keep_scales=1"), "route": "backdrop"},
            ConfigError,
            "render.keep_scales is 1, but --route backdrop keeps",
        ),
        (
            {"config": with_render("feather_px=25")},
            ConfigError,
            "render.feather_px is 25, more than half .*/images/a.png of 64x48 pixels",
        ),
        ({"annotations": Path("none.json")}, DatasetError, "none.json: No such file"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_at_once(
    source: Path, tmp_path: Path, more: Any, kind: type[HartSimError], complaint: str
) -> None:
    with pytest.raises(kind, match=complaint.replace("?", r"\?")):
        augmented(source, tmp_path / "out", **more)
    assert not (tmp_path / "out").exists()


def test_a_scenario_that_is_none_is_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="deer_snow_rod"):
        plan(AugmentRequest(source, "repaint", "deer_snow_rod", tmp_path / "out"))


def test_a_group_of_scenarios_is_refused_with_one_of_it(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"'clutter' is a group of .*, such as") as caught:
        plan(AugmentRequest(source, "repaint", "clutter", tmp_path / "out"))
    load_scenario(str(caught.value).split("such as ")[1].split(";")[0])


def test_the_feather_is_narrow_unless_the_settings_say(source: Path, tmp_path: Path) -> None:
    asked = [CONFIG, with_render("feather_px=24")]
    plans = [plan(request_for(source, tmp_path, config=each)) for each in asked]
    assert [each.request.config.render.feather_px for each in plans] == [FEATHER_PX, 24]


def refused(tmp_path: Path, data: bytes) -> str:
    """What is said of a picture with these bytes."""
    folder = coco_folder(tmp_path / "coco")
    (folder / "images" / "a.png").write_bytes(data)
    with pytest.raises(HartSimError) as caught:
        augmented(folder, tmp_path / "out")
    return str(caught.value)


def test_a_picture_of_another_size_is_refused_with_both(tmp_path: Path) -> None:
    said = refused(tmp_path, encode_png(SIGHT[:40]))
    assert said == (
        f"{tmp_path}/coco/annotations.json: image 40: "
        f"{tmp_path}/coco/images/a.png: 64x40 pixels, annotated as 64x48"
    )


def test_a_picture_that_8_bits_cannot_hold_is_refused(tmp_path: Path) -> None:
    deep = cv2.imencode(".png", SIGHT.astype(np.uint16) * 256)[1].tobytes()
    assert "a.png: uint16 pixels" in refused(tmp_path, deep)


def test_a_transparent_picture_is_refused(tmp_path: Path) -> None:
    clear = np.dstack([SIGHT, SIGHT[..., 0]])
    assert "partly transparent" in refused(tmp_path, cv2.imencode(".png", clear)[1].tobytes())


def test_a_broken_picture_is_refused(tmp_path: Path) -> None:
    assert "a.png: not a readable picture" in refused(tmp_path, b"nothing")


# The command


def test_the_command_makes_a_set_and_lists_what_it_dropped(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    line = ["augment", str(source), "--route", "repaint", "--scenario", "deer_snow_road"]
    line += ["--out", str(out), "--change", "sky, car", "hart=tiny", "render.attempts=1"]
    assert run(line) == 0
    said = capsys.readouterr().out.splitlines()
    assert [each.split()[:2] for each in said[1:4]] == [["2", "car"], ["1", "person"], ["1", "sky"]]
    assert said[-1].startswith("1 picture in ")
    assert [each["id"] for each in result(out)["annotations"]] == [11, 14]
    assert result(out)["info"]["augment"]["margin_px"] == MARGIN_PX
    assert run(line) == 0
    assert "nothing to do: all 1 picture are" in capsys.readouterr().out


def test_the_command_says_which_checks_failed_also_of_runs_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = coco_folder(tmp_path / "coco", EVERYTHING)
    line = ["augment", str(folder), "--route", "repaint", "--scenario", "deer_snow_road"]
    line += ["--out", str(tmp_path / "out"), "--count", "14", "hart=tiny"]
    for summary in ("14 with a failed check", "nothing to do"):
        assert run(line) == 0
        said = capsys.readouterr().out.splitlines()
        assert said[0].split() == ["failed", "because"]
        assert said[1].split() == ["images/a-0.png", *UNPAINTED.split()]
        assert said[13] == "and 2 more"
        assert summary in said[14]


def test_a_set_made_by_the_pipeline_gets_new_looks(tmp_path: Path) -> None:
    data, coco, out = (tmp_path / name for name in ("data", "coco", "out"))
    line = ["generate", "deer_snow_road", "--count", "1", "--routes", "texture", "--out"]
    assert run([*line, str(data), "hart=tiny", "world=plain", "world.size_px=64"]) == 0
    assert run(["export", "coco", str(data), "--out", str(coco), "--rejected"]) == 0
    line = ["augment", str(coco), "--route", "backdrop", "--scenario", "deer_snow_road"]
    assert run([*line, "--out", str(out), "hart=tiny", "render.attempts=1"]) == 0
    before, after = result(coco), result(out)
    assert after["annotations"] == before["annotations"]
    for picture, entry in zip(read_coco(coco).pictures, after["images"], strict=True):
        image, unknown = read_image(out / entry["file_name"]), unknown_of(entry)
        assert np.array_equal(image[~unknown], read_image(picture.path)[~unknown])
        assert unknown.any()
