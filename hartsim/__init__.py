"""hartsim makes the rare, dangerous pictures that a driving or a robot policy sees too little of.

The public names are loaded on first use, so that importing hartsim costs nothing. Gymnasium knows
hartsim's environments as soon as both are imported, in whichever order.
"""

import importlib
from typing import Any

from hartsim.adapters.gymnasium.registration import register_with_gymnasium

__version__ = "0.1.0"

_HOME = {
    "CompiledScene": "hartsim.scenario.compiled",
    "GenerateRequest": "hartsim.request",
    "HartSimError": "hartsim.errors",
    "RunConfig": "hartsim.config",
    "Sample": "hartsim.types",
    "Scenario": "hartsim.scenario.schema",
    "compile_draw": "hartsim.scenario.compiler",
    "compile_scenario": "hartsim.scenario.compiler",
    "draw": "hartsim.scenario.draw",
    "generate": "hartsim.pipeline",
    "load_config": "hartsim.config",
    "load_scenario": "hartsim.scenario.load",
    "parse_sentence": "hartsim.scenario.language",
    "render_sentence": "hartsim.pipeline",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'hartsim' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__


register_with_gymnasium()
