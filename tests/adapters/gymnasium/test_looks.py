import numpy as np
import pytest

from hartsim.adapters.gymnasium.looks import Backdrop, View, Wearer, fitted, paste
from hartsim.adapters.gymnasium.masks import mask_source
from hartsim.dataset.bank import open_bank


def everything(env, image):
    return np.ones(image.shape[:2], np.bool_)


@pytest.fixture
def worn(bank):
    """Which picture is worn at each step of two episodes of four steps, by `every`."""

    def run(every, seed=5):
        wearer = Wearer(Backdrop(open_bank(bank), mask_source(f"{__name__}:everything")), every)
        numbers = []
        for begins_with in (seed, None):
            wearer.begin(begins_with)
            for _ in range(4):
                view = View(np.zeros((8, 8, 3), np.uint8))
                if wearer.is_due:
                    wearer.choose(view)
                wearer.worn.show(view)
                assert view.image[0, 0, 0] == wearer.worn.told["backdrop"]
                numbers.append(wearer.worn.told["backdrop"])
                wearer.advance()
        return numbers

    return run


def test_a_look_of_an_episode_lasts_for_it_and_no_longer(worn):
    numbers = worn("episode")
    assert [len(set(numbers[:4])), len(set(numbers[4:]))] == [1, 1]
    assert numbers[0] != numbers[4]


def test_a_look_of_k_steps_lasts_k_steps(worn):
    numbers = worn(2)
    assert numbers[0::2] == numbers[1::2]
    assert len(set(numbers)) > 2


def test_a_look_that_is_held_lasts_until_another_seed(worn):
    assert len(set(worn("never"))) == 1
    assert {number for seed in range(9) for number in worn("never", seed)} != set(worn("never"))


def test_the_same_seed_gives_the_same_looks(worn):
    assert worn(1, seed=7) == worn(1, seed=7) != worn(1, seed=8)


@pytest.mark.parametrize("every", [0, -1, 1.5, True, "step", None])
def test_what_is_no_rhythm_is_refused(worn, every):
    with pytest.raises(ValueError, match="must be 'episode', 'never' or a number of steps from 1"):
        worn(every)


def test_pasting_changes_the_mask_and_nothing_else():
    rng = np.random.default_rng(0)
    image, picture = rng.integers(0, 255, (2, 9, 7, 3), np.uint8)
    mask = rng.random((9, 7)) < 0.5
    expected = np.where(mask[..., None], picture, image)
    paste(image, picture, mask)
    assert (image == expected).all()


def test_a_feather_leaves_what_is_outside_the_mask_bit_for_bit(bank):
    look = Backdrop(open_bank(bank), mask_source("labels:sky"), feather_px=4)
    labels = np.full((16, 16), 5, np.uint8)
    labels[8:] = 0
    view = View(np.full((16, 16, 3), 200, np.uint8), labels)
    wearer = Wearer(look, "episode")
    wearer.begin(1)
    wearer.choose(view)
    wearer.worn.show(view)
    assert (view.image[8:] == 200).all()
    assert 200 > view.image[7, 3, 0] > view.image[4, 3, 0] == view.image[0, 3, 0]


@pytest.mark.parametrize("size_px", [(10, 10), (10, 30), (60, 20)])
def test_a_picture_is_cut_in_the_middle_and_not_stretched(size_px):
    wheel = np.zeros((40, 80, 3), np.uint8)
    wheel[18:22, 38:42] = 255
    fit = fitted(wheel, size_px)
    assert fit.shape == (*size_px, 3)
    rows, columns = np.nonzero(fit[..., 0] > 60)
    assert abs(np.ptp(rows) - np.ptp(columns)) <= 1
    assert abs(rows.mean() - (size_px[0] - 1) / 2) <= 0.5
    assert abs(columns.mean() - (size_px[1] - 1) / 2) <= 0.5
