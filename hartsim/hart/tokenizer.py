"""The hybrid tokenizer: images to codes and a continuous remainder, and back.

The autoencoder is the one of VQGAN (arXiv 2012.09841) as used by VAR and HART (arXiv 2410.10812).
Images are float (B, 3, H, W) in [-1, 1] here; `from_pixels` and `to_pixels` convert.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from hartsim.hart.config import TokenizerConfig
from hartsim.hart.quantizer import MultiScaleQuantizer, Quantized

NORM_EPS = 1e-6


class ResidualBlock(nn.Module):
    """Two normalised 3x3 convolutions beside a shortcut."""

    def __init__(self, channels_in: int, channels_out: int, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, channels_in, NORM_EPS)
        self.conv1 = nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1)
        self.norm2 = nn.GroupNorm(groups, channels_out, NORM_EPS)
        self.conv2 = nn.Conv2d(channels_out, channels_out, kernel_size=3, padding=1)
        if channels_in != channels_out:
            self.nin_shortcut = nn.Conv2d(channels_in, channels_out, kernel_size=1)
        self.same_width = channels_in == channels_out

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C in, H, W) to (B, C out, H, W)."""
        h = self.conv1(functional.silu(self.norm1(x)))
        h = self.conv2(functional.silu(self.norm2(h)))
        out: Tensor = h + (x if self.same_width else self.nin_shortcut(x))
        return out


class AttentionBlock(nn.Module):
    """Single-head self-attention between all pixels."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels, NORM_EPS)
        self.qkv = nn.Conv2d(channels, 3 * channels, kernel_size=1)
        self.proj_out = nn.Conv2d(channels, channels, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        q, k, v = self.qkv(self.norm(x)).flatten(2).mT[:, None].chunk(3, dim=-1)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        out: Tensor = x + self.proj_out(mixed[:, 0].mT.reshape(x.shape))
        return out


class Middle(nn.Module):
    """Two residual blocks at the lowest resolution, with attention between them."""

    def __init__(self, channels: int, config: TokenizerConfig) -> None:
        super().__init__()
        self.block_1 = ResidualBlock(channels, channels, config.norm_groups)
        if config.attention:
            self.attn_1 = AttentionBlock(channels, config.norm_groups)
        self.block_2 = ResidualBlock(channels, channels, config.norm_groups)
        self.attention = config.attention

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        x = self.block_1(x)
        if self.attention:
            x = self.attn_1(x)
        out: Tensor = self.block_2(x)
        return out


class Downsample(nn.Module):
    """Halve the resolution with a strided convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, kernel_size=3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C, H/2, W/2); the padding is on the right and bottom only."""
        out: Tensor = self.conv(functional.pad(x, (0, 1, 0, 1)))
        return out


class Upsample(nn.Module):
    """Double the resolution by nearest neighbour and a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, kernel_size=3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C, 2H, 2W)."""
        out: Tensor = self.conv(functional.interpolate(x, scale_factor=2.0, mode="nearest"))
        return out


class Level(nn.Module):
    """The blocks of one resolution, and the resampling after them, if any."""

    def __init__(
        self, channels_in: int, channels_out: int, blocks: int, attention: bool, groups: int
    ) -> None:
        super().__init__()
        widths = [channels_in] + [channels_out] * (blocks - 1)
        self.block = nn.ModuleList(ResidualBlock(w, channels_out, groups) for w in widths)
        self.attn = nn.ModuleList(
            AttentionBlock(channels_out, groups) for _ in range(blocks if attention else 0)
        )
        self.downsample: nn.Module | None = None
        self.upsample: nn.Module | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C in, H, W) to (B, C out, H', W')."""
        for i, block in enumerate(self.block):
            x = block(x)
            if self.attn:
                x = self.attn[i](x)
        for resample in (self.downsample, self.upsample):
            if resample is not None:
                x = resample(x)
        return x


class Encoder(nn.Module):
    """Images (B, 3, H, W) to latents (B, z_channels, H / f, W / f)."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        widths = [config.ch * mult for mult in config.ch_mult]
        lowest = len(widths) - 1
        self.stem_patch, self.enlargement = config.stem_patch, config.enlargement
        self.conv_in = nn.Conv2d(3 * config.stem_patch**2, config.ch, kernel_size=3, padding=1)
        self.down = nn.ModuleList()
        for i, (before, width) in enumerate(zip([config.ch, *widths], widths, strict=False)):
            attention = config.attention and i == lowest
            level = Level(before, width, config.encoder_blocks, attention, config.norm_groups)
            if i < lowest:
                level.downsample = Downsample(width)
            self.down.append(level)
        self.mid = Middle(widths[-1], config)
        self.norm_out = nn.GroupNorm(config.norm_groups, widths[-1], NORM_EPS)
        self.conv_out = nn.Conv2d(widths[-1], config.z_channels, kernel_size=3, padding=1)
        self.shortcut: nn.Module | None = None
        if config.linear_shortcut:
            block = config.encoded_cell_px
            self.shortcut = nn.Conv2d(3, config.z_channels, kernel_size=block, stride=block)

    def forward(self, image: Tensor) -> Tensor:
        """Encode."""
        if self.enlargement > 1:
            image = functional.avg_pool2d(image, self.enlargement)
        x = self.conv_in(functional.pixel_unshuffle(image, self.stem_patch))
        for level in self.down:
            x = level(x)
        out: Tensor = self.conv_out(functional.silu(self.norm_out(self.mid(x))))
        return out if self.shortcut is None else out + self.shortcut(image)


class Decoder(nn.Module):
    """Latents (B, z_channels, h, w) to images (B, 3, f h, f w)."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        widths = [(config.decoder_ch or config.ch) * mult for mult in config.ch_mult]
        lowest = len(widths) - 1
        self.stem_patch = config.stem_patch
        self.conv_in = nn.Conv2d(config.z_channels, widths[-1], kernel_size=3, padding=1)
        self.mid = Middle(widths[-1], config)
        self.up = nn.ModuleList()
        for i, (before, width) in enumerate(zip([*widths[1:], widths[-1]], widths, strict=True)):
            attention = config.attention and i == lowest
            level = Level(before, width, config.decoder_blocks, attention, config.norm_groups)
            if i > 0:
                level.upsample = Upsample(width)
            self.up.append(level)
        self.norm_out = nn.GroupNorm(config.norm_groups, widths[0], NORM_EPS)
        self.conv_out = nn.Conv2d(widths[0], 3 * config.stem_patch**2, kernel_size=3, padding=1)
        self.shortcut: nn.Module | None = None
        if config.linear_shortcut:
            self.shortcut = LinearPixels(config)
        self.finer = nn.ModuleList(
            FinerLevel(widths[0], config) for _ in range(config.finer_levels)
        )

    def forward(self, latent: Tensor) -> Tensor:
        """Decode, without clamping."""
        x = self.mid(self.conv_in(latent))
        for level in reversed(self.up):
            x = level(x)
        pixels = self.conv_out(functional.silu(self.norm_out(x)))
        image = functional.pixel_shuffle(pixels, self.stem_patch)
        if self.shortcut is not None:
            image = image + self.shortcut(latent)
        for level in self.finer:
            x, image = level(x, image)
        return image


class FinerLevel(nn.Module):
    """Twice the side: the picture enlarged bilinearly, and the detail that is missing then.

    As initialised it adds none, so that a decoder which is given such a level draws as before.
    """

    def __init__(self, width: int, config: TokenizerConfig) -> None:
        super().__init__()
        self.stem_patch = config.stem_patch
        self.upsample = Upsample(width)
        self.block = nn.ModuleList(
            ResidualBlock(width, width, config.norm_groups) for _ in range(config.decoder_blocks)
        )
        self.norm_out = nn.GroupNorm(config.norm_groups, width, NORM_EPS)
        self.conv_out = nn.Conv2d(width, 3 * config.stem_patch**2, kernel_size=3, padding=1)
        self.smooth = nn.Conv2d(3, 3, 3, padding=1, groups=3, bias=False, padding_mode="replicate")
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(self.conv_out.bias)  # type: ignore[arg-type]
        # After nearest neighbours, these weights make a bilinear picture.
        row = (0.25, 0.5, 0.25)
        # No arithmetic of tensors: on the meta device it imports PyTorch's compiler, for a second.
        self.smooth.weight.data.copy_(torch.tensor([[one * other for one in row] for other in row]))

    def forward(self, x: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        """Map features (B, C, h, w) and their picture (B, 3, H, W) to twice their sides."""
        x = self.upsample(x)
        for block in self.block:
            x = block(x)
        detail = self.conv_out(functional.silu(self.norm_out(x)))
        coarse = self.smooth(functional.interpolate(image, scale_factor=2.0, mode="nearest"))
        return x, coarse + functional.pixel_shuffle(detail, self.stem_patch)


class LinearPixels(nn.Sequential):
    """The block of pixels of every cell as a linear map of the cell and its neighbours."""

    def __init__(self, config: TokenizerConfig) -> None:
        block = config.encoded_cell_px
        conv = nn.Conv2d(config.z_channels, 3 * block**2, kernel_size=3, padding=1)
        super().__init__(conv, nn.PixelShuffle(block))


class Autoencoder(nn.Module):
    """The networks on either side of the quantizer, and the quantizer."""

    def __init__(self, config: TokenizerConfig, patch_nums: Sequence[int]) -> None:
        super().__init__()
        z = config.z_channels
        self.encoder = Encoder(config)
        self.quant_conv = nn.Conv2d(z, z, kernel_size=3, padding=1)
        self.quantize = MultiScaleQuantizer(config, patch_nums)
        self.post_quant_conv = nn.Conv2d(z, z, kernel_size=3, padding=1)
        self.decoder = Decoder(config)


class Tokenizer(nn.Module):
    """The hybrid tokenizer, for images up to `patch_nums[-1] * config.downsampling` pixels wide."""

    def __init__(self, config: TokenizerConfig, patch_nums: Sequence[int] | None = None) -> None:
        super().__init__()
        self.config = config
        self.vae = Autoencoder(config, patch_nums or config.v_patch_nums)

    @property
    def quantizer(self) -> MultiScaleQuantizer:
        """The codebook and its arithmetic."""
        return self.vae.quantize

    def latent(self, image: Tensor) -> Tensor:
        """The continuous latent (B, C, h, w) of images (B, 3, H, W) in [-1, 1].

        ValueError for sizes that are no multiple of `config.downsampling`, or too large.
        """
        cell, longest = self.config.downsampling, self.quantizer.patch_nums[-1]
        fits = all(side % cell == 0 and 0 < side <= longest * cell for side in image.shape[2:])
        if image.shape[1] != 3 or not fits:
            raise ValueError(
                f"image is {tuple(image.shape[1:])}, must be (3, H, W) with sides that are "
                f"multiples of {cell} up to {longest * cell}"
            )
        latent: Tensor = self.vae.quant_conv(self.vae.encoder(image))
        return latent

    def encode(self, image: Tensor) -> Quantized:
        """Codes per scale, and the continuous remainder, of images in [-1, 1]."""
        return self.quantizer.encode(self.latent(image))

    def decode(self, latent: Tensor) -> Tensor:
        """Images (B, 3, H, W), not clamped, of a continuous or discrete latent (B, C, h, w)."""
        cells = latent.to(self.vae.post_quant_conv.weight.dtype)
        image: Tensor = self.vae.decoder(self.vae.post_quant_conv(cells))
        return image.float()

    def decode_wrapped(self, latent: Tensor) -> Tensor:
        """As `decode`, on a torus: opposite edges of the images continue each other."""
        with _circular(self.vae.post_quant_conv, self.vae.decoder):
            return self.decode(latent)


@contextmanager
def _circular(*parts: nn.Module) -> Iterator[None]:
    """Let the convolutions of `parts` see the opposite edge instead of zeros."""
    convs = [m for part in parts for m in part.modules() if isinstance(m, nn.Conv2d)]
    modes = [conv.padding_mode for conv in convs]
    for conv in convs:
        conv.padding_mode = "circular"
    try:
        yield
    finally:
        for conv, mode in zip(convs, modes, strict=True):
            conv.padding_mode = mode


def from_pixels(pixels: Tensor) -> Tensor:
    """Float images (B, 3, H, W) in [-1, 1] of uint8 RGB (B, H, W, 3)."""
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1


def to_pixels(image: Tensor) -> Tensor:
    """Truncated, as the reference does: uint8 RGB (B, H, W, 3) of (B, 3, H, W) in [-1, 1]."""
    unit = (image.clamp(-1, 1) + 1) / 2
    return (unit * 255).to(torch.uint8).permute(0, 2, 3, 1)
