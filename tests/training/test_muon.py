import torch

from hartsim.training.muon import Muon, orthogonalised


def test_singular_values_come_near_one():
    matrices = torch.randn(3, 24, 40, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonalised(matrices))
    assert values.min() > 0.6
    assert values.max() < 1.3


def test_tall_matrices_are_turned_and_turned_back():
    matrix = torch.randn(1, 40, 24, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(orthogonalised(matrix), orthogonalised(matrix.mT).mT)


def test_joint_projections_are_orthogonal_part_by_part():
    weight = torch.nn.Parameter(torch.zeros(36, 12))
    weight.grad = torch.randn(36, 12, generator=torch.Generator().manual_seed(0))
    weight.grad[:12] *= 100  # one part's gradient must not drown the others
    Muon([weight], lr=1.0).step()
    norms = [float(part.detach().norm()) for part in weight.chunk(3)]
    assert max(norms) < 1.5 * min(norms)


def test_steps_go_downhill():
    goal = torch.randn(16, 16, generator=torch.Generator().manual_seed(0))
    weight = torch.nn.Parameter(torch.zeros(16, 16))
    optimizer = Muon([weight], lr=0.05, weight_decay=0.0)
    before = goal.square().mean()
    for _ in range(60):
        optimizer.zero_grad()
        (weight - goal).square().mean().backward()
        optimizer.step()
    assert (weight.detach() - goal).square().mean() < 0.3 * before
