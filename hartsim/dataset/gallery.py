"""One HTML page that shows a dataset from disk: no server, no network, no dates.

The page is `page/page.html` with its style, its script and the dataset as JSON put in. Pictures are
embedded while the page stays small; beyond that it embeds thumbnails and links to the files.
"""

import base64
import html
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from hartsim.dataset.durable import json_line, plain, refusals_told, replace_durably
from hartsim.dataset.reader import Record, read_samples
from hartsim.errors import DatasetError
from hartsim.images import encode_jpeg, read_image, resize
from hartsim.types import CLASSES, ROUTES, UNKNOWN, Image

PAGE_LIMIT_BYTES = 12_000_000
THUMBNAIL_PX = 192
PICTURES = ("image.png", "frame.png")
MAPS = ("labels.png", "mask.png")
"""Pictures whose values mean something: kept as they are, where the others become JPEG."""

COLOURS: Mapping[str, str] = {
    "road": "#5b5668",
    "road_mark": "#e9e4d4",
    "pavement": "#b48ead",
    "building": "#8d7f74",
    "vegetation": "#5f9e57",
    "sky": "#7fb8e6",
    "pole": "#a7adb8",
    "sign": "#f2d14b",
    "light": "#ffe9a3",
    "car": "#3f6fd8",
    "truck": "#2b4c9b",
    "bus": "#5b8def",
    "two_wheeler": "#9d6ff0",
    "person": "#f0476b",
    "animal": "#e0873a",
    "cone": "#ff7a2f",
    "barrier": "#d9a066",
    "debris": "#c98a2b",
    "surface_hazard": "#b0413e",
    "smoke_fire": "#ff5b3a",
    "water": "#2fb6c6",
    "terrain": "#8fa65a",
    "robot": "#d7dde8",
    "table": "#a97c50",
    "wall": "#9aa5b1",
    "floor": "#6f7a86",
    "tool": "#e25fb1",
    "container": "#4fc3a1",
    "electronics": "#7a86ff",
    "food": "#c6d94a",
    "hand": "#ff9d8a",
    "other": "#8a8f98",
}
"""What the label overlay paints each class with."""


@dataclass(frozen=True)
class Embedding:
    """What a page carries itself; the rest it links to."""

    pictures: bool
    thumbnails: bool


EMBEDDINGS = (Embedding(True, False), Embedding(False, True), Embedding(False, False))
"""From the most self-contained page to the leanest."""


def write_gallery(root: Path, out: Path | None = None, limit_bytes: int = PAGE_LIMIT_BYTES) -> Path:
    """Write the page that shows a dataset (default `gallery.html` in its folder); its path.

    The same dataset gives the same bytes. Pictures that would take more than `limit_bytes` are
    linked to, and the page must then stay beside the dataset.
    """
    path = out or root / "gallery.html"
    records = list(read_samples(root))
    if not records:
        raise DatasetError(f"{root}: no samples to show; generate some first")
    embedding, pictures = _choose(records, path.parent, limit_bytes)
    data = {
        "name": root.resolve().name,
        "routes": ROUTES,
        "classes": [{"name": name, "colour": COLOURS[name]} for name in CLASSES],
        "unknown": UNKNOWN,
        "pictures": pictures,
        "samples": [_entry(record, embedding) for record in records],
    }
    with refusals_told(path):
        replace_durably(path, _fill(data).encode())
    return path


def _choose(
    records: Sequence[Record], folder: Path, limit_bytes: int
) -> tuple[Embedding, dict[str, str]]:
    """The richest embedding whose pictures stay below the limit, and those pictures by key."""
    for embedding in EMBEDDINGS[:-1]:
        pictures = _pictures(records, folder, embedding, limit_bytes)
        if pictures is not None:
            return embedding, pictures
    links = (_sources(record, folder, EMBEDDINGS[-1]) for record in records)
    return EMBEDDINGS[-1], {key: link for pairs in links for key, link in pairs}


def _pictures(
    records: Sequence[Record], folder: Path, embedding: Embedding, limit_bytes: int
) -> dict[str, str] | None:
    """The pictures by key, or None as soon as they outgrow the limit."""
    pictures: dict[str, str] = {}
    for record in records:
        pictures |= _sources(record, folder, embedding)
        if sum(map(len, pictures.values())) > limit_bytes:
            return None
    return pictures


def _fill(data: Mapping[str, Any]) -> str:
    page = resources.files("hartsim.dataset") / "page"
    parts = {
        "title": html.escape(data["name"]),
        "style": (page / "page.css").read_text("utf-8"),
        "script": (page / "page.js").read_text("utf-8"),
        # A prompt may hold '</script>'; the data goes in last, so it may hold '{{script}}' too.
        "data": json_line(plain(data)).replace("<", "\\u003c"),
    }
    text = (page / "page.html").read_text("utf-8")
    for name, part in parts.items():
        text = text.replace("{{" + name + "}}", part, 1)
    return text


def _sources(record: Record, folder: Path, embedding: Embedding) -> Iterator[tuple[str, str]]:
    """The pictures of a sample by key, as data URIs or as paths relative to the page's folder."""
    for name in _picture_names(record):
        path = record.folder / name
        link = quote(os.path.relpath(path, folder).replace(os.sep, "/"))
        yield _key(record, name), _embedded(path) if embedding.pictures else link
    if embedding.thumbnails:
        thumbnail = _jpeg_uri(resize(record.image(), _thumbnail_size(record)), 80)
        yield _thumbnail_key(record), thumbnail


def _picture_names(record: Record) -> list[str]:
    textures = (f"texture_{surface}.png" for surface in record.textures)
    return [name for name in (*PICTURES, *MAPS, *textures) if name in record.files]


def _key(record: Record, name: str) -> str:
    """The picture's own hash, so that frames which several routes share are embedded once."""
    return record.files[name][:16]


def _thumbnail_key(record: Record) -> str:
    return f"thumbnail-{_key(record, 'image.png')}"


def _thumbnail_size(record: Record) -> tuple[int, int]:
    height, width = record.size_px
    scale = min(1.0, THUMBNAIL_PX / max(height, width))
    return round(height * scale), round(width * scale)


def _embedded(path: Path) -> str:
    if path.name in MAPS:
        return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
    return _jpeg_uri(read_image(path), 88)


def _jpeg_uri(image: Image, quality: int) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(encode_jpeg(image, quality)).decode()}"


def _entry(record: Record, embedding: Embedding) -> dict[str, Any]:
    """What the page knows about a sample; its pictures by key."""
    keys = {name: _key(record, name) for name in _picture_names(record)}
    labels = record.labels()
    return {
        "id": record.id,
        "route": record.route,
        "scenario": record.scenario,
        "index": record.index,
        "camera": record.camera,
        "seed": record.seed,
        "size": record.size_px,
        "prompt": record.prompt,
        "negative": record.negative,
        "hazards": record.tags.get("hazard", []),
        "drawn": record.drawn,
        "tags": record.tags,
        "passed": record.passed,
        "checks": record.checks,
        "attempt": record.render.get("attempt", 0),
        "boxes": [
            {"kind": item.instance.kind, "hazard": item.instance.hazard, "box": item.box_px}
            for item in record.annotations
        ],
        "classes": [] if labels is None else np.unique(labels),
        "thumbnail": _thumbnail_key(record) if embedding.thumbnails else keys["image.png"],
        "image": keys["image.png"],
        "frame": keys.get("frame.png"),
        "labels": keys.get("labels.png"),
        "mask": keys.get("mask.png"),
        "textures": {surface: keys[f"texture_{surface}.png"] for surface in record.textures},
    }
