import subprocess
import sys

import pytest

ORDERS = {
    "hartsim first": "import hartsim, sys; assert 'gymnasium' not in sys.modules; import gymnasium",
    "gymnasium first": "import gymnasium; import hartsim",
    "by the name": "import gymnasium; gymnasium.make('hartsim:HartSim/Street-v0').close()",
}


@pytest.mark.parametrize("order", ORDERS)
def test_gymnasium_knows_the_environments_in_whichever_order(order):
    code = ORDERS[order] + "\nassert 'HartSim/Tabletop-v0' in gymnasium.registry"
    code += "\ngymnasium.make('HartSim/Street-v0').close()"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
