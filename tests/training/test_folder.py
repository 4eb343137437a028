import json

import numpy as np
import pytest

from hartsim.errors import DatasetError
from hartsim.images import encode_png
from hartsim.training.corpus import read_corpus
from hartsim.training.folder import captions_of, folder_corpus, held_out_names
from hartsim.types import UNKNOWN

ROAD, SKY = 0, 5


def save(path, colour=100, size_px=(20, 30)):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(encode_png(np.full((*size_px, 3), colour, np.uint8)))


@pytest.fixture
def images(tmp_path):
    root = tmp_path / "images"
    for number in range(6):
        save(root / f"{number}.png", 40 * number)
        (root / f"{number}.txt").write_text(f"picture {number}\n\nnumber {number}\n")
    return root


def test_a_folder_becomes_a_corpus_with_something_held_out(images, tmp_path):
    assert len(list(folder_corpus(images, tmp_path / "corpus", (16, 16)))) == 2
    learned, held = (read_corpus(tmp_path / "corpus", held_out) for held_out in (False, True))
    assert (len(learned), len(held)) == (5, 1)
    for corpus in (learned, held):
        for index, captions in enumerate(corpus.captions):
            number = corpus.batch([index])[0, 0, 0, 0] // 40
            assert captions == (f"picture {number}", f"number {number}")


def test_the_middle_of_an_image_is_taken(images, tmp_path):
    labels = np.full((20, 30), UNKNOWN, np.uint8)
    labels[:, 5:25] = SKY
    labels[10:, 5:25] = ROAD
    for number in range(6):
        (images / f"{number}.labels.png").write_bytes(encode_png(labels))
    list(folder_corpus(images, tmp_path / "corpus", (10, 10)))
    found = read_corpus(tmp_path / "corpus").labels_of(0, (10, 10))
    assert (found[:5] == SKY).all()
    assert (found[5:] == ROAD).all()


def test_labels_are_unknown_where_there_are_none(images, tmp_path):
    list(folder_corpus(images, tmp_path / "corpus", (16, 16)))
    assert (read_corpus(tmp_path / "corpus").labels_of(0, (16, 16)) == UNKNOWN).all()


def test_captions_may_stand_in_one_file(tmp_path):
    for name in ("a.png", "deep/b.png"):
        save(tmp_path / name)
    lines = ({"file_name": "a.png", "text": "one"}, {"file_name": "deep/b.png", "text": ["x", "y"]})
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert captions_of(tmp_path) == {"a.png": ("one",), "deep/b.png": ("x", "y")}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "metadata.jsonl",
            '{"file_name": "no.png", "text": "x"}',
            r"names 'no\.png', which is not",
        ),
        ("metadata.jsonl", '{"file_name": "0.png"}', r"metadata\.jsonl:1: must be like"),
        ("metadata.jsonl", '{"file_name": "0.png", "text": 3}', "must be a text, or a list"),
        ("0.txt", " \n", r"0\.txt: the caption is empty"),
    ],
)
def test_a_wrong_caption_is_named(images, name, text, message):
    (images / name).write_text(text)
    with pytest.raises(DatasetError, match=message):
        captions_of(images)


def test_an_image_without_a_caption_is_named(images):
    (images / "3.txt").unlink()
    with pytest.raises(DatasetError, match=r"3\.png: has no caption; write one into 3\.txt"):
        captions_of(images)


def test_a_folder_without_images_is_an_error(tmp_path):
    with pytest.raises(DatasetError, match="holds no images"):
        captions_of(tmp_path)


def test_a_label_map_of_another_size_is_named(images, tmp_path):
    (images / "0.labels.png").write_bytes(encode_png(np.zeros((5, 5), np.uint8)))
    with pytest.raises(DatasetError, match=r"0\.labels\.png: is uint8 \(5, 5\), must be uint8"):
        list(folder_corpus(images, tmp_path / "corpus", (16, 16)))


def test_a_class_that_does_not_exist_is_named(images, tmp_path):
    (images / "0.labels.png").write_bytes(encode_png(np.full((20, 30), 77, np.uint8)))
    with pytest.raises(DatasetError, match="holds 77, must be ids up to 31, or 255"):
        list(folder_corpus(images, tmp_path / "corpus", (16, 16)))


def test_names_alone_decide_what_is_held_out():
    names = [f"{number}.png" for number in range(100)]
    assert len(held_out_names(names)) == 5
    assert set(held_out_names(names)) == set(held_out_names(names[::-1]))
    with pytest.raises(DatasetError, match="1 images are too few"):
        held_out_names(["a.png"])
