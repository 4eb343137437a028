"""Training on two processes, as torchrun starts them."""

import subprocess
import sys
import textwrap

import pytest
import torch

from hartsim.training.parallel import Ranks

SCRIPT = """
import sys
from pathlib import Path

import torch

from hartsim.config import TransformerTraining
from hartsim.hart.config import hart_config
from hartsim.hart.model import new_hart
from hartsim.training.corpus import read_corpus
from hartsim.training.parallel import join_ranks
from hartsim.training.run import Budget
from hartsim.training.transformer import make_lessons, new_painter, train_transformer

torch.set_num_threads(1)
root, config, ranks = Path(sys.argv[1]), hart_config("tiny"), join_ranks()
tokenizer, text = new_hart(config, seed=0).tokenizer, new_painter(config, 0).text
corpus = read_corpus(root / "corpus")
lessons = make_lessons(corpus, tokenizer, text, config, root / f"latents-{ranks.rank}.pt")
how = TransformerTraining(batch=3, warm_up_steps=1)
painter = train_transformer(
    lessons, None, tokenizer, config, root / "run", Budget(steps=4), how, ranks=ranks
)
torch.save(painter.state_dict(), root / f"rank-{ranks.rank}.pt")
"""


@pytest.mark.slow
def test_two_processes_end_with_the_same_weights(tmp_path):
    from tests.training.fakes import fake_corpus

    fake_corpus(tmp_path / "corpus", count=12, side=32)
    (tmp_path / "train.py").write_text(textwrap.dedent(SCRIPT))
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command = [*torchrun, "--nproc-per-node=2", str(tmp_path / "train.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    first, second = (torch.load(tmp_path / f"rank-{rank}.pt") for rank in (0, 1))
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert len((tmp_path / "run" / "transformer.csv").read_text().splitlines()) == 2


def test_each_rank_draws_its_own_numbers():
    drawn = {
        tuple(torch.rand(3, generator=Ranks(rank, 2).seed(seed, step)).tolist())
        for rank in range(2)
        for seed in range(2)
        for step in range(2)
    }
    assert len(drawn) == 8


def test_alone_there_is_nothing_to_agree_on():
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.grad = torch.tensor([1.0, 3.0])
    Ranks().average_gradients([parameter])
    assert parameter.grad.tolist() == [1, 3]
    assert Ranks().agreed(0.25) == 0.25
