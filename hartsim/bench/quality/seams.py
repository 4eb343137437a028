"""Whether seamless textures show where they begin again."""

from collections.abc import Mapping, Sequence

import numpy as np

from hartsim.bench.quality.figures import Findings, Row, mean_figure, require_enough
from hartsim.types import Image

LEAST = 8


def seams(sets: Mapping[str, Sequence[Image]]) -> Findings:
    """The energy of steps across wrapped edges over that of all other steps; 1 is no seam."""
    rows, left_out = [], []
    for of, tiles in sets.items():
        if len(tiles) < LEAST:
            left_out.append(f"{of}: {len(tiles)} textures, at least {LEAST} are needed")
            continue
        rows.append(Row.put("seam energy", of, "all", mean_figure([*map(seam_energy, tiles)])))
    require_enough(len(rows), 1, "sets of textures that are large enough")
    return Findings("seams", tuple(rows), tuple(left_out))


def seam_energy(tile: Image) -> float:
    """Mean square step across a texture's wrapped edges, over that of all its other steps."""
    values = tile.astype(np.float64)
    steps = [
        np.square(values - np.roll(values, 1, axis)).mean(axis=(1 - axis, 2)) for axis in (0, 1)
    ]
    edges, inside = np.mean([s[0] for s in steps]), np.mean([s[1:].mean() for s in steps])
    return float(edges / max(inside, 1e-9))
