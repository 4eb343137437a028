"""How near drawn and reconstructed pictures come to true ones, in features and in pixels.

Features are those of EfficientNet-Lite0, and the figures are called after it: they are not
comparable with distances in other networks' features.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from hartsim.bench.quality.figures import (
    Findings,
    LeftOut,
    Row,
    groups_of,
    half_samples,
    mean_figure,
    require_enough,
)

Features = NDArray[np.float32]
LEAST = 40
"""Fewer pictures than this have no distance worth a line."""
SSIM_SIDE, SSIM_SIGMA = 11, 1.5


def distances(
    real: Features,
    sets: Mapping[str, Features],
    others: Mapping[str, Features],
    looks: Sequence[str],
    seed: int = 0,
) -> Findings:
    """Frechet and kernel distances of sets of pictures to the real ones, overall and by look.

    The pictures of `sets` belong one to one to the `real` ones; those of `others` are on their own,
    such as other real ones, and are compared as a whole.
    """
    require_enough(len(real), LEAST, "held-out pictures to compare with")
    rows, left_out = [], []
    for group, places in groups_of(looks, LEAST).items():
        for of, features in sets.items():
            rows += _distances(real[places], features[places], of, group, seed)
    for of, features in others.items():
        if len(features) < LEAST:
            left_out.append(f"{of}: {len(features)} pictures, at least {LEAST} are needed")
            continue
        count = min(len(real), len(features))
        rows += _distances(real[:count], features[:count], of, "all", seed)
    return Findings("distances", tuple(rows), tuple(left_out))


def _distances(real: Features, made: Features, of: str, group: str, seed: int) -> list[Row]:
    a, b = real.astype(np.float64), made.astype(np.float64)
    kernels = cubic_kernel(a, a), cubic_kernel(b, b), cubic_kernel(a, b)

    def kid(picks: NDArray[np.intp]) -> float:
        return kernel_distance(*(kernel[np.ix_(picks, picks)] for kernel in kernels))

    def frechet(picks: NDArray[np.intp]) -> float:
        return frechet_distance(a[picks], b[picks])

    found = {"frechet_efflite0": frechet, "kid_efflite0": kid}
    return [
        Row.put(name, of, group, half_samples(statistic, len(a), seed))
        for name, statistic in found.items()
    ]


def frechet_distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Frechet distance between Gaussians fitted to features (N, D) and (M, D).

    The trace of the root of the covariances' product is the sum of the singular values of the
    (N, M) products of centred features, which is small where pictures are few. With fewer pictures
    than features it is biased upwards: compare only at equal N.
    """
    centred = [(x - x.mean(axis=0)) / np.sqrt(len(x) - 1) for x in (a, b)]
    shared = np.linalg.svd(centred[0] @ centred[1].T, compute_uv=False).sum()
    spread = sum(float(np.square(x).sum()) for x in centred)
    return float(np.square(a.mean(axis=0) - b.mean(axis=0)).sum() + spread - 2 * shared)


def cubic_kernel(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """The kernel of KID (arXiv 1801.01401) between features (N, D) and (M, D)."""
    kernel: NDArray[np.float64] = (a @ b.T / a.shape[1] + 1) ** 3
    return kernel


def kernel_distance(
    aa: NDArray[np.float64], bb: NDArray[np.float64], ab: NDArray[np.float64]
) -> float:
    """Unbiased squared maximum mean discrepancy from the kernels within and between two sets."""
    within = [(x.sum() - np.trace(x)) / (len(x) * (len(x) - 1)) for x in (aa, bb)]
    return float(sum(within) - 2 * ab.mean())


def reconstruction(
    real: NDArray[np.uint8], sets: Mapping[str, NDArray[np.uint8]], looks: Sequence[str]
) -> list[Row]:
    """PSNR in dB and SSIM of reconstructions (N, H, W, 3), overall and by look."""
    rows = []
    for of, made in sets.items():
        values = {"psnr_db": psnr(real, made), "ssim": ssim(real, made)}
        for group, places in groups_of(looks, LEAST).items():
            rows += [Row.put(n, of, group, mean_figure(v[places])) for n, v in values.items()]
    if not rows:
        raise LeftOut("nothing was reconstructed")
    return rows


def psnr(real: NDArray[np.uint8], made: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Peak signal-to-noise ratio of each picture, in dB, at most 100."""
    gaps = [np.square(a.astype(np.float64) - b).mean() for a, b in zip(real, made, strict=True)]
    return 10 * np.log10(255**2 / np.maximum(gaps, 255**2 * 1e-10))


def ssim(real: NDArray[np.uint8], made: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Structural similarity of each picture's luma, with a Gaussian window of 11 pixels.

    Source: Wang et al., 2004, "Image quality assessment: from error visibility to structural
    similarity".
    """
    found = [_ssim(_luma(a), _luma(b)) for a, b in zip(real, made, strict=True)]
    return np.array(found, np.float64)


def _luma(image: NDArray[np.uint8]) -> Tensor:
    weights = torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64)
    return (torch.from_numpy(image.astype(np.float64)) @ weights)[None, None]


def _ssim(a: Tensor, b: Tensor) -> float:
    steps = torch.arange(SSIM_SIDE, dtype=torch.float64) - SSIM_SIDE // 2
    window = torch.exp(-(steps**2) / (2 * SSIM_SIGMA**2))
    window = window / window.sum()

    def smooth(x: Tensor) -> Tensor:
        x = functional.conv2d(x, window.view(1, 1, -1, 1))
        return functional.conv2d(x, window.view(1, 1, 1, -1))

    mean_a, mean_b = smooth(a), smooth(b)
    var_a, var_b = smooth(a * a) - mean_a**2, smooth(b * b) - mean_b**2
    shared = smooth(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    above = (2 * mean_a * mean_b + c1) * (2 * shared + c2)
    return float((above / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))).mean())
