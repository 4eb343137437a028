"""How many sentences the grammar understands, and what it gets wrong in those it was tuned on.

`python -m benchmarks.bench_sentences [--wrong]`; exact: all that a sentence says, nothing else.
"""

import argparse

from tests.scenario.sentences import found, read, score, wanted, without_defaults

TUNED_ON, HELD_OUT = ("tuning", "tuning_more"), "held_out"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wrong", action="store_true", help="show what is wrong, where tuned on")
    wrong = parser.parse_args().wrong
    for name in TUNED_ON if wrong else ():
        for entry in read(name):
            want, have = without_defaults(wanted(entry)), found(entry["say"])
            if want != have:
                print(entry["say"])
                print("   missing ", dict(want - have))
                print("   too much", dict(have - want))
    for name in (*TUNED_ON, HELD_OUT):
        entries = read(name)
        exact, f1 = score(entries)
        print(f"{name:12} {len(entries):4} sentences, exact {exact:.3f}, slot F1 {f1:.3f}")


if __name__ == "__main__":
    main()
