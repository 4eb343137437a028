"""HART's speed, for `make bench`: the same as `hartsim bench speed`, with its options.

.venv/bin/python benchmarks/bench_hart.py [--model 0.7b] [--precision fp32,int8] [--json FILE]
"""

import sys

from hartsim.cli import run

if __name__ == "__main__":
    sys.exit(run(["bench", "speed", *sys.argv[1:]]))
