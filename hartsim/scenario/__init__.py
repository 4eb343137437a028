"""Scenarios: file format, catalogue, draws, compiler. Knows no simulator and no model."""

from hartsim.scenario.compiler import compile_draw, compile_scenario, to_plain
from hartsim.scenario.draw import draw
from hartsim.scenario.language import parse_sentence
from hartsim.scenario.load import load_scenario

__all__ = [
    "compile_draw",
    "compile_scenario",
    "draw",
    "load_scenario",
    "parse_sentence",
    "to_plain",
]
