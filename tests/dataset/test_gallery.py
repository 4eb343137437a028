import html
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest

from hartsim.dataset.gallery import COLOURS, write_gallery
from hartsim.errors import DatasetError
from hartsim.images import read_image
from hartsim.types import CLASSES, ROUTES, Check
from tests.fakes import sample_of, write_dataset

SIZE = 128
CHILD = "child_behind_van-00000-backdrop-front"
REJECTED = Check("sharpness", False, 7.3, 12.0, "the sharpest edges rise by 7.3 levels per pixel")


def dataset(root: Path) -> Path:
    """Two scenarios by four routes; the child's view was rejected."""
    scenarios = ("child_behind_van", "animal_on_snowy_road")
    samples = [sample_of(route, name, size_px=SIZE) for name in scenarios for route in ROUTES]
    return write_dataset(root, [replace(samples[0], checks=(REJECTED,)), *samples[1:]])


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gallery(dataset(tmp_path_factory.mktemp("gallery") / "hazards"))


def data_of(page: Path) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text())
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_every_sample_is_on_the_page_with_all_that_its_card_tells(page: Path) -> None:
    data = data_of(page)
    assert len(data["samples"]) == 8
    child = next(sample for sample in data["samples"] if sample["id"] == CHILD)
    assert (child["route"], child["hazards"], child["passed"]) == ("backdrop", ["child"], True)
    assert {check["name"] for check in child["checks"]} >= {"untouched", "hazard_visible"}
    assert child["drawn"]["scene.weather"] == "rain"


def test_a_small_dataset_is_wholly_inside_the_page(page: Path) -> None:
    assert all(source.startswith("data:image/") for source in data_of(page)["pictures"].values())


def test_the_page_never_reaches_for_the_network(page: Path) -> None:
    text = page.read_text()
    assert set(re.findall(r"https?://[\w.]+", text)) == {"http://www.w3.org"}  # SVG's name
    assert "default-src 'none'" in text


def test_frames_that_routes_share_are_embedded_once(page: Path) -> None:
    samples = [sample for sample in data_of(page)["samples"] if sample["frame"]]
    assert len({sample["frame"] for sample in samples}) == 2
    assert len(samples) == 6


def test_the_same_dataset_gives_the_same_bytes(page: Path, tmp_path: Path) -> None:
    assert write_gallery(dataset(tmp_path / "hazards")).read_bytes() == page.read_bytes()


@pytest.mark.parametrize(("limit_bytes", "embedded"), [(50_000, {"thumbnail"}), (1_000, set())])
def test_a_large_dataset_is_linked_to(limit_bytes: int, embedded: set[str], tmp_path: Path) -> None:
    page = write_gallery(dataset(tmp_path / "my data"), tmp_path / "page.html", limit_bytes)
    pictures = data_of(page)["pictures"]
    links = {key: source for key, source in pictures.items() if not source.startswith("data:")}
    assert {key.split("-")[0] for key in pictures if key not in links} == embedded
    assert all((tmp_path / unquote(link)).is_file() for link in links.values())


def test_a_prompt_cannot_break_out_of_the_page(tmp_path: Path) -> None:
    sample = sample_of("view", size_px=SIZE)
    prompt = "</script><script>alert(1)</script> {{script}} & 雪"
    job = replace(sample.render.job, prompt=prompt)
    evil = replace(sample, render=replace(sample.render, job=job))
    page = write_gallery(write_dataset(tmp_path / "d", [evil]))
    assert data_of(page)["samples"][0]["prompt"] == prompt
    assert "alert(1)</script>" not in page.read_text()


def test_an_empty_dataset_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no samples to show; generate some first"):
        write_gallery(write_dataset(tmp_path, []))


def test_every_class_has_a_colour_of_its_own() -> None:
    assert tuple(COLOURS) == CLASSES
    assert len(set(COLOURS.values())) == len(CLASSES)


CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --hide-scrollbars "
    "--force-device-scale-factor=1 --virtual-time-budget=3000"
)


@pytest.fixture
def profile() -> Iterator[Path]:
    if CHROMIUM is None:
        pytest.skip("no Chromium found")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def chromium(profile: Path, address: str, *options: str) -> str:
    command = [CHROMIUM or "", *OPTIONS.split(), f"--user-data-dir={profile}", *options, address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def visit(
    profile: Path,
    page: Path,
    address: str,
    actions: str = "",
    watch: str = "#shown",
    options: Sequence[str] = (),
    phone_px: tuple[int, int] | None = None,
) -> dict[str, Any]:
    """What a visitor finds at an address of the page after some actions in JavaScript.

    Actions may `press(key)` and `await note()`, which keeps the text of the watched element. With
    `phone_px` (width, height) the page is shown in a frame: no window of Chromium is so narrow.
    """
    tools = f"""
      const notes = [];
      const pause = () => new Promise((done) => setTimeout(done, 100));
      const press = (key) =>
        document.body.dispatchEvent(new KeyboardEvent("keydown", {{ key, bubbles: true }}));
      const note = async () => {{
        await pause();
        notes.push(document.querySelector("{watch}").textContent);
      }};
    """
    look = """
      const shown = (selector) => [...document.querySelectorAll(selector)];
      const answer = {
        notes,
        address: location.hash,
        open: document.getElementById("viewer").open,
        title: document.getElementById("viewer-title")?.textContent,
        cards: shown(".card:not([hidden])").map((card) => card.dataset.id),
        facts: document.querySelector(".facts").innerText,
        legend: shown(".legend li").map((item) => item.textContent),
        panes: shown(".pane figcaption").map((caption) => caption.textContent),
        boxes: shown(".pane:last-of-type .boxes text").map((text) => text.textContent),
        tiles: shown(".tile").map((tile) => tile.ariaLabel),
        broken: shown("img").filter((image) => image.complete && !image.naturalWidth).length,
        width: [innerWidth, document.documentElement.scrollWidth],
        split: parseFloat(document.querySelector(".panes")?.style.getPropertyValue("--split")),
        close: document.getElementById("close").getBoundingClientRect().right,
      };
      const told = JSON.stringify(answer);
      parent.postMessage(told, "*");
      document.body.append(Object.assign(document.createElement("output"),
        { id: "answer", textContent: told }));
    """
    script = f"(async () => {{ {tools} await pause(); {actions}; await pause(); {look} }})()"
    copy = page.with_name("visited.html")
    copy.write_text(page.read_text() + f"<script>{script}</script>")
    if phone_px:
        copy, inner = page.with_name("phone.html"), f"{copy.name}#{html.escape(address)}"
        copy.write_text(f"""<iframe src="{inner}" width={phone_px[0]} height={phone_px[1]}></iframe>
          <script>onmessage = (told) => document.body.append(Object.assign(
            document.createElement("output"), {{ id: "answer", textContent: told.data }}));
          </script>""")
    dom = chromium(profile, f"{copy.as_uri()}#{address}", "--dump-dom", *options)
    found = re.search(r'<output id="answer">(.*?)</output>', dom, re.DOTALL)
    assert found, dom[-2000:]
    answer: dict[str, Any] = json.loads(html.unescape(found[1]))
    return answer


@pytest.mark.browser
def test_the_sheet_shows_every_sample(profile: Path, page: Path) -> None:
    found = visit(profile, page, "")
    assert (len(found["cards"]), found["broken"]) == (8, 0)
    assert not found["open"]


@pytest.mark.browser
def test_an_address_filters(profile: Path, page: Path) -> None:
    counts = {
        "scenario=child_behind_van": "4 of 8",
        "route=view": "2 of 8",
        "hazard=deer&route=repaint": "1 of 8",
        "verdict=rejected": "1 of 8",
        "q=snowy+winter": "4 of 8",
        "q=unicorn": "0 of 8",
    }
    walk = f"for (const address of {[*counts]}) {{ location.hash = address; await note(); }}"
    assert visit(profile, page, "", walk)["notes"] == [*counts.values()]


@pytest.mark.browser
def test_a_chip_filters_and_pressed_again_does_not(profile: Path, page: Path) -> None:
    press = "document.querySelector('.chip[data-value=deer]').click(); await note();"
    assert visit(profile, page, "", press + press)["notes"] == ["4 of 8", "8 of 8"]


@pytest.mark.browser
def test_a_sample_opens_beside_its_frame_with_all_that_made_it(profile: Path, page: Path) -> None:
    found = visit(profile, page, f"sample={CHILD}")
    assert found["open"]
    assert found["title"] == "child behind van"
    assert found["panes"] == ["Simulator", "HART"]
    assert found["boxes"] == ["child"]
    for told in ("a child steps out", "scene.weather", "residential street", "untouched", CHILD):
        assert told in found["facts"]


@pytest.mark.browser
def test_a_view_has_no_frame_to_compare_with(profile: Path, page: Path) -> None:
    found = visit(profile, page, "sample=child_behind_van-00000-view-front&labels=1")
    assert (found["panes"], found["boxes"], found["legend"]) == (["HART"], [], [])
    assert "1 of 1 checks failed" in found["facts"]


@pytest.mark.browser
def test_textures_are_shown_repeated(profile: Path, page: Path) -> None:
    found = visit(profile, page, "sample=child_behind_van-00000-texture-front")
    assert found["tiles"] == ["facade_a, 2 by 2", "road, 2 by 2"]


@pytest.mark.browser
def test_keys_turn_pages_within_the_filter_and_round_its_end(profile: Path, page: Path) -> None:
    turns = "press('ArrowRight'); await note(); press('ArrowRight'); await note();"
    found = visit(profile, page, f"route=backdrop&sample={CHILD}", turns, "#viewer-title")
    assert found["notes"] == ["animal on snowy road", "child behind van"]


@pytest.mark.browser
def test_closing_a_sample_keeps_the_filter(profile: Path, page: Path) -> None:
    escape = "document.getElementById('viewer').dispatchEvent(new Event('cancel'))"
    found = visit(profile, page, f"route=backdrop&sample={CHILD}", escape)
    assert (found["open"], found["address"]) == (False, "#route=backdrop")


@pytest.mark.browser
def test_keys_toggle_labels_with_a_legend_of_what_is_there(profile: Path, page: Path) -> None:
    found = visit(profile, page, "sample=child_behind_van-00000-repaint-front", "press('l')")
    assert {"person", "car", "sky", "unknown"} <= set(found["legend"])
    assert "deer" not in found["legend"]


@pytest.mark.browser
def test_linked_pictures_load_from_disk(profile: Path, tmp_path: Path) -> None:
    page = write_gallery(dataset(tmp_path / "my data"), limit_bytes=1_000)
    found = visit(profile, page, f"sample={CHILD}&labels=1", "await pause()")
    assert (found["open"], found["broken"]) == (True, 0)


@pytest.mark.browser
@pytest.mark.parametrize("address", ["", f"sample={CHILD}&labels=1&side=1"])
@pytest.mark.parametrize("width", [360, 390, 500])
def test_a_phone_shows_the_whole_width(profile: Path, page: Path, address: str, width: int) -> None:
    found = visit(profile, page, address, phone_px=(width, 844))
    assert found["width"] == [width, width]
    assert found["close"] <= width


@pytest.mark.browser
def test_the_line_between_the_pictures_hides_no_hazard(profile: Path, page: Path) -> None:
    sample = next(each for each in data_of(page)["samples"] if each["id"] == CHILD)
    hazards = [each["box"] for each in sample["boxes"] if each["hazard"]]
    split = visit(profile, page, f"sample={CHILD}")["split"] / 100 * sample["size"][1]
    assert hazards
    assert not any(x <= split <= x + width for x, _, width, _ in hazards)


@pytest.mark.browser
def test_the_label_overlay_paints_every_class_in_its_colour(profile: Path, page: Path) -> None:
    sample = sample_of("backdrop", size_px=SIZE)
    bare = """setTimeout(() => {
      const labels = document.querySelector(".labels");
      labels.style.cssText = "position: fixed; inset: 0 auto auto 0; z-index: 9; opacity: 1;"
        + "width: 128px; height: 128px";
      document.getElementById("viewer").append(labels);
    }, 100)"""
    copy, picture = page.with_name("bare.html"), page.with_name("bare.png")
    copy.write_text(page.read_text() + f"<script>{bare}</script>")
    chromium(profile, f"{copy.as_uri()}#sample={CHILD}&labels=1", f"--screenshot={picture}")
    seen = read_image(picture)[:SIZE, :SIZE].astype(int)
    colours = np.array([list(bytes.fromhex(colour[1:])) for colour in COLOURS.values()])
    assert sample.labels is not None
    assert np.abs(seen - colours[sample.labels]).max() <= 2
