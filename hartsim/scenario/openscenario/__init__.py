"""ASAM OpenSCENARIO XML: `.xosc` files of versions 1.0 to 1.3 as scenarios, and back as 1.2."""

from hartsim.scenario.openscenario.exporting import export_openscenario
from hartsim.scenario.openscenario.importing import import_openscenario
from hartsim.scenario.openscenario.reader import Imported, Unmapped

__all__ = ["Imported", "Unmapped", "export_openscenario", "import_openscenario"]
