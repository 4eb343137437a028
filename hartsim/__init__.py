"""hartsim makes the rare and dangerous pictures that a driving or a robot policy never sees enough of.

The public names are loaded on first use, so that importing hartsim costs nothing.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "HartSimError": "hartsim.errors",
    "RunConfig": "hartsim.config",
    "load_config": "hartsim.config",
    "load_scenario": "hartsim.scenario",
    "draw": "hartsim.scenario",
    "compile_scenario": "hartsim.scenario",
    "GenerateRequest": "hartsim.pipeline",
    "generate": "hartsim.pipeline",
    "render_sentence": "hartsim.pipeline",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'hartsim' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
