"""Training of the hybrid tokenizer in three phases, each resumable.

1. `continuous`: the autoencoder alone, its latents slightly noisy so that the decoder forgives
   what the transformer will get wrong.
2. `codebook`: with the encoder frozen, the codes and the smoothing convolutions, in latent space.
3. `alternating`: the decoder on discrete and on continuous latents by turns (HART, arXiv
   2410.10812, section 3.1: half of the steps each).
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hartsim.hart.config import HartConfig
from hartsim.hart.quantizer import codebook_loss
from hartsim.hart.tokenizer import Tokenizer, from_pixels, to_pixels
from hartsim.images import contact_sheet, encode_png
from hartsim.training.corpus import Corpus
from hartsim.training.features import PhotographFeatures, perceptual_loss
from hartsim.training.run import Run

logger = logging.getLogger(__name__)

BATCH = 16
LATENT_NOISE = 0.1
LATENT_PENALTY = 1e-4
PERCEPTUAL_WEIGHT = 0.3
RESIDUAL_STD = 0.24
"""The residual head clips at 0.6 (hart.diffusion): two and a half deviations fit."""
SHARES = {"continuous": 0.6, "codebook": 0.12, "alternating": 0.28}
"""How the minutes are divided among the phases."""


def train_tokenizer(
    corpus: Corpus, held_out: Corpus, config: HartConfig, folder: Path, minutes: float
) -> Tokenizer:
    """Train, or go on training, a tokenizer in `folder`; `alternating.pt` there is the result."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        tokenizer = Tokenizer(config.tokenizer, config.transformer.patch_nums)
    tokenizer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    features = PhotographFeatures()
    phases = {name: Run(folder, name, minutes * share) for name, share in SHARES.items()}
    _train_continuous(tokenizer, features, corpus, phases["continuous"])
    save_reconstructions(tokenizer, held_out, folder / "continuous.png")
    _train_codebook(tokenizer, corpus, phases["codebook"])
    save_reconstructions(tokenizer, held_out, folder / "codebook.png")
    _train_alternating(tokenizer, features, corpus, phases["alternating"])
    save_reconstructions(tokenizer, held_out, folder / "alternating.png")
    return tokenizer


def _train_continuous(
    tokenizer: Tokenizer, features: PhotographFeatures, corpus: Corpus, run: Run
) -> None:
    if tokenizer.config.linear_shortcut:
        start_from_principal_components(tokenizer, next(_pictures(corpus, batch=256, seed=0)))
    optimizer = torch.optim.AdamW(tokenizer.parameters(), betas=(0.9, 0.99), weight_decay=0.01)
    _resume(run, tokenizer, optimizer)
    batches = _pictures(corpus, batch=BATCH, seed=run.step)
    generator = torch.Generator().manual_seed(run.step)
    while run.progress < 1:
        image = next(batches)
        latent = tokenizer.vae.quant_conv(tokenizer.vae.encoder(image))
        noisy = latent + LATENT_NOISE * torch.randn(latent.shape, generator=generator)
        pixels, seen = _errors(features, tokenizer.decode(noisy), image)
        loss = pixels + PERCEPTUAL_WEIGHT * seen + LATENT_PENALTY * latent.square().mean()
        _descend(loss, tokenizer, optimizer, run.learning_rate(6e-4))
        run.log(l1=pixels, perceptual=seen, latent_std=latent.detach().std())
        _advance(run, tokenizer, optimizer)
    run.save(model=tokenizer.state_dict(), optimizer=optimizer.state_dict())


def _train_codebook(tokenizer: Tokenizer, corpus: Corpus, run: Run) -> None:
    quantizer = tokenizer.quantizer
    optimizer = torch.optim.Adam(quantizer.parameters(), betas=(0.9, 0.99))
    resumed = _resume(run, tokenizer, optimizer)
    if run.progress >= 1:
        return
    latents = _some_latents(tokenizer, corpus, count=1500)
    if not resumed:
        latents = calibrate(tokenizer, latents)
    generator = np.random.default_rng(run.step)
    while run.progress < 1:
        latent = latents[torch.from_numpy(generator.integers(len(latents), size=24))]
        quantized = quantizer.encode(latent)
        loss = codebook_loss(latent, quantized, beta=0.0)
        _descend(loss, tokenizer, optimizer, run.learning_rate(2e-3))
        if run.step % 50 == 0 and run.progress < 0.8:
            revive_codes(tokenizer, latents, run.step)
        run.log(vq=loss, residual_std=quantized.residual.std())
        _advance(run, tokenizer, optimizer)
    run.save(model=tokenizer.state_dict(), optimizer=optimizer.state_dict())


def _train_alternating(
    tokenizer: Tokenizer, features: PhotographFeatures, corpus: Corpus, run: Run
) -> None:
    optimizer = _optimizer_of_decoder(tokenizer)
    _resume(run, tokenizer, optimizer)
    batches = _pictures(corpus, batch=BATCH, seed=10_000 + run.step)
    choose = np.random.default_rng(run.step)
    generator = torch.Generator().manual_seed(run.step)
    while run.progress < 1:
        image = next(batches)
        discrete = bool(choose.random() < 0.5)
        with torch.no_grad():
            latent = tokenizer.latent(image)
            shown = tokenizer.quantizer.encode(latent).discrete if discrete else latent
            noise = torch.randn(shown.shape, generator=generator)
            shown = shown + 0.15 * RESIDUAL_STD * noise
        pixels, seen = _errors(features, tokenizer.decode(shown), image)
        _descend(pixels + PERCEPTUAL_WEIGHT * seen, tokenizer, optimizer, run.learning_rate(3e-4))
        run.log(discrete=float(discrete), l1=pixels, perceptual=seen)
        _advance(run, tokenizer, optimizer)
    run.save(model=tokenizer.state_dict(), optimizer=optimizer.state_dict())


def train_decoder(
    tokenizer: Tokenizer,
    corpus: Corpus,
    draw: Callable[[Tensor, Sequence[str]], Tensor],
    folder: Path,
    minutes: float,
) -> None:
    """Go on training the decoder, a third of the steps on what a transformer really draws.

    `draw` makes latents (B, C, P, P) of true ones and their captions. Encoder and codes stay, so
    the transformer need not learn anew.
    """
    features, run = PhotographFeatures(), Run(folder, "decoder", minutes)
    optimizer = _optimizer_of_decoder(tokenizer)
    _resume(run, tokenizer, optimizer)
    choose = np.random.default_rng(run.step)
    while run.progress < 1:
        picks = choose.integers(len(corpus), size=BATCH).tolist()
        image, source = _tensor(corpus.batch(picks)), run.step % 3
        with torch.no_grad():
            shown = tokenizer.latent(image)
            if source == 1:
                shown = tokenizer.quantizer.encode(shown).discrete
            elif source == 2:
                shown = draw(shown, [str(choose.choice(corpus.captions[i])) for i in picks])
        pixels, seen = _errors(features, tokenizer.decode(shown), image)
        _descend(pixels + PERCEPTUAL_WEIGHT * seen, tokenizer, optimizer, run.learning_rate(3e-4))
        run.log(source=float(source), l1=pixels, perceptual=seen)
        _advance(run, tokenizer, optimizer)
    run.save(model=tokenizer.state_dict(), optimizer=optimizer.state_dict())


@torch.no_grad()
def start_from_principal_components(tokenizer: Tokenizer, images: Tensor) -> None:
    """Make a fresh tokenizer the best linear one, which its networks then improve on.

    Each block of pixels becomes its first principal components, divided by the square root of
    their deviations, so that the fine ones are not lost in noise; the decoder inverts it.
    """
    vae, block = tokenizer.vae, tokenizer.config.downsampling
    patches = functional.unfold(images, block, stride=block).mT.flatten(0, 1)
    mean = patches.mean(dim=0)
    variances, vectors = torch.linalg.eigh(torch.cov(patches.mT))
    channels = tokenizer.config.z_channels
    scales = variances[-channels:].sqrt().clamp(min=1e-4).sqrt()
    vectors = vectors[:, -channels:].mT
    encode, decode = vae.encoder.shortcut, vae.decoder.shortcut
    assert isinstance(encode, nn.Conv2d)
    assert isinstance(decode, nn.ConvTranspose2d)
    shape = (channels, 3, block, block)
    encode.weight.copy_((vectors / scales[:, None]).view(shape))
    encode.bias.copy_(-(encode.weight.flatten(1) @ mean))  # type: ignore[union-attr]
    decode.weight.copy_((vectors * scales[:, None]).view(shape))
    # One bias a channel: the mean block is nearly flat.
    decode.bias.copy_(mean.view(3, -1).mean(dim=1))  # type: ignore[union-attr]
    for conv in (vae.quant_conv, vae.post_quant_conv):
        nn.init.dirac_(conv.weight)
        nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
    for conv in (vae.encoder.conv_out, vae.decoder.conv_out):
        nn.init.zeros_(conv.weight)
        nn.init.zeros_(conv.bias)  # type: ignore[arg-type]


@torch.no_grad()
def calibrate(tokenizer: Tokenizer, latents: Tensor) -> Tensor:
    """Start the codebook from data, then scale all latents so that the residual fits its head.

    The scale moves into the convolutions on either side, so that decoded pictures stay the same.
    """
    revive_codes(tokenizer, latents, seed=0, every=True)
    for seed in range(20):
        revive_codes(tokenizer, latents, seed)
    residual = tokenizer.quantizer.encode(latents[:256]).residual
    codes = tokenizer.quantizer.embedding(tokenizer.quantizer.nearest(residual))
    scale = RESIDUAL_STD / float((residual - codes).std())
    tokenizer.quantizer.embedding.weight.mul_(scale)
    tokenizer.vae.quant_conv.weight.mul_(scale)
    tokenizer.vae.quant_conv.bias.mul_(scale)  # type: ignore[union-attr]
    tokenizer.vae.post_quant_conv.weight.div_(scale)
    logger.info("latents scaled by %.4f", scale)
    return latents * scale


@torch.no_grad()
def revive_codes(tokenizer: Tokenizer, latents: Tensor, seed: int, every: bool = False) -> None:
    """Replace codes that no token of a sample uses by tokens of that sample."""
    quantizer, generator = tokenizer.quantizer, np.random.default_rng(seed)
    sample = latents[torch.from_numpy(generator.integers(len(latents), size=128))]
    rest, pools, used = sample.clone(), [], torch.zeros(len(quantizer.embedding.weight))
    for scale in range(len(quantizer.patch_nums)):
        tokens = quantizer.shrink(rest, scale)
        codes = quantizer.nearest(tokens)
        pools.append(tokens.flatten(0, 1))
        used.scatter_add_(0, codes.flatten(), torch.ones(codes.numel()))
        rest = rest - quantizer.lift(quantizer.embedding(codes), scale)
    pool = torch.cat(pools)
    dead = torch.ones(len(used), dtype=torch.bool) if every else used == 0
    picks = torch.from_numpy(generator.integers(len(pool), size=int(dead.sum())))
    quantizer.embedding.weight[dead] = pool[picks]


@torch.no_grad()
def _some_latents(tokenizer: Tokenizer, corpus: Corpus, count: int) -> Tensor:
    picks = np.random.default_rng(1).choice(len(corpus), min(count, len(corpus)), replace=False)
    return torch.cat(
        [tokenizer.latent(_tensor(corpus.batch(part.tolist()))) for part in _chunks(picks, 16)]
    )


def _chunks(values: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (values[start : start + size] for start in range(0, len(values), size))


def _pictures(corpus: Corpus, batch: int, seed: int) -> Iterator[Tensor]:
    """Endless random pictures (B, 3, H, W), half of the batches mirrored."""
    generator = np.random.default_rng(seed)
    while True:
        pixels = corpus.batch(generator.integers(len(corpus), size=batch).tolist())
        yield _tensor(pixels[:, :, ::-1] if generator.random() < 0.5 else pixels)


def _tensor(pixels: np.ndarray) -> Tensor:
    image = from_pixels(torch.from_numpy(np.ascontiguousarray(pixels)))
    return image.contiguous(memory_format=torch.channels_last)


def _optimizer_of_decoder(tokenizer: Tokenizer) -> torch.optim.Optimizer:
    trained = [*tokenizer.vae.post_quant_conv.parameters(), *tokenizer.vae.decoder.parameters()]
    return torch.optim.AdamW(trained, betas=(0.9, 0.99), weight_decay=0.01)


def _errors(features: PhotographFeatures, made: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
    """How far a picture is from the true one: by pixels and to the eye."""
    return functional.l1_loss(made, image), perceptual_loss(features, made, image)


def _descend(
    loss: Tensor, module: torch.nn.Module, optimizer: torch.optim.Optimizer, rate: float
) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
    optimizer.step()


def _advance(run: Run, tokenizer: Tokenizer, optimizer: torch.optim.Optimizer) -> None:
    run.step += 1
    if run.due():
        run.save(model=tokenizer.state_dict(), optimizer=optimizer.state_dict())


def _resume(run: Run, tokenizer: Tokenizer, optimizer: torch.optim.Optimizer) -> bool:
    state = run.start()
    if state is None:
        return False
    tokenizer.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return True


@torch.no_grad()
def save_reconstructions(tokenizer: Tokenizer, corpus: Corpus, path: Path, count: int = 8) -> None:
    """A sheet of held-out pictures: the original, decoded from codes, decoded from both."""
    picks = np.linspace(0, len(corpus) - 1, count).astype(int).tolist()
    pixels = corpus.batch(picks)
    image = _tensor(pixels)
    latent = tokenizer.latent(image)
    discrete = tokenizer.quantizer.encode(latent).discrete
    rows = [pixels, *(to_pixels(tokenizer.decode(z)).numpy() for z in (discrete, latent))]
    sheet = contact_sheet([picture for row in rows for picture in row], columns=count)
    path.write_bytes(encode_png(sheet, level=6))
