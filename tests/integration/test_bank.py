"""`hartsim bank` end to end with the test size of HART."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hartsim.cli import run
from hartsim.dataset.bank import open_bank
from hartsim.images import read_image

JOB = ["bank", "build", "child_behind_van", "spill_near_laptop", "--seed", "1"]
KINDS = ["--kinds", "texture/road,texture/table,backdrop"]
SETTINGS = ["hart=tiny", "world.size_px=32", "render.attempts=1"]
SIZE = ["--size", "40"]


def command(out: Path, *more: str) -> list[str]:
    return [*JOB, *KINDS, "--out", str(out), *more, *SETTINGS]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "bank"
    assert run(command(out, *SIZE)) == 0
    return out


def contents(root: Path) -> dict[str, bytes]:
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def started(out: Path, *more: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "hartsim", *command(out, *more)]
    return subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def wait_for(out: Path, pictures: int, process: subprocess.Popen[str]) -> None:
    while not (out / "bank.json").exists() or sum(open_bank(out).kinds.values()) < pictures:
        assert process.poll() is None, "ended before it could be stopped"
        time.sleep(0.02)


def test_the_same_command_again_has_nothing_to_do(whole, capsys):
    before = contents(whole)
    assert run(command(whole, *SIZE)) == 0
    assert "nothing to do: all 120 pictures are in" in capsys.readouterr().out
    assert contents(whole) == before


def test_show_tells_what_there_is_and_draws_a_sheet(whole, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert run(["bank", "show", str(whole), "--sheet", str(tmp_path / "sheet.png")]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[:5] for line in lines[1:4]] == [
        ["backdrop", "40", "32x32", "0.1", "2"],
        ["texture/road", "40", "32x32", "0.1", "1"],
        ["texture/table", "40", "32x32", "0.1", "1"],
    ]
    assert lines[4] == ["of", "child_behind_van,", "spill_near_laptop"]
    sheet = read_image(tmp_path / "sheet.png")
    assert sheet.shape[:2] == (3 * (128 + 16 + 4) + 4, 8 * (128 + 4) + 4)


def test_verify_says_which_picture_was_changed(whole, capsys, tmp_path):
    copy = tmp_path / "copy"
    for name, data in contents(whole).items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(data)
    assert run(["bank", "verify", str(copy)]) == 0
    assert "120 pictures, every byte as it was written" in capsys.readouterr().out
    shard = copy / "backdrop" / "00001.npy"
    shard.write_bytes(shard.read_bytes()[:-1] + b"\x00")
    assert run(["bank", "verify", str(copy)]) == 1
    assert "backdrop/00001.npy: the bytes of pictures 7 are not" in capsys.readouterr().out


def test_an_empty_bank_says_that_nothing_is_there_yet(tmp_path, capsys):
    from hartsim.dataset.bank import BankWriter

    BankWriter(tmp_path / "b", {}).close()
    assert run(["bank", "show", str(tmp_path / "b")]) == 0
    assert "no pictures yet" in capsys.readouterr().out


@pytest.mark.slow
def test_a_build_killed_again_and_again_ends_in_the_same_files(whole, tmp_path):
    for pictures in (0, 32, 96):
        process = started(tmp_path / "b", *SIZE)
        wait_for(tmp_path / "b", pictures, process)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        open_bank(tmp_path / "b", verify=True)
    assert run(command(tmp_path / "b", *SIZE)) == 0
    assert contents(tmp_path / "b") == contents(whole)


@pytest.mark.slow
def test_a_reader_follows_a_build_until_it_is_interrupted(whole, tmp_path, capsys):
    process = started(tmp_path / "b", "--follow")
    wait_for(tmp_path / "b", 4, process)
    bank, counts = open_bank(tmp_path / "b"), []
    assert run(command(tmp_path / "b", "--follow")) == 2
    assert "another process is adding to this bank" in capsys.readouterr().err
    while len(counts) < 4:
        assert process.poll() is None
        if bank.refresh():
            counts.append(sum(bank.kinds.values()))
    process.send_signal(signal.SIGINT)
    assert "the same command again goes on" in process.communicate()[1]
    assert process.returncode == 130
    assert counts == sorted(counts)
    assert all(count % 4 == 0 for count in counts)
    finished = open_bank(whole)
    for kind in bank.kinds:
        pairs = zip(bank.images(kind), finished.images(kind), strict=False)
        assert all(np.array_equal(ours, theirs) for ours, theirs in pairs)
