"""Who may import whom, which library lives where, and who may print: read from the sources."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import hartsim

PACKAGE = Path(__file__).parents[1] / "hartsim"

LEAVES = {"", "errors", "folders", "types", "library"}
"""What everyone may import; the empty name is `hartsim` itself, which knows the version."""

MAY_IMPORT = {
    "": {"adapters"},
    "errors": set(),
    "folders": set(),
    "types": set(),
    "library": set(),
    "images": LEAVES,
    "config": LEAVES,
    "scenario": LEAVES,
    "hart": LEAVES | {"images"},
    "worlds": LEAVES | {"images", "scenario"},
    "dataset": LEAVES | {"images"},
    "adapters": LEAVES | {"images", "scenario", "worlds", "dataset"},
    "training": LEAVES | {"images", "config", "hart", "dataset"},
}
TOP = {
    *("pipeline", "augment", "banks", "corpus", "photos", "policies", "recording", "bench"),
    *("doctor", "painter", "rehearsal", "request", "simulators"),
}
"""Where the packages meet; only the command line stands above."""

MAY_IMPORT |= {unit: {*MAY_IMPORT, *TOP} for unit in (*TOP, "cli")}
MAY_IMPORT["__main__"] = {"cli"}

HOMES = {
    "carla": {"adapters/carla"},
    "cv2": {"images", "doctor"},
    "gymnasium": {"adapters", "bench", "policies", "recording", "training"},
    "imageio": {"policies"},
    "imageio_ffmpeg": {"dataset/lerobot"},
    "huggingface_hub": {"hart/hub"},
    "mujoco": {"worlds", "adapters/gymnasium"},
    "omegaconf": {"config", "scenario"},
    "pyarrow": {"dataset/lerobot"},
    "rich": {"cli"},
    "stable_baselines3": {"training"},
    "tensorboard": {"training/board"},
    "torch": {"hart", "training", *TOP},
    "transformers": {"hart/text"},
    "typer": {"cli"},
}
"""The only modules, or folders of modules, that import a library."""

WHEN_USED = {
    *("carla", "huggingface_hub", "imageio", "imageio_ffmpeg", "mujoco", "pyarrow"),
    *("stable_baselines3", "tensorboard", "transformers"),
}
"""Libraries that no module imports at its top: they are optional, or choose a driver on import."""

SLOW_TO_IMPORT = ("torch", "mujoco", "cv2", "gymnasium", "transformers", "carla")


def violations(module: str, source: str) -> list[str]:
    """What breaks the rules in a module such as `hart/text`, one sentence each."""
    tree = ast.parse(source)
    everywhere = [name for node in ast.walk(tree) for name in imported(node)]
    at_top = [name.split(".")[0] for node in run_on_import(tree) for name in imported(node)]
    return [
        *(f"{module} imports {name}" for name in everywhere if not allowed(name, module)),
        *(f"{module} imports {name} at its top" for name in at_top if name in WHEN_USED),
        *(f"{module}:{node.lineno} prints" for node in ast.walk(tree) if prints(node, module)),
    ]


def imported(node: ast.AST) -> Iterator[str]:
    """Dotted names that an import statement, or a literal import_module call, loads."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = "." * node.level + (node.module or "")
        yield from (f"{base}.{alias.name}" if base == "hartsim" else base for alias in node.names)
    elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
        yield from (arg.value for arg in node.args if isinstance(arg, ast.Constant))


def run_on_import(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it that runs when the module is imported, type checkers aside."""
    yield node
    for_checkers = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    if for_checkers or isinstance(node, ast.FunctionDef):
        return
    for child in ast.iter_child_nodes(node):
        yield from run_on_import(child)


def allowed(name: str, module: str) -> bool:
    unit = module.split("/")[0]
    root, _, rest = name.partition(".")
    if root == "hartsim":
        target = rest.split(".")[0].replace("__version__", "")
        return target == unit or target in MAY_IMPORT[unit]
    homes = HOMES.get(root, {module})
    is_absolute = not name.startswith(".")
    return is_absolute and any(f"{module}/".startswith(f"{home}/") for home in homes)


def prints(node: ast.AST, module: str) -> bool:
    if module.split("/")[0] == "cli":
        return False
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id == "print"
    return isinstance(node, ast.Attribute) and ast.unparse(node) in {"sys.stdout", "sys.stderr"}


def module_name(path: Path) -> str:
    """`hart/text` for hartsim/hart/text.py, `hart` for hartsim/hart/__init__.py."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "/".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@pytest.mark.parametrize("module", MODULES)
def test_the_module_keeps_the_rules(module):
    assert violations(module, MODULES[module].read_text()) == []


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        ("scenario/draw", "import torch", "scenario/draw imports torch"),
        ("scenario/draw", "from hartsim.hart import renderer", "imports hartsim.hart"),
        ("adapters/carla/world", "from hartsim import hart", "imports hartsim.hart"),
        ("hart/edit", "from .sampling import generate", "imports .sampling"),
        ("hart/layers", "def f():\n    import cv2", "imports cv2"),
        ("hart/edit", "from transformers import AutoModel", "imports transformers"),
        ("worlds/street", "import mujoco", "imports mujoco at its top"),
        ("worlds/street", "try:\n    import mujoco\nexcept E: ...", "mujoco at its top"),
        ("worlds/street", "from hartsim import load_config", "imports hartsim.load_config"),
        ("worlds/street", "import carla.libcarla", "imports carla.libcarla"),
        ("dataset/writer", "print('done')", "dataset/writer:1 prints"),
        ("training/run", "import sys\nsys.stdout.write('x')", "training/run:2 prints"),
        ("images", "import importlib\nimportlib.import_module('torch')", "images imports torch"),
    ],
)
def test_a_broken_rule_is_found(module, source, complaint):
    assert any(complaint in found for found in violations(module, source))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("adapters/carla/world", "def connect():\n    import carla"),
        ("hart/text", "def load():\n    from transformers import AutoModel"),
        ("hart/edit", "from hartsim.hart.sampling import generate"),
        ("worlds/embedded", "if TYPE_CHECKING:\n    import mujoco"),
        ("worlds/street", "from hartsim.scenario.compiled import CompiledScene"),
        ("dataset/writer", "from hartsim import __version__"),
        ("cli/scenes", "print('done')"),
    ],
)
def test_what_the_table_allows_is_no_violation(module, source):
    assert violations(module, source) == []


def test_importing_the_package_and_its_command_loads_nothing_slow():
    program = "import sys, hartsim, hartsim.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not set(SLOW_TO_IMPORT) & set(done.stdout.split())


@pytest.mark.parametrize("name", hartsim.__all__)
def test_every_public_name_can_be_loaded(name):
    assert getattr(hartsim, name) is not None
    assert name in dir(hartsim)


def test_a_name_that_is_not_public_is_named_in_the_error():
    with pytest.raises(AttributeError, match="module 'hartsim' has no attribute 'drive'"):
        _ = hartsim.drive
