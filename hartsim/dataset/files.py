"""A sample as the files of its folder: the same sample gives the same bytes.

Pictures are PNG. Depth is float16 metres: at most 0.05 % off, 5 mm at 10 m. Points are float32.
"""

import hashlib
import io
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hartsim.dataset.durable import json_page, plain
from hartsim.images import encode_png
from hartsim.types import Annotation, Camera, Depth, Frame, Points, Render, Sample

_ID = re.compile(r"\w[\w.+-]*")


def files_of(sample: Sample) -> dict[str, bytes]:
    """The bytes of every file by name; ValueError where parts of the sample contradict."""
    _refuse_contradictions(sample)
    files = {name: encode_png(pixels) for name, pixels in _pictures(sample).items()}
    if sample.frame:
        files["depth.npz"] = encode_depth(sample.frame.depth_m)
        if sample.frame.lidar is not None:
            files["lidar.npz"] = encode_points(sample.frame.lidar)
    return {**files, "sample.json": json_page(describe(sample, files))}


def describe(sample: Sample, files: Mapping[str, bytes]) -> dict[str, Any]:
    """What `sample.json` holds: all that is known about a sample, as plain data."""
    render = sample.render
    return {
        "id": sample.id,
        "route": sample.route,
        "scenario": sample.scenario,
        "index": sample.index,
        "seed": sample.seed,
        "camera": sample.camera,
        "prompt": render.job.prompt,
        "negative": render.job.negative,
        "drawn": plain(sample.drawn),
        "tags": plain(sample.tags),
        "scene": plain(sample.scene),
        "size_px": list(render.image.shape[:2]),
        "render": _how_made(render),
        "textures": {surface: _how_made(paint) for surface, paint in sample.textures.items()},
        "calibration": _calibration(sample.frame.camera) if sample.frame else None,
        "annotations": [_annotation(item, sample.frame) for item in sample.annotations],
        "checks": plain(sample.checks),
        "passed": sample.passed,
        "provenance": plain(sample.provenance),
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        "timings_s": {"render": _seconds(sample), **plain(sample.timings_s)},
    }


def encode_depth(depth_m: Depth) -> bytes:
    """A `.npz` of one float16 array `depth_m`; the same depth gives the same bytes."""
    with np.errstate(over="ignore"):  # beyond 65 km is as good as the sky's inf
        return _archive(depth_m=depth_m.astype(np.float16))


def encode_points(points: Points) -> bytes:
    """A `.npz` of one float32 array `points` (N, 4); the same points give the same bytes."""
    return _archive(points=points.astype(np.float32))


def _archive(**arrays: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _pictures(sample: Sample) -> dict[str, NDArray[Any]]:
    pictures: dict[str, NDArray[Any] | None] = {
        "image.png": sample.render.image,
        "labels.png": sample.labels,
        "mask.png": sample.mask,
    }
    if sample.frame:
        pictures |= {"frame.png": sample.frame.image, "instances.png": sample.frame.instances}
    pictures |= {f"texture_{name}.png": paint.image for name, paint in sample.textures.items()}
    return {name: pixels for name, pixels in pictures.items() if pixels is not None}


def _how_made(render: Render) -> dict[str, Any]:
    job = render.job
    return {
        "target": job.target,
        "prompt": job.prompt,
        "negative": job.negative,
        "size_px": list(job.size_px),
        "attempt": job.attempt,
        "noise_key": job.noise_key,
        "cache_key": render.cache_key,
        "weights_hash": render.weights_hash,
        "settings": plain(render.settings),
    }


def _seconds(sample: Sample) -> float:
    return sample.render.seconds + sum(paint.seconds for paint in sample.textures.values())


def _calibration(camera: Camera) -> dict[str, Any]:
    return {
        "size_px": list(camera.size_px),
        "intrinsics": camera.intrinsics.tolist(),
        "camera_to_base": camera.camera_to_base.tolist(),
    }


def _annotation(item: Annotation, frame: Frame | None) -> dict[str, Any]:
    area = int(item.mask.sum())
    visible = int((frame.instances == item.instance.id).sum()) if frame else area
    seen = {"occluded": item.occluded, "truncated": item.truncated}
    return {
        **plain(item.instance),
        "box_px": list(item.box_px),
        "area_px": area,
        "known_share": area / max(visible, 1),
        **{name: share for name, share in seen.items() if share is not None},
    }


def _refuse_contradictions(sample: Sample) -> None:
    """ValueError where the parts of a sample contradict each other."""
    if not _ID.fullmatch(sample.id):
        raise ValueError(f"sample id {sample.id!r} cannot name a folder: use letters, digits, _.-")
    if sample.route == "view" and (sample.frame or sample.labels is not None or sample.annotations):
        raise ValueError(f"sample {sample.id}: a view knows no pixels: no frame, labels, objects")
    size = sample.render.image.shape[:2]
    parts: dict[str, NDArray[Any] | None] = {"labels": sample.labels, "mask": sample.mask}
    if sample.frame:
        parts |= {name: getattr(sample.frame, name) for name in ("image", "instances", "depth_m")}
    for name, part in parts.items():
        if part is not None and part.shape[:2] != size:
            raise ValueError(f"sample {sample.id}: {name} is {part.shape[:2]}, the render {size}")
    points = sample.frame.lidar if sample.frame else None
    if points is not None and (points.ndim != 2 or points.shape[1] != 4):
        raise ValueError(f"sample {sample.id}: lidar is {points.shape}, must be (points, 4)")
