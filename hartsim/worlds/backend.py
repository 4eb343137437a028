"""Which software draws: chosen by trying, before MuJoCo fixes it for the life of the process.

MuJoCo reads MUJOCO_GL when it is imported and then cannot change its mind, and a candidate that
does not work may take the interpreter with it. So each is tried in a process of its own, once per
machine: the answer is kept in the user's cache under the versions that it depends on.
"""

import ctypes
import functools
import hashlib
import importlib
import json
import logging
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from hartsim.errors import WorldError
from hartsim.folders import cache_folder

logger = logging.getLogger(__name__)

CANDIDATES = ("egl", "osmesa", "osmesa-wheel")
"""In order of preference; the last is OSMesa as the `lavavu-osmesa` wheel brings it."""

REMEDY = "pip install --no-deps lavavu-osmesa"
UNSET_REMEDY = "unset MUJOCO_GL"
"""hartsim then finds a back end by itself."""
SYSTEM_REMEDY = "apt-get install -y --no-install-recommends libegl1 libgl1"

_TRIAL_S = 60.0
_TRIAL = """
import sys
from hartsim.worlds import backend
backend.select(sys.argv[1])
import mujoco
context = mujoco.GLContext(16, 16)
context.make_current()
model = mujoco.MjModel.from_xml_string("<mujoco/>")
mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50.value).free()
context.free()
"""


@functools.cache
def wanted() -> str:
    """What the user set MUJOCO_GL to before we did; empty where the choice is ours."""
    return os.environ.get("MUJOCO_GL", "").lower()


@functools.cache
def probe() -> str:
    """The back end that draws here: MUJOCO_GL if the user set it, else the first that works.

    Raises WorldError, naming the command to run, where none does.
    """
    if wanted():
        return _confirmed(wanted())
    remembered = _recall()
    if remembered is not None:
        return remembered
    for name in CANDIDATES:
        if works(name):
            _remember(name)
            return name
    raise WorldError(
        f"no OpenGL draws on this machine (tried {', '.join(CANDIDATES)}); run: {REMEDY}  "
        f"(or, as root: {SYSTEM_REMEDY})"
    )


def _confirmed(wanted: str) -> str:
    """The user's choice; a system OSMesa that is missing may still come from the wheel."""
    if wanted == "osmesa" and not _system_osmesa() and wheel_library() is not None:
        return "osmesa-wheel"
    return wanted


def load_mujoco() -> ModuleType:
    """MuJoCo, imported with a back end that draws; WorldError where there is none."""
    if "mujoco" not in sys.modules:
        select(probe())
    try:
        import mujoco
    except (ImportError, AttributeError, OSError, RuntimeError) as error:
        # PyOpenGL reports a missing EGL as an AttributeError
        raise broken(error) from error
    module: ModuleType = mujoco
    return module


def broken(error: Exception) -> WorldError:
    """What to tell the user when the chosen back end fails; it is not remembered any longer."""
    chosen = os.environ.get("MUJOCO_GL", "")
    why = str(error).splitlines()[0] if str(error) else type(error).__name__
    if wanted():
        return WorldError(f"MUJOCO_GL={chosen} does not start ({why}); run: {UNSET_REMEDY}")
    _cache_file().unlink(missing_ok=True)
    return WorldError(
        f"OpenGL by {chosen} does not start any more ({why}); the same command again looks for "
        "another"
    )


def trial() -> str:
    """The back end that draws here, tried in a process of its own; WorldError as `probe`."""
    name = probe()
    if not works(name):
        if wanted():
            raise WorldError(f"MUJOCO_GL={wanted()} does not start; run: {UNSET_REMEDY}")
        _cache_file().unlink(missing_ok=True)
        probe.cache_clear()
        name = probe()
    return name


def select(name: str) -> None:
    """Make `name` the back end that the coming import of MuJoCo uses."""
    platform = "osmesa" if name == "osmesa-wheel" else name
    os.environ["MUJOCO_GL"] = platform
    # threads gain nothing at our sizes and cost much where cores are shared
    os.environ.setdefault("LP_NUM_THREADS", "0")
    if name == "osmesa-wheel":
        _load_wheel()


def wheel_library() -> Path | None:
    """The OSMesa library inside the `lavavu-osmesa` wheel, if that is installed."""
    spec = find_spec("lavavu")
    if spec is None or not spec.submodule_search_locations:
        return None
    roots = [Path(place) for place in spec.submodule_search_locations]
    folders = [*roots, *(root.parent / "lavavu_osmesa.libs" for root in roots)]
    found = (path for folder in folders for path in sorted(folder.glob("**/libOSMesa*.so*")))
    return next(found, None)


def _load_wheel() -> None:
    """Put the wheel's OSMesa where PyOpenGL looks for the system's."""
    library = wheel_library()
    if library is None:
        raise WorldError(f"the lavavu-osmesa wheel is not installed; run: {REMEDY}")
    handle = _load_with_neighbours(library)
    os.environ["PYOPENGL_PLATFORM"] = "osmesa"

    def open_library(name: str, mode: int = ctypes.RTLD_GLOBAL) -> ctypes.CDLL:
        return handle if name.startswith("libOSMesa") else ctypes.CDLL(name, mode)

    # PyOpenGL looks for libraries once, while it is imported, and only by the system's names
    loader: Any = ctypes.cdll
    before, loader._dlltype = loader._dlltype, open_library
    try:
        importlib.import_module("OpenGL.platform")
    finally:
        loader._dlltype = before


def _load_with_neighbours(library: Path) -> ctypes.CDLL:
    """The library, after those beside it that it needs: the wheel's files have no search path.

    Each is tried until all that it needs is there; OSError where something never is.
    """
    waiting = [path for path in sorted(library.parent.glob("*.so*")) if path != library]
    for _ in range(len(waiting)):
        for path in list(waiting):
            with suppress(OSError):
                ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
                waiting.remove(path)
    return ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)


def _system_osmesa() -> bool:
    from ctypes.util import find_library

    return find_library("OSMesa") is not None


def works(name: str) -> bool:
    """Whether a small context opens in a process of its own."""
    if name == "osmesa-wheel" and wheel_library() is None:
        return False
    environment = {key: value for key, value in os.environ.items() if key != "PYOPENGL_PLATFORM"}
    try:
        trial = subprocess.run(
            [sys.executable, "-c", _TRIAL, name],
            env=environment | {"MUJOCO_GL": ""},
            capture_output=True,
            timeout=_TRIAL_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        logger.info("OpenGL back end %s: %s", name, error)
        return False
    if trial.returncode != 0:
        last = trial.stderr.decode(errors="replace").strip().splitlines()[-1:]
        logger.info("OpenGL back end %s does not start: %s", name, " ".join(last))
    return trial.returncode == 0


def _cache_file() -> Path:
    """One small file per combination of what the answer depends on."""
    parts = [sys.version, sys.prefix, metadata.version("mujoco"), str(wheel_library())]
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    return cache_folder() / f"opengl-{key}.json"


def _recall() -> str | None:
    try:
        name = json.loads(_cache_file().read_text())["backend"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return name if name in CANDIDATES else None


def _remember(name: str) -> None:
    """Keep the answer for the next process; a cache that cannot be written is no trouble."""
    file = _cache_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as draft:
            json.dump({"backend": name}, draft)
        Path(draft.name).replace(file)
    except OSError as error:
        logger.info("cannot keep the OpenGL back end in %s: %s", file, error)
