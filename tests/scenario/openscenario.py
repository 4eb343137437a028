"""What the tests of OpenSCENARIO share."""

from dataclasses import replace
from pathlib import Path

FILES = Path(__file__).parents[1] / "data" / "xosc"


def bare(scenario):
    """The scenario without what it was read from."""
    return replace(scenario, source="", source_hash="")
