"""`python -m tests.carla_standin`: runs a stand-in server and prints its port when ready."""

import sys

from tests.carla_standin.knobs import parse
from tests.carla_standin.server import serve

if __name__ == "__main__":
    serve(parse(sys.argv[1:]))
