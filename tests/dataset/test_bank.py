import copy
import hashlib
import itertools
import json
import os
import pickle
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hartsim.dataset.bank import (
    MOST_MAPS,
    Bank,
    BankWriter,
    Row,
    chosen,
    open_bank,
    pixels_of,
    verify_bank,
)
from hartsim.errors import DatasetError
from hartsim.types import Image

PROJECT = Path(__file__).parents[2]
REQUEST = {"scenarios": {"deer": "5ce4a810"}, "seed": 3}
SIDE = 16


def picture(number: int, side: int = SIDE) -> Image:
    return np.random.default_rng(number).integers(0, 256, (side, side + 4, 3), np.uint8)


def row(number: int) -> Row:
    tags = {"weather": ("rain",), "place": ("highway",)}
    return Row("deer", 3, number, "road", f"a photo of asphalt, № {number}", tags, cache_key="c")


def write(path: Path, *shards: tuple[str, int, int]) -> Path:
    """A bank to which shards of a kind, from a picture on to before another, are added."""
    with BankWriter(path, REQUEST) as writer:
        for kind, first, end in shards:
            numbers = range(first, end)
            writer.add(kind, [picture(n) for n in numbers], [row(n) for n in numbers])
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    shards = (("texture/road", 0, 3), ("texture/road", 3, 4), ("backdrop", 0, 2))
    return write(tmp_path / "bank", *shards)


def contents(root: Path) -> dict[str, bytes]:
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def test_pictures_come_back_bit_for_bit_across_shards(path):
    images = open_bank(path).images("texture/road")
    assert len(images) == 4
    assert all(np.array_equal(image, picture(number)) for number, image in enumerate(images))
    assert images.size_px == (SIDE, SIDE + 4)


def test_rows_come_back_as_written_with_the_hash_of_their_pixels(path):
    rows = open_bank(path).images("texture/road").rows
    assert [replace(each, sha256="") for each in rows] == [row(number) for number in range(4)]
    assert len({each.sha256 for each in rows}) == 4


def test_a_picture_is_a_view_of_the_file_that_nobody_can_change(path):
    image = open_bank(path).images("backdrop")[0]
    assert type(image) is np.ndarray
    assert not image.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        image[0, 0, 0] = 1


def test_kinds_say_how_many_pictures_there_are(path):
    assert open_bank(path).kinds == {"backdrop": 2, "texture/road": 4}


@pytest.mark.parametrize("number", [4, -1])
def test_a_picture_that_is_not_there_is_an_index_error(path, number):
    with pytest.raises(IndexError, match=f"no picture {number}; there are 0 to 3"):
        open_bank(path).images("texture/road")[number]


@pytest.mark.parametrize("ask", [lambda b: b.images("view"), lambda b: b.choose("view", 0, 0)])
def test_a_kind_that_is_missing_is_told_with_those_there_are(path, ask):
    with pytest.raises(DatasetError, match="no pictures of kind 'view'; there are backdrop, tex"):
        ask(open_bank(path))


def test_equal_requests_make_equal_files(path, tmp_path):
    again = write(tmp_path / "b", ("texture/road", 0, 3), ("texture/road", 3, 4))
    again = write(again, ("backdrop", 0, 2))
    assert contents(again) == contents(path)


def test_a_shard_is_a_plain_npy_file(path):
    pixels = np.load(path / "texture" / "road" / "00000.npy")
    assert np.array_equal(pixels, np.stack([picture(number) for number in range(3)]))


# Choosing


@given(st.integers(1, 5000), st.integers(0, 2**63 - 1), st.integers(0, 10**6), st.integers(0, 9))
def test_a_choice_is_a_picture_that_is_there_and_always_the_same(count, seed, episode, slot):
    first = chosen(count, "backdrop", seed, episode, slot)
    assert 0 <= first < count
    assert first == chosen(count, "backdrop", np.int64(seed), np.int32(episode), slot)


def test_the_choices_are_those_of_every_release():
    choices = [chosen(500, "texture/road", 7, episode) for episode in range(4)]
    assert choices == [172, 378, 135, 373]


@pytest.mark.parametrize("vary", ["kind", "seed", "episode", "slot"])
def test_choices_spread_evenly_over_the_pictures(vary):
    fixed = {"kind": "backdrop", "seed": 1, "episode": 2, "slot": 0}
    keys = ({**fixed, vary: f"k{n}" if vary == "kind" else n} for n in range(4000))
    counts = np.bincount([chosen(40, **key) for key in keys], minlength=40)
    assert counts.min() > 60
    assert counts.max() < 145


def test_a_bank_chooses_by_the_pictures_of_the_kind(path):
    bank = open_bank(path)
    assert bank.choose("texture/road", 5, 6, 1) == chosen(4, "texture/road", 5, 6, 1)


# Readers beside a writer


def test_a_reader_sees_new_pictures_once_it_refreshes(path):
    bank = open_bank(path)
    assert bank.refresh() is False
    write(path, ("texture/road", 4, 6), ("view", 0, 1))
    assert bank.kinds == {"backdrop": 2, "texture/road": 4}
    assert bank.refresh() is True
    assert bank.kinds == {"backdrop": 2, "texture/road": 6, "view": 1}
    assert np.array_equal(bank.images("texture/road")[5], picture(5))


def test_what_was_open_before_stays_as_it_was(path):
    bank = open_bank(path)
    images = bank.images("texture/road")
    held = images[3]
    write(path, ("texture/road", 4, 6))
    bank.refresh()
    assert len(images) == 4
    assert np.array_equal(images[0], picture(0))
    assert np.array_equal(held, picture(3))


def test_a_new_shard_that_is_cut_off_is_not_taken_up(path):
    bank = open_bank(path)
    write(path, ("backdrop", 2, 3))
    shard = path / "backdrop" / "00001.npy"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-1])
    with pytest.raises(DatasetError, match=r"backdrop/00001\.npy: 1087 bytes, must be 1088"):
        bank.refresh()
    assert bank.kinds["backdrop"] == 2
    shard.write_bytes(whole)
    assert bank.refresh() is True


def test_a_bank_that_was_made_anew_is_no_refresh(path, tmp_path):
    bank = open_bank(path)
    shutil.rmtree(path)
    write(path, ("texture/road", 7, 9))
    with pytest.raises(DatasetError, match="are not those that it was opened with; open it again"):
        bank.refresh()
    assert np.array_equal(open_bank(path).images("texture/road")[0], picture(7))


def test_a_bank_that_is_gone_says_so_on_refresh(path):
    bank = open_bank(path)
    shutil.rmtree(path)
    with pytest.raises(DatasetError, match="bank: no such folder"):
        bank.refresh()


def test_an_unfinished_shard_is_no_part_of_the_bank(path):
    shutil.copy(path / "backdrop" / "00000.npy", path / "backdrop" / "00001.npy")
    (path / "backdrop" / ".hartsim-1-00002.npy").write_bytes(b"half")
    assert open_bank(path).kinds["backdrop"] == 2
    assert verify_bank(path) == []
    write(path, ("backdrop", 2, 3))
    assert np.array_equal(open_bank(path, verify=True).images("backdrop")[2], picture(2))
    assert not (path / "backdrop" / ".hartsim-1-00002.npy").exists()


def test_a_pickled_bank_is_opened_anew_wherever_it_arrives(path, monkeypatch, tmp_path):
    monkeypatch.chdir(path.parent)
    sent = pickle.dumps(open_bank("bank"))
    assert len(sent) < 500
    write(path, ("backdrop", 2, 3))
    monkeypatch.chdir(tmp_path.parent)
    arrived = pickle.loads(sent)
    assert isinstance(arrived, Bank)
    assert arrived.kinds["backdrop"] == 3
    assert copy.deepcopy(arrived).path == path


def digest_of(bank: Bank, number: int) -> tuple[int, str]:
    return os.getpid(), hashlib.sha256(bank.images("texture/road")[number]).hexdigest()


def test_other_processes_read_the_same_bank(path):
    bank = open_bank(path)
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(digest_of, [bank] * 8, [0, 1, 2, 3] * 2))
    assert os.getpid() not in {process for process, _ in found}
    assert [sha for _, sha in found] == [r.sha256 for r in bank.images("texture/road").rows] * 2


WRITE_ON = """
import sys
from pathlib import Path
from tests.dataset.test_bank import *
with BankWriter(Path(sys.argv[1]), REQUEST) as writer:
    while True:
        for kind in ("texture/road", "backdrop"):
            numbers = range(writer.count(kind), writer.count(kind) + 2)
            writer.add(kind, [picture(n) for n in numbers], [row(n) for n in numbers])
"""


def test_a_reader_beside_a_writer_that_is_killed_sees_only_whole_pictures(tmp_path):
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", WRITE_ON, tmp_path / "b"], cwd=PROJECT)
        try:
            before = open_when_there(tmp_path / "b", process)
            bank, seen = open_bank(tmp_path / "b"), set()
            while len(seen) < 8:
                assert process.poll() is None
                if bank.refresh():
                    seen.add(bank.kinds.get("texture/road"))
                    for kind, count in bank.kinds.items():
                        assert np.array_equal(bank.images(kind)[count - 1], picture(count - 1))
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        after = open_bank(tmp_path / "b", verify=True).kinds
        assert after["texture/road"] > before.get("texture/road", 0)
    images = open_bank(tmp_path / "b").images("texture/road")
    assert all(np.array_equal(image, picture(number)) for number, image in enumerate(images))


def open_when_there(path: Path, process: subprocess.Popen[bytes]) -> dict[str, int]:
    while not (path / "bank.json").exists():
        assert process.poll() is None
        time.sleep(0.01)
    return open_bank(path).kinds


def test_a_second_writer_is_refused_while_one_is_at_work(path):
    with BankWriter(path, REQUEST), pytest.raises(DatasetError, match="another process is adding"):
        BankWriter(path, REQUEST)
    BankWriter(path, REQUEST).close()


def test_more_shards_than_a_process_keeps_open_can_still_be_read(path):
    index = json.loads((path / "bank.json").read_text())
    shards = index["kinds"]["backdrop"]["shards"] * (MOST_MAPS + 60)
    for number, suffix in itertools.product(range(1, len(shards)), ("npy", "jsonl")):
        (path / f"backdrop/{number:05d}.{suffix}").hardlink_to(path / f"backdrop/00000.{suffix}")
    edit(path, kinds={"backdrop": {**index["kinds"]["backdrop"], "shards": shards}})
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest_descriptor() + MOST_MAPS + 20, hard))
    try:
        images = open_bank(path).images("backdrop")
        assert len(images) == 2 * len(shards)
        assert all(np.array_equal(image, picture(n % 2)) for n, image in enumerate(images))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def highest_descriptor() -> int:
    return max(int(name) for name in os.listdir("/proc/self/fd"))


# Refusals


def damage(path: Path, *, cut: int = 0, at: int | None = None, flip: int = 1) -> None:
    data = bytearray(path.read_bytes())
    if at is not None:
        data[at] ^= flip
    path.write_bytes(data[: len(data) - cut])


def edit(path: Path, **changed: object) -> None:
    index = json.loads((path / "bank.json").read_text())
    (path / "bank.json").write_text(json.dumps({**index, **changed}))


ROAD = "texture/road/00001"
KINDS = {"backdrop": {"size_px": [16, 20], "shards": [{"pictures": 2}]}}

BROKEN = {
    "gone": (shutil.rmtree, "bank: no such folder"),
    "no index": (lambda p: (p / "bank.json").unlink(), "bank: not a bank: it has no bank.json"),
    "index cut off": (lambda p: damage(p / "bank.json", cut=9), "bank.json: not valid JSON"),
    "index empty": (lambda p: (p / "bank.json").write_text(""), "bank.json: not valid JSON"),
    "index a list": (lambda p: (p / "bank.json").write_text("[]"), "holds list, not an object"),
    "other format": (lambda p: edit(p, format=2), "format 2; this hartsim reads format 1"),
    "no format": (lambda p: edit(p, format=None), "format None; this hartsim reads format 1"),
    "no kinds": (lambda p: edit(p, kinds=None), "bank.json: not the index of a bank"),
    "no request": (lambda p: edit(p, request=None), "bank.json: not the index of a bank"),
    "no hash": (lambda p: edit(p, kinds=KINDS), "not the index of a bank: KeyError('sha256')"),
    "kind outside": (lambda p: edit(p, kinds={"../x": {}}), "kind is '../x', must be such as"),
    "kind empty": (
        lambda p: edit(p, kinds={"view": {"size_px": [16, 20], "shards": []}}),
        "'view' has no pictures",
    ),
    "pixels missing": (
        lambda p: (p / f"{ROAD}.npy").unlink(),
        "texture/road/00001.npy: No such file or directory, but bank.json names it",
    ),
    "rows missing": (lambda p: (p / f"{ROAD}.jsonl").unlink(), "00001.jsonl: No such file"),
    "pixels cut off": (
        lambda p: damage(p / f"{ROAD}.npy", cut=100),
        "texture/road/00001.npy: 988 bytes, must be 1088: cut off, altered, or not copied",
    ),
    "rows cut off": (lambda p: damage(p / f"{ROAD}.jsonl", cut=1), "00001.jsonl: "),
}


@pytest.mark.parametrize(("break_it", "complaint"), BROKEN.values(), ids=BROKEN)
def test_a_broken_bank_is_refused_with_the_file_and_the_cause(path, break_it, complaint):
    break_it(path)
    with pytest.raises(DatasetError) as refusal:
        open_bank(path)
    assert complaint in str(refusal.value)
    assert str(path) in str(refusal.value)
    if path.exists():
        with pytest.raises(DatasetError):
            BankWriter(path, REQUEST)


def test_a_file_is_no_bank(path):
    with pytest.raises(DatasetError, match=r"bank.json: a file, no bank"):
        open_bank(path / "bank.json")


SPACE_TO_TAB = ord(" ") ^ ord("\t")
ALTERED = {
    "a pixel": ("npy", -1, 1, "texture/road/00000.npy: the bytes of pictures 2 are not those"),
    "the header's padding": ("npy", 120, SPACE_TO_TAB, "00000.npy: the bytes of its header are"),
    "the header's version": ("npy", 6, 8, "00000.npy: no readable pictures"),
    "the header's shape": ("npy", 61, 1, "00000.npy: holds uint8 (2, 16, 20, 3), bank.json says"),
    "a row": ("jsonl", 40, 1, "texture/road/00000.jsonl: its bytes are not those that were"),
}


@pytest.mark.parametrize(("suffix", "at", "flip", "complaint"), ALTERED.values(), ids=ALTERED)
def test_an_altered_byte_is_found_by_verify_alone(path, suffix, at, flip, complaint):
    damage(path / "texture" / "road" / f"00000.{suffix}", at=at, flip=flip)
    open_bank(path)
    assert [complaint in problem for problem in verify_bank(path)] == [True]
    with pytest.raises(DatasetError, match="00000"):
        open_bank(path, verify=True)


def test_verify_tells_every_damage(path):
    damage(path / f"{ROAD}.npy", cut=8)
    damage(path / "backdrop" / "00000.npy", at=-1)
    (path / f"{ROAD}.jsonl").unlink()
    assert len(verify_bank(path)) == 3


def test_a_header_or_rows_that_do_not_fit_are_refused_when_looked_at(path):
    damage(path / "texture" / "road" / "00000.npy", at=61)
    damage(path / "backdrop" / "00000.jsonl", at=0)
    bank = open_bank(path)
    pixels_of.cache_clear()
    with pytest.raises(
        DatasetError, match=r"00000.npy: holds uint8 .* says uint8 \(3, 16, 20, 3\)"
    ):
        bank.images("texture/road")[0]
    with pytest.raises(DatasetError, match=r"backdrop/00000.jsonl: not the rows of a shard"):
        bank.images("backdrop").rows[0]


def test_an_index_that_counts_other_rows_is_refused(path):
    index = json.loads((path / "bank.json").read_text())
    rows = path / "backdrop" / "00000.jsonl"
    rows.write_bytes(rows.read_bytes().splitlines(keepends=True)[0])
    index["kinds"]["backdrop"]["shards"][0]["rows_bytes"] = rows.stat().st_size
    (path / "bank.json").write_text(json.dumps(index))
    with pytest.raises(DatasetError, match=r"1 rows, bank\.json says 2"):
        open_bank(path).images("backdrop").rows[0]


def test_another_request_is_refused_with_what_differs(path):
    before = contents(path)
    with pytest.raises(DatasetError, match="seed is 3 there and 4 here"):
        BankWriter(path, {**REQUEST, "seed": 4})
    assert contents(path) == before


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(DatasetError, match=r"not a bank \(it holds 'notes.txt'\)"):
        BankWriter(tmp_path, REQUEST)
    assert contents(tmp_path) == {"notes.txt": b"mine"}


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match="a part of this path is a file"):
        BankWriter(tmp_path / "file" / "bank", REQUEST)


WRONG_SHARDS = [
    (
        "backdrop",
        [picture(0), picture(1, 8)],
        "a picture of (8, 12, 3), the others are (16, 20, 3)",
    ),
    ("texture/road", [picture(1, 8)], "a picture of (8, 12, 3), the others are (16, 20, 3)"),
    ("view", [picture(0)[..., 0]], "uint8 (16, 20), must be uint8 (H, W, 3)"),
    ("view", [picture(0) / 255], "float64 (16, 20, 3), must be uint8 (H, W, 3)"),
    ("view", [], "0 pictures and 0 rows"),
    ("../view", [picture(0)], "kind is '../view', must be such as"),
    ("a/b/c", [picture(0)], "kind is 'a/b/c', must be such as"),
]


@pytest.mark.parametrize(("kind", "images", "complaint"), WRONG_SHARDS)
def test_pictures_that_do_not_belong_together_are_a_value_error(path, kind, images, complaint):
    with BankWriter(path, REQUEST) as writer, pytest.raises(ValueError, match=re.escape(complaint)):
        writer.add(kind, images, [row(n) for n, _ in enumerate(images)])
    assert verify_bank(path) == []


def test_a_full_disk_leaves_the_bank_as_it_was(path):
    program = (
        "import resource, sys; from tests.dataset.test_bank import *\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (900, 900))\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "with BankWriter(Path(sys.argv[1]), REQUEST) as w: w.add('view', [picture(0)], [row(0)])"
    )
    before = contents(path)
    done = subprocess.run(
        [sys.executable, "-c", program, path], cwd=PROJECT, capture_output=True, text=True
    )
    assert "DatasetError" in done.stderr
    assert contents(path) == before


def test_reading_a_bank_loads_no_torch():
    program = "import sys, hartsim.dataset.bank; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert not {"torch", "mujoco"} & set(done.stdout.split())
