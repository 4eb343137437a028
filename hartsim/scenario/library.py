"""Where scenario files are: the shipped library, and what a user names on the command line."""

from collections.abc import Iterable
from pathlib import Path

from hartsim.errors import ScenarioError
from hartsim.library import library_path
from hartsim.scenario.words import suggestion

SUFFIXES = (".yaml", ".yml")


def library_scenarios() -> dict[str, Path]:
    """The shipped scenario files by name."""
    return {path.stem: path for path in _files_below(library_path("scenarios"))}


def library_folders() -> list[str]:
    """The folders of the library, which stand for all scenarios below them."""
    return sorted(_folders())


def _folders() -> dict[str, Path]:
    """The folders that hold scenarios, or folders of scenarios, by name."""
    root = library_path("scenarios")
    above = {folder for path in _files_below(root) for folder in path.parents}
    return {folder.name: folder for folder in above if root in folder.parents}


def group_of(path: Path) -> str:
    """The folders of the library that a scenario is in: `driving/animals`."""
    return path.parent.relative_to(library_path("scenarios")).as_posix()


def find_scenario(path_or_name: str | Path) -> Path:
    """The file that a path or a library name means; ScenarioError where there is none."""
    path = Path(path_or_name)
    if path.is_file():
        return path
    shipped = library_scenarios()
    if str(path_or_name) in shipped:
        return shipped[str(path_or_name)]
    if path.is_dir():
        raise ScenarioError(f"{path}: a folder, where one scenario file or name is needed")
    if path.suffix in SUFFIXES:
        raise ScenarioError(f"{path}: no such file")
    hint = suggestion(str(path_or_name), [*shipped, *library_folders()])
    raise ScenarioError(f"no scenario file or library scenario is called '{path_or_name}'; {hint}")


def find_scenarios(names_or_paths: Iterable[str | Path]) -> list[Path]:
    """The files meant by files, folders (all below them) and library names, each once, in order.

    A folder of the library (`driving`, `animals`) is found by its name too. ScenarioError where
    something is not found or a folder holds no scenario.
    """
    found: dict[Path, None] = {}
    for item in names_or_paths:
        folder = Path(item) if Path(item).is_dir() else _folders().get(str(item))
        paths = _files_below(folder) if folder else [find_scenario(item)]
        if not paths:
            raise ScenarioError(f"{folder}: no scenario files (*.yaml) in this folder")
        found |= dict.fromkeys(paths)
    return list(found)


def _files_below(folder: Path) -> list[Path]:
    """The scenario files below a folder; those whose name starts with `_` are parts of others."""
    files = (path for path in folder.rglob("*") if path.suffix in SUFFIXES)
    return sorted(path for path in files if not path.name.startswith("_"))
