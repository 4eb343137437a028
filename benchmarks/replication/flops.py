"""What one picture of each model costs, in the conventions of `hartsim.bench.flops`."""

from dataclasses import replace

from benchmarks.replication.flow import Solver, evaluation_times
from benchmarks.replication.models import Plan
from hartsim.bench.flops import FLOP_PER_MAC, SINUSOIDS, drawing_cost


def flops_of_picture(plan: Plan, steps: int, guided: bool, solver: Solver = "euler") -> int:
    """From prompt to pixels; `steps` are those of the residual head, or evaluations of a DiT."""
    macs = _dit_macs(plan, steps, guided, solver) if plan.kind == "dit" else 0
    config = replace(plan.config, residual_steps=max(steps, 2))
    for cost in drawing_cost(config, guided=guided):
        if plan.kind == "dit" and cost.stage not in ("text", "decode"):
            continue
        macs += sum(
            count
            for part, count in cost.macs.items()
            if not (part == "residual" and (plan.kind == "var" or steps == 0))
        )
    return FLOP_PER_MAC * macs


def _dit_macs(plan: Plan, evaluations: int, guided: bool, solver: Solver) -> int:
    """Reading the text, embedding the times, and all evaluations of the transformer."""
    c, z = plan.config.transformer, plan.config.tokenizer.z_channels
    width, tokens = c.embed_dim, (c.patch_nums[-1] // plan.patch) ** 2
    rows = 1 + guided
    pairs_of_text = c.context_dim * 2 * width
    read = c.depth * (c.context_token * pairs_of_text + guided * (pairs_of_text + width**2))
    times = len(evaluation_times(evaluations, solver)) * (SINUSOIDS * width + 10 * width**2)
    block = rows * tokens * (4 * width**2 + 3 * width * c.mlp_hidden)
    block += 2 * rows * tokens**2 * width
    # Null rows need no attention to the text: among equal tokens it is one vector for all.
    block += tokens * 2 * width**2 + 2 * tokens * c.context_token * width
    ends = 2 * rows * tokens * z * plan.patch**2 * width
    return read + times + evaluations * (c.depth * block + ends)
