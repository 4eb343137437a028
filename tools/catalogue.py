"""The catalogue for people: `docs/catalogue.md` from the data files, and sheets of all hazards.

.venv/bin/python tools/catalogue.py            the page
.venv/bin/python tools/catalogue.py --sheets   the pictures as well
"""

import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from hartsim.images import captioned, contact_sheet, encode_jpeg, resize
from hartsim.scenario.broad import Reach, likely_spot, portrait_spot
from hartsim.scenario.catalogue import COLOURS, ids_of
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.draw import stream
from hartsim.scenario.kinds import CarlaRecipe, Kind, kinds_of
from hartsim.scenario.motion import MOTIONS
from hartsim.scenario.schema import (
    DEFAULT_CAMERAS,
    TASKS,
    DrivingSpec,
    RobotSpec,
    Scenario,
    SceneSpec,
)
from hartsim.scenario.standards import NHTSA, SOTIF
from hartsim.types import Image, Task
from hartsim.worlds.embedded import EmbeddedWorld

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = DOCS / "catalogue.md"
TILE_PX, COLUMNS = 168, 8
NEAR = Reach(6.0, 12.0, 5.0)
SCENES: dict[Task, tuple[SceneSpec, ...]] = {
    "driving": (
        SceneSpec("residential_street"),
        SceneSpec("city_street", "overcast"),
        SceneSpec("country_road"),
        SceneSpec("highway", time_of_day="dusk"),
    ),
    "robot": tuple(SceneSpec(place) for place in ids_of("place", "robot")),
}


def main(arguments: Sequence[str]) -> None:
    """Write the page, and with `--sheets` the pictures."""
    PAGE.write_text(page(), encoding="utf-8")
    if "--sheets" in arguments:
        for task in TASKS:
            sheet = contact_sheet(list(pictures_of(task)), COLUMNS)
            (DOCS / "images" / f"catalogue-{task}.jpg").write_bytes(encode_jpeg(sheet))


def pictures_of(task: Task) -> Iterable[Image]:
    """A picture of every hazard of a task in the embedded world, above its id."""
    with closing(EmbeddedWorld(task, (256, 256))) as world:
        for number, kind in enumerate(kinds_of(task, hazard=True)):
            world.setup(compile_draw(scene_of(kind, number), 0, 0))
            picture = resize(world.look(["front"])["front"], (TILE_PX, TILE_PX))
            yield captioned(picture, kind.id.replace("_", " "))


def scene_of(kind: Kind, number: int) -> Scenario:
    """One hazard, near, in a scene that its number decides."""
    scenes = SCENES[kind.task]
    rng = stream("catalogue", kind.id)
    spot = likely_spot(kind, NEAR, rng)
    if kind.zone in ("lane", "road"):
        spot = replace(portrait_spot(kind, rng), heading_deg=spot.heading_deg)
    if kind.task == "robot":
        spot = replace(spot, ahead_m=0.66, left_m=0.0, scale=1.25)
    return Scenario(
        name=f"catalogue_{kind.id}",
        task=kind.task,
        about="",
        scene=scenes[number % len(scenes)],
        hazards={kind.id: spot},
        cameras=DEFAULT_CAMERAS[kind.task],
        driving=DrivingSpec(traffic=0.0) if kind.task == "driving" else None,
        robot=RobotSpec(clutter=0.1) if kind.task == "robot" else None,
    )


def page() -> str:
    """The page as Markdown."""
    lines = [
        "# The catalogue",
        "",
        "Every id that a scenario may name, made from the files in `hartsim/scenario/data` by",
        "`tools/catalogue.py`. Tags are our own short names for entries of published lists; they",
        "help to count and to search, and conformity with any standard is not claimed.",
        "",
    ]
    for task in TASKS:
        hazards, others = kinds_of(task, hazard=True), kinds_of(task, hazard=False)
        lines += [f"## {task.capitalize()}: {len(hazards)} hazards", ""]
        lines += [f"![all hazards of the {task} tasks](images/catalogue-{task}.jpg)", ""]
        lines += [*_table(hazards, task), "", f"### {task.capitalize()}: harmless things", ""]
        lines += [_named(kind.id for kind in others), "", f"### {task.capitalize()}: the rest", ""]
        for vocabulary in ("place", "weather", "ground", "time_of_day", "lane", "surface"):
            ids = ids_of(vocabulary, task)
            if ids:
                lines.append(f"* {vocabulary.replace('_', ' ')}: {_named(ids)}")
        lines.append("")
    lines += ["## Both", "", f"* motions: {_named(MOTIONS)}", f"* colours: {_named(COLOURS)}", ""]
    lines += ["## Triggering conditions", "", "| `sotif` | means |", "|---|---|"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in SOTIF.items()]
    lines += ["", "## Pre-crash types", "", "| `nhtsa` | number in DOT HS 810 767 |", "|---|---|"]
    lines += [f"| `{name}` | {number} |" for name, number in NHTSA.items()]
    return "\n".join(lines) + "\n"


def _table(kinds: Sequence[Kind], task: Task) -> list[str]:
    driving = task == "driving"
    head = ["id", "words", "class", "size in m", "stands", *(["CARLA"] if driving else []), "tags"]
    rows = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for kind in kinds:
        size = " x ".join(f"{side:g}" for side in kind.size_m)
        cells = [f"`{kind.id}`", ", ".join(kind.nouns), f"`{kind.class_name}`", size, kind.zone]
        cells += [_recipe(kind.carla)] if driving else []
        rows.append("| " + " | ".join([*cells, _named(kind.tags)]) + " |")
    return rows


def _recipe(recipe: CarlaRecipe | None) -> str:
    if recipe is None:
        return ""
    if recipe.missing:
        return f"no: {recipe.missing}"
    wanted = ", ".join(f"{name} {value}" for name, value in recipe.attributes.items())
    return f"`{recipe.blueprint}`" + (f" ({wanted})" if wanted else "")


def _named(ids: Iterable[str]) -> str:
    return " ".join(f"`{each}`" for each in ids)


if __name__ == "__main__":
    main(sys.argv[1:])
