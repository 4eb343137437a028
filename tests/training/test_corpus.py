import numpy as np
import pytest

from hartsim.errors import DatasetError
from hartsim.training.corpus import HAZARD, Entry, read_corpus, refuse_strangers, write_part


def entries(start, count):
    for value in range(start, start + count):
        image = np.full((8, 8, 3), value, np.uint8)
        marks = np.full((8, 8), HAZARD if value % 2 else 0, np.uint8)
        depth_m = np.full((8, 8), value, np.float32)
        captions, record = [f"picture {value}", f"number {value}"], {"content": "picture"}
        yield Entry(image, image[..., 0], marks, depth_m, captions, record)


@pytest.fixture
def root(tmp_path):
    write_part(tmp_path, "train-00000", entries(0, 3))
    write_part(tmp_path, "train-00001", entries(10, 2))
    write_part(tmp_path, "held-00002", entries(50, 2))
    return tmp_path


def test_a_batch_finds_pictures_in_any_part(root):
    corpus = read_corpus(root)
    assert corpus.batch([4, 0, 2])[:, 0, 0, 0].tolist() == [11, 0, 2]
    assert corpus.captions[4] == ("picture 11", "number 11")


def test_marks_belong_to_their_picture(root):
    corpus = read_corpus(root)
    assert [int(corpus.marks_of(index).max()) for index in (0, 1, 4)] == [0, HAZARD, HAZARD]


def test_records_and_depth_are_kept(root):
    corpus = read_corpus(root)
    assert corpus.records[4] == {"content": "picture"}
    assert corpus.parts[1].depth[1].max() == 11


def test_a_part_that_lost_a_caption_is_named(root):
    (root / "train-00001" / "captions.json").write_text("[]")
    with pytest.raises(DatasetError, match=r"train-00001: counts differ .*'captions': 0"):
        read_corpus(root)


def test_held_out_parts_are_never_trained_on(root):
    assert len(read_corpus(root)) == 5
    assert read_corpus(root, held_out=True).captions[0][0] == "picture 50"


def test_a_part_that_is_there_is_not_written_again(root):
    assert not write_part(root, "train-00000", entries(90, 1))
    assert len(read_corpus(root)) == 5


def test_an_interrupted_part_is_not_seen(root):
    def broken():
        yield from entries(70, 1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_part(root, "train-00003", broken())
    assert len(read_corpus(root)) == 5


def test_an_empty_folder_names_the_command_that_fills_it(tmp_path):
    with pytest.raises(DatasetError, match="no training parts here; make them with `hartsim train"):
        read_corpus(tmp_path)


def test_a_broken_part_is_named(root):
    (root / "train-00001" / "images.npy").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"train-00001: broken \(.*\); delete it"):
        read_corpus(root)


def test_a_folder_of_other_things_is_no_corpus(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(DatasetError, match=r"holds 'thesis\.tex'"):
        refuse_strangers(tmp_path)
