import numpy as np
import pytest

from hartsim.training.features import frechet_distance, kernel_distance


@pytest.fixture
def features():
    return np.random.default_rng(0).normal(size=(400, 6))


def test_equal_sets_are_at_no_distance(features):
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-6)


def test_the_frechet_distance_of_a_shift_is_its_square(features):
    assert frechet_distance(features, features + 2) == pytest.approx(4 * 6, rel=1e-6)


def test_the_kernel_distance_orders_sets(features):
    rng = np.random.default_rng(1)
    near, far = features + 0.2, features + 1.5
    same = rng.normal(size=features.shape)
    distances = [kernel_distance(features, other) for other in (same, near, far)]
    assert distances == sorted(distances)
    assert abs(distances[0]) < 0.02
