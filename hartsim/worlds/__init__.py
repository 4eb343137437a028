"""Running simulators behind one contract, and the embedded one (MuJoCo): a street and a table top.

Knows compiled scenes; knows no prompts, no models, no datasets, no policies.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hartsim.scenario.compiled import CompiledScene
from hartsim.types import Box3D, Frame, Image, Size, State


class World(Protocol):
    """A simulator that can show a compiled scene, take textures and be photographed.

    `surfaces` names what `paint` accepts, with the texture size that fits it best.
    """

    surfaces: Mapping[str, Size]

    def setup(self, scene: CompiledScene) -> None:
        """Show this scene; whatever was there, paint included, is gone."""
        ...

    def paint(self, textures: Mapping[str, Image]) -> set[str]:
        """Put textures on surfaces by name; returns those whose pixels were seen to change."""
        ...

    def wear(self, textures: Mapping[str, Image]) -> None:
        """As `paint`, but in no more time than it takes: nobody looks whether it shows."""
        ...

    def showing(self, surfaces: Iterable[str]) -> set[str]:
        """Which of these surfaces some camera sees now; set the world up anew after asking."""
        ...

    def step(self, action: NDArray[np.float64], seconds: float) -> State:
        """Apply an action for a span of simulated time.

        Driving: (steering, acceleration), each -1..1. Robot: gripper velocity (x, y, z), -1..1, and
        perhaps a fourth number for the fingers, which close above 0 and open else.
        """
        ...

    def state(self) -> State:
        """What is so now; the collisions are those of the last step."""
        ...

    def obstacles(self) -> dict[str, Box3D]:
        """What can be hit, by name: its box now, in the frame of the setup."""
        ...

    def capture(self, cameras: Sequence[str] | None = None) -> dict[str, Frame]:
        """What the named cameras (default: all) see now."""
        ...

    def look(self, cameras: Sequence[str] | None = None) -> dict[str, Image]:
        """The pictures of `capture` alone, in less time."""
        ...

    def remember(self) -> object:
        """What is so now, for `recall`; WorldError for a simulator that cannot go back."""
        ...

    def recall(self, memory: Any) -> None:
        """Go back to what `remember` gave, in this world or in another of its kind."""
        ...

    def about(self) -> dict[str, Any]:
        """What shows the scene, as plain data, where hartsim's own version does not say it all.

        Equal scenes have equal ones; what decides the bytes of all scenes alike is in "server".
        """
        ...

    def close(self) -> None:
        """Free the simulator; calling it twice is harmless."""
        ...
