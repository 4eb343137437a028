"""How each hazard of the catalogue looks on a table; see `tabletop_props.Draw`."""

from collections.abc import Mapping

from hartsim.worlds.tabletop_electric import ELECTRIC
from hartsim.worlds.tabletop_fragile import FRAGILE
from hartsim.worlds.tabletop_hot import HOT
from hartsim.worlds.tabletop_living import LIVING
from hartsim.worlds.tabletop_loose import LOOSE
from hartsim.worlds.tabletop_props import Draw
from hartsim.worlds.tabletop_sharp import SHARP
from hartsim.worlds.tabletop_spills import SPILLS

HAZARDS: Mapping[str, Draw] = {
    **SPILLS,
    **SHARP,
    **HOT,
    **ELECTRIC,
    **FRAGILE,
    **LOOSE,
    **LIVING,
}
"""By kind: what draws it."""
