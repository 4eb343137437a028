"""A model made ready to generate: weights in the form and precision that its device is fastest at.

Linear layers are replaced by ones that cannot be trained or saved. On a CPU their weights are put
into the blocked order of oneDNN once, instead of at every call, or are quantised to int8; on CUDA
they are halved to bfloat16 or float16, or quantised to FP8. Latents, scores, draws and the state
of the diffusion stay float32 everywhere.
"""

import platform
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from hartsim.errors import ConfigError
from hartsim.hart.layers import Attention, SinusoidEmbedding, SwiGLU
from hartsim.hart.mapping import release
from hartsim.hart.model import Hart
from hartsim.hart.text import Qwen2TextEncoder

PRECISIONS = {"cpu": ("fp32", "int8", "bf16"), "cuda": ("bf16", "fp16", "fp8", "fp32")}
"""What each kind of device can do; the first is its default."""

DTYPES = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
    "fp8": torch.bfloat16,
    "int8": torch.float32,
}
"""What the layers are in that are not quantised."""

TINY = 1e-12
"""The least that a scale is made from: zeros stay zeros."""

FP8_MOST = 448.0
"""The largest number of the format e4m3."""

Maker = Callable[[Tensor, Tensor | None], nn.Module]
"""From a weight (C out, C in) and a bias to a layer that maps (..., C in) to (..., C out)."""


def prepare(hart: Hart, precision: str | None = None) -> Hart:
    """The model, ready to generate on the device where it is; the one given is used up.

    Without a `precision` it takes the device's default; ConfigError for one it does not have.
    """
    kind = hart.device.type
    precision = precision or PRECISIONS[kind][0]
    if precision not in PRECISIONS[kind]:
        legal = ", ".join(PRECISIONS[kind])
        raise ConfigError(f"render.precision is '{precision}'; on {kind} there is {legal}")
    if reason := _why_not(precision, hart.device):
        raise ConfigError(f"render.precision is '{precision}', but {reason}")
    ready = replace(hart, precision=precision)
    ready.__dict__["weights_hash"] = hart.weights_hash
    transformer, vae = hart.transformer, hart.tokenizer.vae
    for part in (vae.post_quant_conv, vae.decoder):
        plain = [parameter.data for parameter in part.parameters()]
        part.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        release(plain)
    if kind == "cuda":
        for half in (transformer, vae.post_quant_conv, vae.decoder):
            half.to(DTYPES[precision])
        if isinstance(hart.text, Qwen2TextEncoder):
            hart.text.dtype = DTYPES[precision]
    else:  # the heads decide the picture and cost little: they stay as they are even in int8
        _replace_linears(transformer.head_nm, _packer(precision))
        _replace_linears(transformer.diffloss, _packer(precision))
        head = _packer(precision)(transformer.head.weight, transformer.head.bias)
        setattr(transformer, "head", head)  # noqa: B010 — typed as the layer that is trained
    makers: dict[str, Maker] = {"int8": Int8Linear, "fp8": Float8Linear}
    usual = _whole_linear if kind == "cuda" else _packer(precision)
    for block in transformer.blocks:
        _replace_linears(block, makers.get(precision, usual))
    return ready


def _why_not(precision: str, device: torch.device) -> str:
    """What a device lacks for a precision of its kind; empty if nothing."""
    if device.type == "cuda":
        lacks = precision == "fp8" and torch.cuda.get_device_capability(device) < (8, 9)
        return "this device has no FP8, which begins with compute capability 8.9" if lacks else ""
    here = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if precision != "fp32" and not here:
        return "this PyTorch was built without oneDNN; fp32 is left"
    if precision == "bf16" and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return "this CPU multiplies no bfloat16, which needs AVX-512; fp32 and int8 are left"
    if precision == "int8" and platform.machine() not in ("x86_64", "AMD64"):
        return f"int8 is for x86 CPUs, and this is {platform.machine()}; fp32 and bf16 are left"
    return ""


def _replace_linears(parent: nn.Module, make: Maker) -> None:
    """Replace the linear layers below a module one by one: no two copies of the model at a time.

    Those that embed a number are left alone: they run once in a picture.
    """
    for name, child in list(parent.named_children()):
        if isinstance(child, nn.Linear):
            bias = child.bias
            if isinstance(parent, Attention) and name == "qkv_proj":
                bias = nn.Parameter(parent.qkv_bias)
            layer = make(child.weight.detach(), None if bias is None else bias.detach())
            setattr(parent, name, layer)
            release([child.weight])
        elif not isinstance(child, SinusoidEmbedding):
            _replace_linears(child, make)
            if isinstance(child, SwiGLU) and isinstance(child.gate_proj, PackedLinear):
                setattr(parent, name, PackedSwiGLU(child))


def _packer(precision: str) -> Maker:
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return _whole_linear
    return lambda weight, bias: PackedLinear(weight, bias, DTYPES[precision])


def _whole_linear(weight: Tensor, bias: Tensor | None) -> nn.Module:
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias is not None, device="meta")
    layer.load_state_dict(
        {"weight": weight} | ({} if bias is None else {"bias": bias}), assign=True
    )
    return layer


class PackedLinear(nn.Module):
    """A linear layer whose weight lies as oneDNN reads it."""

    def __init__(self, weight: Tensor, bias: Tensor | None, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight.to(dtype), None)
        self.bias = None if bias is None else bias.to(dtype)

    def forward(self, x: Tensor, then: str = "none") -> Tensor:
        """Map float32 to float32, and through what follows: "swish", or nothing."""
        run = torch.ops.mkldnn._linear_pointwise
        out: Tensor = run(x.to(self.dtype), self.weight, self.bias, then, [], "")
        return out.float()

    def times(self, x: Tensor, factor: Tensor) -> Tensor:
        """Map x and multiply by `factor` (..., C out)."""
        run = torch.ops.mkldnn._linear_pointwise.binary
        out: Tensor = run(x.to(self.dtype), factor.to(self.dtype), self.weight, self.bias, "mul")
        return out.float()


class PackedSwiGLU(nn.Module):
    """A `SwiGLU` of packed layers, its elementwise steps done where the products are."""

    def __init__(self, plain: SwiGLU) -> None:
        super().__init__()
        self.gate_proj, self.up_proj, self.down_proj = plain.children()

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., C) to (..., C)."""
        gate = self.gate_proj(x, "swish")
        out: Tensor = self.down_proj(self.up_proj.times(x, gate))  # type: ignore[operator]
        return out


class Int8Linear(nn.Module):
    """A linear layer with weights and inputs in int8, scaled by row; CPUs of the x86 kind.

    A row's scale follows from itself alone, so samples do not change with their company.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.scale = weight.abs().amax(dim=1).clamp(min=TINY) / 127
        whole = (weight / self.scale[:, None]).round_().to(torch.int8)
        self.weight = torch.ops.onednn.qlinear_prepack(whole, None)
        self.zero = torch.zeros(len(weight), dtype=torch.int32)
        self.bias = bias

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., C in) to (..., C out), float32 both."""
        # Without VNNI, pairs of products are summed in 16 bits: inputs of eight would overflow.
        most = 127 if torch.cpu._is_vnni_supported() else 63
        scale = x.abs().amax(dim=-1, keepdim=True).clamp_(min=TINY).div_(most)
        whole = (x / scale).round_().add_(most + 1).to(torch.uint8)
        out: Tensor = torch.ops.onednn.qlinear_pointwise(
            *(whole, 1.0, most + 1, self.weight, self.scale, self.zero),
            *(None, 1.0, 0, torch.float32, "none", [], ""),
        )
        out = out.mul_(scale)
        return out if self.bias is None else out.add_(self.bias)


class Float8Linear(nn.Module):
    """A linear layer with weights and inputs in FP8 (e4m3), scaled by row; CUDA from 8.9 on."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.weight, self.scale = _to_float8(weight)
        self.bias = None if bias is None else bias.to(torch.bfloat16)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., C in) to (..., C out), bfloat16 both."""
        rows, scale = _to_float8(x.flatten(0, -2))
        out: Tensor = torch._scaled_mm(
            rows,
            self.weight.T,
            scale_a=scale,
            scale_b=self.scale.T,
            bias=self.bias,
            out_dtype=torch.bfloat16,
            use_fast_accum=True,
        )
        return out.view(*x.shape[:-1], -1)


def _to_float8(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Rows (N, C) in FP8, and what to multiply each with, float32 (N, 1)."""
    scale = rows.abs().amax(dim=1, keepdim=True).float().clamp(min=TINY) / FP8_MOST
    return (rows / scale).to(torch.float8_e4m3fn), scale
