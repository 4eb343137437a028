"""Makes hartsim's environments known to Gymnasium, without loading it before anybody else does."""

import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

ENTRY_POINTS: Mapping[str, str] = {
    "HartSim/Street-v0": "hartsim.adapters.gymnasium.envs:street",
    "HartSim/Tabletop-v0": "hartsim.adapters.gymnasium.envs:tabletop",
    "HartSim/Carla-v0": "hartsim.adapters.gymnasium.envs:carla",
}


def register() -> None:
    """Register the environments; calling it twice is harmless."""
    import gymnasium as gym

    for name, entry_point in ENTRY_POINTS.items():
        if name not in gym.registry:
            gym.register(name, entry_point)


def register_with_gymnasium() -> None:
    """Register now where Gymnasium is loaded already, and else as soon as it is."""
    if "gymnasium" in sys.modules:
        register()
    else:
        sys.meta_path.insert(0, _Registrar())


class _Registrar(MetaPathFinder):
    """Waits for the import of Gymnasium, registers after it, and is gone."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of Gymnasium whose loader registers, too; None for all other modules."""
        if fullname != "gymnasium":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def load_and_register(module: ModuleType) -> None:
            load(module)
            register()

        spec.loader.exec_module = load_and_register  # type: ignore[method-assign]
        return spec
