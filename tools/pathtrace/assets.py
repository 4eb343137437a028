# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of models that may be drawn: what they are, whose they are, and that they are they."""

import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("assets.json")
LICENCES = ("CC0-1.0", "CC-BY-3.0", "CC-BY-3.0-US")
HELD_OUT_ONE_IN = 4
"""About one model in so many is kept for held-out scenes, where a kind has three or more."""


class AssetError(Exception):
    """A model is missing, is not the one in the table, or has a licence that is not allowed."""


@dataclass(frozen=True)
class Model:
    """One row of the table.

    `size_m` is (length along the way it faces, width, height); `yaw_deg` turns the model, after it
    was laid into x ahead, y left, z up, so that it faces ahead; `turn` is a 3x3 matrix that is
    applied before, in the file's own axes. `paint` names the material that other colours replace.
    """

    name: str
    file: str
    sha256: str
    author: str
    licence: str
    kinds: tuple[str, ...]
    size_m: tuple[float, float, float]
    yaw_deg: float = 0.0
    turn: tuple[float, ...] = ()
    paint: str = ""


def load_table(path: Path = TABLE) -> tuple[Model, ...]:
    """The models of a table; raises AssetError for a licence that is not allowed."""
    models = []
    for row in json.loads(path.read_text(encoding="utf-8"))["models"]:
        lists = {key: tuple(row[key]) for key in ("kinds", "size_m", "turn") if key in row}
        model = Model(**{**row, **lists})
        if model.licence not in LICENCES:
            allowed = ", ".join(LICENCES)
            raise AssetError(f"{model.name}: licence '{model.licence}' is none of {allowed}")
        models.append(model)
    return tuple(models)


def folder_sha256(file: str | os.PathLike[str]) -> str:
    """The hash of a model: of every file beside the .obj, its materials and pictures included."""
    folder = Path(file).parent
    lines = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        lines.append(f"{path.relative_to(folder).as_posix()} {digest}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def checked_file(model: Model, folder: Path) -> Path:
    """Where the model's .obj lies; raises AssetError if it is missing or another."""
    file = folder / model.file
    if not file.is_file():
        raise AssetError(f"{file} is missing; run the tool's setup first")
    found = folder_sha256(file)
    if found != model.sha256:
        raise AssetError(
            f"{file}: sha256 over its folder is {found}, the table has {model.sha256}; "
            "only the models of the table are drawn"
        )
    return file


def by_kind(models: Iterable[Model]) -> Mapping[str, tuple[Model, ...]]:
    """The models that serve each kind, in the order of their names."""
    kinds: dict[str, list[Model]] = {}
    for model in sorted(models, key=lambda model: model.name):
        for kind in model.kinds:
            kinds.setdefault(kind, []).append(model)
    return {kind: tuple(members) for kind, members in kinds.items()}


def allowed(names: Sequence[str], held_out: bool) -> list[str]:
    """Those of a kind's names that a scene may use: held-out scenes have some to themselves.

    Fewer than three names serve both. Otherwise the names are ordered by their hash and the first
    quarter, at least one, belongs to held-out scenes and to them alone.
    """
    if len(names) < 3:
        return list(names)
    ordered = sorted(names, key=lambda name: (zlib.crc32(name.encode()), name))
    count = max(1, len(ordered) // HELD_OUT_ONE_IN)
    return ordered[:count] if held_out else ordered[count:]


def attribution(models: Iterable[Model]) -> str:
    """ATTRIBUTION.md, made from the table."""
    licences = {
        "CC0-1.0": ("CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        "CC-BY-3.0": ("CC BY 3.0", "https://creativecommons.org/licenses/by/3.0/"),
        "CC-BY-3.0-US": ("CC BY 3.0 US", "https://creativecommons.org/licenses/by/3.0/us/"),
    }
    lines = [
        "# Attribution",
        "",
        "The frames that this tool draws show these 3D models, from the Debian package",
        "`sweethome3d-furniture` 1.8. Models are scaled, given other materials and colours, and",
        "composed into scenes. Whoever publishes frames under these licences gives these credits.",
        "This file is made from `assets.json`: `python -m tools.pathtrace credits`.",
        "",
    ]
    for licence, (title, link) in licences.items():
        mine = sorted((m for m in models if m.licence == licence), key=lambda m: m.name)
        if mine:
            lines += [f"## [{title}]({link})", "", "| model | author |", "|---|---|"]
            lines += [f"| {model.name} | {model.author} |" for model in mine] + [""]
    lines += [
        "## Sky pictures",
        "",
        "Rooms are lit by the world pictures inside the `bpy` package, made by Poly Haven",
        "(https://polyhaven.com) and under",
        "[CC0 1.0](https://creativecommons.org/publicdomain/zero/1.0/): city, courtyard, forest,",
        "interior, night, studio, sunrise, sunset.",
        "",
    ]
    return "\n".join(lines)
