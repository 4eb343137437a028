"""Records the scripted expert in LeRobot's format, and reads the dataset with pyarrow.

pip install "hartsim[rl]"
python docs/examples/record.py --episodes 3 --out episodes
"""

import argparse
from pathlib import Path

from pyarrow import parquet

from hartsim.recording import RecordRequest, record


def main() -> None:
    """Record, and say what is in the dataset."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", default="boxes_then_walker")
    parser.add_argument("--episodes", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("episodes"))
    wanted = parser.parse_args()
    request = RecordRequest((wanted.scenario,), wanted.out, episodes=wanted.episodes)
    for episode in record(request):
        print(f"{episode.scene}: {episode.steps} steps, success={episode.success}")
    rows = parquet.read_table(wanted.out / "data" / "chunk-000" / "file-000.parquet")
    print(f"rows={len(rows)} columns={', '.join(rows.column_names)}")
    # With LeRobot installed: LeRobotDataset("my/episodes", root=wanted.out)


if __name__ == "__main__":
    main()
