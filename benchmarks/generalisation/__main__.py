"""Does training on generated looks help a policy in looks that it never saw?

python -m benchmarks.generalisation bank|teach|judge|plot --out DIR [--surfaces DIR]

Every arm clones the same expert on the same episodes for as many steps of the optimiser; only what
the policy sees differs. Every step keeps what it has done, and goes on where it was; `--seeds` and
`--tests` share the work among processes.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.canvas import GRID, INK, PAPER, Canvas
from benchmarks.generalisation.arms import (
    ARMS,
    SEEN,
    SIZE_PX,
    TESTS,
    augmented,
    make,
    make_test,
    path_traced,
)
from hartsim.adapters.gymnasium.experts import DrivingExpert, expert_of
from hartsim.banks import BankRequest, build_bank
from hartsim.config import load_config
from hartsim.images import captioned, contact_sheet, encode_jpeg, encode_png
from hartsim.policies import CLONED, play, player_of
from hartsim.training.cloning import Lessons, Policy, PolicyConfig, save_policy, shifted

ROOT = Path(__file__).parents[2]
JSON = ROOT / "benchmarks" / "results" / "generalisation.json"
PICTURE = ROOT / "docs" / "images" / "generalisation.png"
LOOKS = ROOT / "docs" / "images" / "generalisation-looks.jpg"
EPISODES, STEPS, BATCH, RATE = 60, 1000, 64, 1e-3
WIDTH, FRAMES = 16, 2
NOISE = 0.35
"""How far the expert is pushed aside while it drives, so that getting back is learned (DART)."""
ROWS = (46, 105)
"""Of the pictures, those in which the road is: what a policy looks at."""
JUDGED, JUDGED_FROM = 40, 500_000
SEEDS = (0, 1, 2)
PICTURES, BANK_PX = 40, 256
"""Of each kind in HART's bank, and their side."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("bank", "teach", "judge", "plot"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--surfaces", type=Path, help="what tools/pathtrace textures wrote")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=SEEDS, help="to teach, of all three"
    )
    parser.add_argument("--tests", nargs="+", choices=TESTS, default=TESTS, help="to judge in")
    parser.add_argument("--json", type=Path, default=JSON)
    parser.add_argument("--png", type=Path, default=PICTURE)
    parser.add_argument("--looks", type=Path, default=LOOKS, help="the sheet of what is seen")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    {"bank": make_banks, "teach": teach, "judge": judge, "plot": plot}[asked.what](asked)


def make_banks(asked: argparse.Namespace) -> None:
    """HART's pictures, and the path-traced surfaces to be judged on."""
    config = load_config([f"world.size_px={BANK_PX}"])
    request = BankRequest((SEEN,), ("texture", "backdrop"), PICTURES, 0, asked.out / "hart", config)
    for _ in build_bank(request):
        pass
    if not (asked.out / "surfaces").exists():
        path_traced(asked.surfaces, asked.out / "surfaces")


def teach(asked: argparse.Namespace) -> None:
    """A policy for every arm and seed."""
    for seed in asked.seeds:
        for arm in ARMS:
            folder = asked.out / "policies" / f"{arm.replace(' ', '-')}-{seed}"
            if (folder / CLONED).exists():
                continue
            start = time.monotonic()
            lessons = drive(arm, asked.out / "hart", seed)
            policy, loss = learn(lessons, arm, seed)
            folder.mkdir(parents=True, exist_ok=True)
            save_policy(policy, folder / CLONED)
            took = time.monotonic() - start
            print(f"{arm} {seed}: {len(lessons)} steps, loss {loss:.4f}, {took:.0f} s", flush=True)


def drive(arm: str, bank: Path, seed: int) -> Lessons:
    """What the expert does in the arm's environment, pushed aside now and then."""
    env, lessons = make(arm, bank), Lessons()
    expert = expert_of(env)
    for number in range(EPISODES):
        random = np.random.default_rng([seed, number])
        seen, _ = env.reset(seed=1000 * seed + number)
        expert.begin()
        lessons.begin()
        push, done = np.zeros(2), False
        while not done:
            action = expert.act()
            lessons.add(seen[slice(*ROWS)], action, expert.known())
            if random.random() < 0.1:
                push = random.normal(0, (NOISE, NOISE)) * (random.random() < 0.5)
            taken = np.clip(action + push, -1, 1).astype(np.float32)
            seen, _, terminated, truncated, _ = env.step(taken)
            done = terminated or truncated
    env.close()
    return lessons


def learn(lessons: Lessons, arm: str, seed: int) -> tuple[Policy, float]:
    """A policy after `STEPS` steps, and its last losses' mean."""
    torch.manual_seed(seed)
    policy = Policy(
        PolicyConfig((SIZE_PX, SIZE_PX), 2, False, WIDTH, FRAMES, ROWS, DrivingExpert.knows)
    )
    optimizer = torch.optim.AdamW(policy.parameters(), lr=RATE, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    random, losses = np.random.default_rng(seed), []
    for _ in range(STEPS):
        picks = random.integers(len(lessons), size=BATCH).tolist()
        pictures = lessons.pictures(picks, FRAMES)
        change = augmented if arm == "augmented" else shifted
        loss = policy.loss(
            torch.from_numpy(change(pictures, random)),
            lessons.actions(picks),
            lessons.known(picks),
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return policy.eval(), float(np.mean(losses[-100:]))


def judge(asked: argparse.Namespace) -> None:
    """Whether each policy succeeds in each of the same episodes of every test."""
    for test in asked.tests:
        kept = judged_file(asked.out, test)
        found: dict[str, list[float]] = json.loads(kept.read_text()) if kept.exists() else {}
        env = make_test(test, asked.out / "surfaces")
        for arm in (*ARMS, "expert"):
            for seed in SEEDS if arm != "expert" else (0,):
                name = f"{arm}/{seed}"
                if name in found:
                    continue
                folder = asked.out / "policies" / f"{arm.replace(' ', '-')}-{seed}"
                file = folder / CLONED if arm != "expert" else Path("expert")
                if arm != "expert" and not file.exists():
                    print(f"{test}, {name}: not taught yet", flush=True)
                    continue
                player = player_of(file, env)
                ends = [play(env, player, JUDGED_FROM + k) for k in range(JUDGED)]
                found[name] = [float(end["success"]) for end in ends]
                kept.write_text(json.dumps(found))
                print(f"{test}, {name}: {np.mean(found[name]):.2f}", flush=True)
        env.close()


def judged_file(out: Path, test: str) -> Path:
    """Where the ends of a test's episodes are kept."""
    return out / f"judged-{test.replace(' ', '-')}.json"


def plot(asked: argparse.Namespace) -> None:
    """The report, its table on the screen, and the picture."""
    rows = []
    for test in TESTS:
        found = json.loads(judged_file(asked.out, test).read_text())
        for arm in (*ARMS, "expert"):
            seeds = SEEDS if arm != "expert" else (0,)
            ends = np.array([found[f"{arm}/{seed}"] for seed in seeds])
            low, high = interval(ends)
            share = round(float(ends.mean()), 4)
            by_seed = [round(float(each.mean()), 4) for each in ends]
            rows.append(
                {
                    "test": test,
                    "arm": arm,
                    "success": share,
                    "interval": [low, high],
                    "by_seed": by_seed,
                }
            )
    report = {
        "episodes": EPISODES,
        "optimiser_steps": STEPS,
        "judged_episodes": JUDGED,
        "seeds": len(SEEDS),
        "rows": rows,
    }
    asked.json.write_text(json.dumps(report, indent=1) + "\n")
    print(table(rows))
    asked.png.write_bytes(encode_png(picture(rows)))
    asked.looks.write_bytes(encode_jpeg(looks(asked.out), quality=88))


SHOWN, SHOWN_STEP = 6, 12


def looks(out: Path) -> NDArray[np.uint8]:
    """What is seen in each arm, then in each test: as many episodes, some way into them."""
    rows = []
    makers = [(arm, partial(make, arm, out / "hart")) for arm in ARMS]
    makers += [(test, partial(make_test, test, out / "surfaces")) for test in TESTS[1:]]
    for name, maker in makers:
        env = maker()
        expert, random = expert_of(env), np.random.default_rng(0)
        for number in range(SHOWN):
            seen, _ = env.reset(seed=number)
            expert.begin()
            for _ in range(SHOWN_STEP):
                seen = env.step(expert.act())[0]
            if name == "augmented":
                seen = augmented(seen[None, None], random)[0, 0]
            rows.append(captioned(seen, name if number == 0 else ""))
        env.close()
    return contact_sheet(rows, columns=SHOWN)


def interval(ends: NDArray[np.float64], rounds: int = 4000) -> tuple[float, float]:
    """A 95 % interval of the mean of ends (seeds, episodes): both are drawn again at random."""
    random = np.random.default_rng(0)
    seeds, episodes = ends.shape
    means = [
        ends[random.integers(seeds, size=seeds)][:, random.integers(episodes, size=episodes)].mean()
        for _ in range(rounds)
    ]
    low, high = np.quantile(means, (0.025, 0.975))
    return round(float(low), 4), round(float(high), 4)


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: arms down, tests across."""
    lines = ["| trained on | " + " | ".join(TESTS) + " |", "|---|" + "---:|" * len(TESTS)]
    by = {(row["arm"], row["test"]): row for row in rows}
    for arm in (*ARMS, "expert"):
        cells = []
        for test in TESTS:
            row = by[arm, test]
            low, high = row["interval"]
            cells.append(f"{row['success']:.0%} ({low:.0%} to {high:.0%})")
        lines.append(f"| {arm} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


ROW_PX, PANEL_PX, NAMES_PX, TOP_PX = 34, 300, 190, 64
DOT = (214, 69, 65)


def picture(rows: Sequence[Mapping[str, Any]]) -> NDArray[np.uint8]:
    """A dot and its interval for every arm, a panel for every test."""
    arms = (*ARMS, "expert")
    canvas = Canvas(TOP_PX + ROW_PX * len(arms) + 44, NAMES_PX + PANEL_PX * len(TESTS) + 30)
    by = {(row["arm"], row["test"]): row for row in rows}
    bottom = TOP_PX + ROW_PX * len(arms)
    for number, arm in enumerate(arms):
        canvas.write((16, TOP_PX + ROW_PX * (number + 0.5)), arm)
    for column, test in enumerate(TESTS):
        left, width = NAMES_PX + PANEL_PX * column, PANEL_PX - 40
        canvas.write((left, 26), test, bold=True)
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            x = left + share * width
            canvas.line((x, TOP_PX), (x, bottom), GRID)
            canvas.write((x, bottom + 18), f"{share:.0%}", align=0.5)
        for number, arm in enumerate(arms):
            row, y = by[arm, test], TOP_PX + ROW_PX * (number + 0.5)
            low, high = (left + each * width for each in row["interval"])
            colour = INK if arm == "expert" else DOT
            canvas.line((low, y), (max(high, low + 1), y), colour, 3.0)
            canvas.disc((left + row["success"] * width, y), 7, PAPER)
            canvas.disc((left + row["success"] * width, y), 5.5, colour)
    return canvas.image()


if __name__ == "__main__":
    main()
