"""Training of the hybrid tokenizer in three phases, each resumable.

1. `continuous`: the autoencoder alone, its latents slightly noisy so that the decoder forgives
   what the transformer will get wrong.
2. `codebook`: with the encoder frozen, the codes and the smoothing convolutions, in latent space.
3. `alternating`: the decoder on discrete and on continuous latents by turns (HART, arXiv
   2410.10812, section 3.1: half of the steps each).
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hartsim.config import TokenizerTraining
from hartsim.errors import ConfigError, DatasetError
from hartsim.hart.config import HartConfig
from hartsim.hart.quantizer import codebook_loss
from hartsim.hart.tokenizer import LinearPixels, Tokenizer, from_pixels, to_pixels
from hartsim.images import contact_sheet, encode_png
from hartsim.training.corpus import Corpus
from hartsim.training.critic import RATE as CRITIC_RATE
from hartsim.training.critic import make_critic
from hartsim.training.features import (
    LEAST_PX,
    SHIFT_PX,
    PhotographFeatures,
    perceptual_loss,
    shifted,
)
from hartsim.training.parallel import Ranks
from hartsim.training.run import Average, Budget, Run, ahead, learning_rate

logger = logging.getLogger(__name__)

Draw = Callable[[Tensor, Sequence[str], torch.Generator], Tensor]
"""What makes latents (B, C, P, P) of true ones and their captions."""

SHARES = {"continuous": 0.6, "codebook": 0.1, "alternating": 0.3}
"""How the budget is divided among the phases."""
SMALL_NOISE = 0.15
"""Noise on what the decoder is shown at the end, in deviations of what codes leave over."""
SHIFT, DECODER_SHIFT, CRITIC_SHIFT = 1, 2, 3
"""Purposes of a step's randomness, besides noise."""
CRITIC_ALONE = 100
"""Steps in which a critic learns, and is not heeded yet."""
WHOLE_BATCH = 24
"""Latents of whole pictures that the codebook learns from at a step."""


def train_tokenizer(
    corpus: Corpus,
    held_out: Corpus,
    config: HartConfig,
    folder: Path,
    budget: Budget,
    how: TokenizerTraining | None = None,
    ranks: Ranks | None = None,
) -> Tokenizer:
    """Train, or go on training, a tokenizer in `folder`; `alternating.pt` there is the result."""
    how, ranks = how or TokenizerTraining(), ranks or Ranks()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(how.seed)
        tokenizer = Tokenizer(config.tokenizer, config.transformer.patch_nums)
    tokenizer.to(ranks.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    school = School(tokenizer, _features(how, ranks), corpus, how, ranks)
    phases = {"continuous": continuous, "codebook": codebook, "alternating": alternating}
    for number, (name, teach) in enumerate(phases.items()):
        run = Run(folder, name, budget.share(SHARES[name]), ranks, how.seed + number)
        teach(school, run)
        if ranks.leads:
            save_reconstructions(tokenizer, held_out, folder / f"{name}.png")
        ranks.wait()
    return tokenizer


@dataclass(frozen=True)
class School:
    """What a tokenizer is taught with."""

    tokenizer: Tokenizer
    features: PhotographFeatures | None
    """What compares pictures as an eye does; none where that weighs nothing."""
    corpus: Corpus
    how: TokenizerTraining
    ranks: Ranks


def continuous(school: School, run: Run) -> None:
    """The autoencoder alone, on pieces of pictures."""
    tokenizer, how = school.tokenizer, school.how
    if tokenizer.config.linear_shortcut and not (run.folder / f"{run.name}.pt").exists():
        start_from_principal_components(tokenizer, _some_pictures(school, count=256))
    optimizer = torch.optim.AdamW(tokenizer.parameters(), betas=(0.9, 0.99), weight_decay=0.01)
    _resume(run, tokenizer, optimizer)
    for image in ahead(lambda step: pieces(school, step, run.seed), run.step):
        if (progress := run.progress) >= 1:
            break
        image = image.to(school.ranks.device)
        with school.ranks.autocast():
            latent = tokenizer.vae.quant_conv(tokenizer.vae.encoder(image))
            noise = _noise(latent, run)
            decoded = tokenizer.decode(latent + how.latent_noise * noise)
            pixels, seen = _errors(school, decoded, image, run.generator(SHIFT))
            penalty = how.latent_penalty * latent.float().square().mean()
            loss = pixels + how.perceptual * seen + penalty
        _descend(loss, tokenizer, optimizer, learning_rate(how.rate, run.step, progress), run)
        run.log(l1=pixels, perceptual=seen, latent_std=latent.detach().float().std())
        _advance(run, tokenizer, optimizer)
    run.save(model=tokenizer.state_dict(), optimizer=optimizer.state_dict())


def codebook(school: School, run: Run) -> None:
    """The codes and the smoothing, on latents of whole pictures from a finished encoder."""
    tokenizer, how = school.tokenizer, school.how
    optimizer = torch.optim.Adam(tokenizer.quantizer.parameters(), betas=(0.9, 0.99))
    resumed = _resume(run, tokenizer, optimizer)
    if run.progress >= 1:
        return
    latents = torch.cat(list(_some_latents(school, count=1500)))
    if not resumed:
        calibrate(tokenizer, latents, how.residual_std)
        # Not scaled but made again, so that a resumed run has the same to the last bit.
        latents = torch.cat(list(_some_latents(school, count=1500)))
    while (progress := run.progress) < 1:
        picks = torch.randint(
            len(latents), (WHOLE_BATCH,), generator=run.generator(), device=latents.device
        )
        quantized = tokenizer.quantizer.encode(latents[picks])
        loss = codebook_loss(latents[picks], quantized, beta=0.0)
        rate = learning_rate(how.codebook_rate, run.step, progress)
        _descend(loss, tokenizer, optimizer, rate, run)
        if run.step % 50 == 0 and progress < 0.8:
            revive_codes(tokenizer, latents, run.step)
        run.log(vq=loss, residual_std=quantized.residual.std())
        _advance(run, tokenizer, optimizer)
    run.save(model=tokenizer.state_dict(), optimizer=optimizer.state_dict())


def alternating(school: School, run: Run) -> None:
    """The decoder, on codes alone in some steps and on continuous latents in the others."""
    tokenizer, how = school.tokenizer, school.how
    optimizer = _optimizer_of_decoder(tokenizer)
    _resume(run, tokenizer, optimizer)
    for image in ahead(lambda step: whole(school, step, run.seed), run.step):
        if (progress := run.progress) >= 1:
            break
        image = image.to(school.ranks.device)
        choose = np.random.default_rng([run.seed, run.step])
        discrete = bool(choose.random() < how.discrete_share)
        with torch.no_grad():
            latent = tokenizer.latent(image)
            shown = tokenizer.quantizer.encode(latent).discrete if discrete else latent
            shown = shown + SMALL_NOISE * how.residual_std * _noise(shown, run)
        shown, piece = window(shown, image, how.crop_px, choose)
        with school.ranks.autocast():
            pixels, seen = _errors(school, tokenizer.decode(shown), piece, run.generator(SHIFT))
            loss = pixels + how.perceptual * seen
        rate = learning_rate(how.decoder_rate, run.step, progress)
        _descend(loss, tokenizer, optimizer, rate, run)
        run.log(discrete=float(discrete), l1=pixels, perceptual=seen)
        _advance(run, tokenizer, optimizer)
    run.save(model=tokenizer.state_dict(), optimizer=optimizer.state_dict())


def train_decoder(
    tokenizer: Tokenizer,
    corpus: Corpus,
    draw: Draw,
    folder: Path,
    budget: Budget,
    how: TokenizerTraining | None = None,
    ranks: Ranks | None = None,
) -> None:
    """Go on training the decoder, a third of the steps on what a transformer really draws.

    `draw` makes latents (B, C, P, P) of true ones and their captions. Encoder and codes stay, so
    the transformer need not learn anew. What comes out is a moving average of the weights.
    """
    how, ranks = how or TokenizerTraining(), ranks or Ranks()
    tokenizer.to(ranks.device)
    school = School(tokenizer, _features(how, ranks), corpus, how, ranks)
    run = Run(folder, "decoder", budget, ranks, how.seed + len(SHARES))
    optimizer = _optimizer_of_decoder(tokenizer)
    critic, of_critic = make_critic(how.seed, ranks.device)
    average = Average(tokenizer)
    state = run.start()
    if state is not None:
        if "critic" not in state:
            raise DatasetError(
                f"{folder}/decoder.pt: of an earlier version of hartsim; put it and decoder.csv "
                "away to begin anew"
            )
        _take_up(state, tokenizer, optimizer)
        critic.load_state_dict(state["critic"])
        of_critic.load_state_dict(state["of_critic"])
        average.take_up(state)

    def save() -> None:
        run.save(
            model=tokenizer.state_dict(),
            optimizer=optimizer.state_dict(),
            critic=critic.state_dict(),
            of_critic=of_critic.state_dict(),
            **average.kept(),
        )

    while (progress := run.progress) < 1:
        shown, piece = decoders_lesson(school, draw, run)
        with ranks.autocast():
            made = tokenizer.decode(shown)
            pixels, seen = _errors(school, made, piece, run.generator(SHIFT))
            loss = pixels + how.perceptual * seen
            if how.adversarial > 0 and run.step >= CRITIC_ALONE:
                part = shifted(made, run.generator(DECODER_SHIFT))
                loss = loss + how.adversarial * critic.rejection(part)
        rate = learning_rate(how.decoder_rate, run.step, progress)
        _descend(loss, tokenizer, optimizer, rate, run)
        mistakes = torch.zeros(())
        if how.adversarial > 0:
            with ranks.autocast():
                parts = shifted(
                    torch.cat([made.detach(), piece]), run.generator(CRITIC_SHIFT)
                ).chunk(2)
                mistakes = critic.mistakes(*parts)
            _descend(mistakes, critic, of_critic, CRITIC_RATE, run)
        run.log(source=float(run.step % 3), l1=pixels, perceptual=seen, critic=mistakes)
        average.update(tokenizer)
        run.step += 1
        if run.due():
            save()
    save()
    tokenizer.load_state_dict(average.values)


@torch.no_grad()
def decoders_lesson(school: School, draw: Draw, run: Run) -> tuple[Tensor, Tensor]:
    """Latents and their pictures: by turns true latents, their codes alone, and what is drawn."""
    tokenizer, corpus = school.tokenizer, school.corpus
    picks, choose = _picks(school, run.step, run.seed)
    image = _tensor(corpus.batch(picks)).to(school.ranks.device)
    shown = tokenizer.latent(image)
    if run.step % 3 == 1:
        shown = tokenizer.quantizer.encode(shown).discrete
    elif run.step % 3 == 2:
        captions = [str(choose.choice(corpus.captions[i])) for i in picks]
        shown = draw(shown, captions, run.generator())
    return window(shown, image, school.how.crop_px, choose)


@torch.no_grad()
def start_from_principal_components(tokenizer: Tokenizer, images: Tensor) -> None:
    """Make a fresh tokenizer the best linear one, which its networks then improve on.

    Each block of pixels becomes its first principal components, divided by the square root of
    their deviations, so that the fine ones are not lost in noise; the decoder draws each block
    from its own and the neighbouring cells, as least squares find it.
    """
    vae, block = tokenizer.vae, tokenizer.config.encoded_cell_px
    images = functional.avg_pool2d(images, tokenizer.config.enlargement)
    rows, columns = images.shape[2] // block, images.shape[3] // block
    patches = functional.unfold(images, block, stride=block).mT.flatten(0, 1)
    mean = patches.mean(dim=0)
    variances, vectors = torch.linalg.eigh(torch.cov(patches.mT))
    channels = tokenizer.config.z_channels
    scales = variances[-channels:].sqrt().clamp(min=1e-4).sqrt()
    vectors = vectors[:, -channels:].mT
    encode, decode = vae.encoder.shortcut, vae.decoder.shortcut
    assert isinstance(encode, nn.Conv2d)
    assert isinstance(decode, LinearPixels)
    encode.weight.copy_((vectors / scales[:, None]).view(channels, 3, block, block))
    encode.bias.copy_(-(encode.weight.flatten(1) @ mean))  # type: ignore[union-attr]
    cells = encode(images)
    around = functional.unfold(cells, kernel_size=3, padding=1).mT.flatten(0, 1)
    seen = torch.cat([around, torch.ones_like(around[:, :1])], dim=1).double()
    gram = seen.mT @ seen
    gram += 1e-4 * gram.diagonal().mean() * torch.eye(len(gram), device=gram.device)
    solved = torch.linalg.solve(gram, seen.mT @ patches.double()).float()
    assert len(patches) == len(images) * rows * columns
    conv = decode[0]
    assert isinstance(conv, nn.Conv2d)
    conv.weight.copy_(solved[:-1].mT.reshape(conv.weight.shape))
    conv.bias.copy_(solved[-1])  # type: ignore[union-attr]
    for conv in (vae.quant_conv, vae.post_quant_conv):
        nn.init.dirac_(conv.weight)
        nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
    for conv in (vae.encoder.conv_out, vae.decoder.conv_out):
        nn.init.zeros_(conv.weight)
        nn.init.zeros_(conv.bias)  # type: ignore[arg-type]


@torch.no_grad()
def calibrate(tokenizer: Tokenizer, latents: Tensor, residual_std: float) -> Tensor:
    """Start the codebook from data, then scale all latents so that the residual fits its head.

    The scale moves into the convolutions on either side, so that decoded pictures stay the same.
    """
    revive_codes(tokenizer, latents, seed=0, every=True)
    for seed in range(20):
        revive_codes(tokenizer, latents, seed)
    residual = tokenizer.quantizer.encode(latents[:256]).residual
    codes = tokenizer.quantizer.embedding(tokenizer.quantizer.nearest(residual))
    scale = residual_std / float((residual - codes).std())
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
    picked = generator.integers(len(latents), size=128)
    sample = latents[torch.from_numpy(picked).to(latents.device)]
    rest, pools, used = sample.clone(), [], latents.new_zeros(len(quantizer.embedding.weight))
    for scale in range(len(quantizer.patch_nums)):
        tokens = quantizer.shrink(rest, scale)
        codes = quantizer.nearest(tokens)
        pools.append(tokens.flatten(0, 1))
        used.scatter_add_(0, codes.flatten(), torch.ones_like(codes.flatten(), dtype=used.dtype))
        rest = rest - quantizer.lift(quantizer.embedding(codes), scale)
    pool = torch.cat(pools)
    dead = torch.ones(len(used), dtype=torch.bool) if every else used == 0
    picks = torch.from_numpy(generator.integers(len(pool), size=int(dead.sum())))
    quantizer.embedding.weight[dead] = pool[picks.to(pool.device)]


def pieces(school: School, step: int, seed: int) -> Tensor:
    """Random pieces of random pictures (B, 3, h, w), every other batch mirrored."""
    picks, choose = _picks(school, step, seed)
    pixels, side = school.corpus.batch(picks), school.how.crop_px
    height, width = (min(side, each) for each in pixels.shape[1:3])
    tops = choose.integers(pixels.shape[1] - height + 1, size=len(picks))
    lefts = choose.integers(pixels.shape[2] - width + 1, size=len(picks))
    cut = [p[y : y + height, x : x + width] for p, y, x in zip(pixels, tops, lefts, strict=True)]
    return _tensor(_mirrored(np.stack(cut), choose))


def whole(school: School, step: int, seed: int) -> Tensor:
    """Random pictures (B, 3, H, W), every other batch mirrored."""
    picks, choose = _picks(school, step, seed)
    return _tensor(_mirrored(school.corpus.batch(picks), choose))


def window(
    latent: Tensor, image: Tensor, crop_px: int, choose: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """The same random part of latents (B, C, P, P) and of their images, at most `crop_px` wide."""
    cell = image.shape[2] // latent.shape[2]
    height, width = (min(max(crop_px // cell, 1), side) for side in latent.shape[2:])
    y, x = (
        int(choose.integers(s - c + 1))
        for s, c in zip(latent.shape[2:], (height, width), strict=True)
    )
    cells = latent[:, :, y : y + height, x : x + width]
    return cells, image[:, :, y * cell : (y + height) * cell, x * cell : (x + width) * cell]


def _picks(school: School, step: int, seed: int) -> tuple[list[int], np.random.Generator]:
    """The pictures of a step, and what else is chosen for it."""
    choose = np.random.default_rng([seed, step, school.ranks.rank])
    return choose.integers(len(school.corpus), size=school.how.batch).tolist(), choose


def _mirrored(pixels: np.ndarray, choose: np.random.Generator) -> np.ndarray:
    return pixels[:, :, ::-1] if choose.random() < 0.5 else pixels


def _some_pictures(school: School, count: int) -> Tensor:
    picks = np.random.default_rng(1).choice(len(school.corpus), min(count, len(school.corpus)))
    return _tensor(school.corpus.batch(picks.tolist())).to(school.ranks.device)


@torch.no_grad()
def _some_latents(school: School, count: int) -> Iterator[Tensor]:
    corpus = school.corpus
    picks = np.random.default_rng(1).choice(len(corpus), min(count, len(corpus)), replace=False)
    for start in range(0, len(picks), 16):
        image = _tensor(corpus.batch(picks[start : start + 16].tolist()))
        yield school.tokenizer.latent(image.to(school.ranks.device))


def _noise(like: Tensor, run: Run) -> Tensor:
    return torch.randn(like.shape, generator=run.generator(), device=like.device)


def _tensor(pixels: np.ndarray) -> Tensor:
    image = from_pixels(torch.from_numpy(np.ascontiguousarray(pixels)))
    return image.contiguous(memory_format=torch.channels_last)


def _optimizer_of_decoder(tokenizer: Tokenizer) -> torch.optim.Optimizer:
    trained = [*tokenizer.vae.post_quant_conv.parameters(), *tokenizer.vae.decoder.parameters()]
    return torch.optim.AdamW(trained, betas=(0.9, 0.99), weight_decay=0.01)


def _errors(
    school: School, made: Tensor, image: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """How far a picture is from the true one: by pixels and to the eye."""
    pixels = functional.l1_loss(made, image)
    if school.features is None:
        return pixels, torch.zeros_like(pixels)
    parts = shifted(torch.cat([made, image]), generator).chunk(2)
    return pixels, perceptual_loss(school.features, *parts)


def _features(how: TokenizerTraining, ranks: Ranks) -> PhotographFeatures | None:
    least = LEAST_PX + SHIFT_PX - 1
    if how.crop_px < least and (how.perceptual > 0 or how.adversarial > 0):
        raise ConfigError(
            f"tokenizer.crop_px is {how.crop_px}, but what compares pictures needs {least}; or set "
            "tokenizer.perceptual=0 and tokenizer.adversarial=0"
        )
    return PhotographFeatures().to(ranks.device) if how.perceptual > 0 else None


def _descend(
    loss: Tensor, module: nn.Module, optimizer: torch.optim.Optimizer, rate: float, run: Run
) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
    module.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    run.ranks.average_gradients(module.parameters())
    nn.utils.clip_grad_norm_(module.parameters(), 1.0)
    optimizer.step()


def _advance(run: Run, tokenizer: Tokenizer, optimizer: torch.optim.Optimizer) -> None:
    run.step += 1
    if run.due():
        run.save(model=tokenizer.state_dict(), optimizer=optimizer.state_dict())


def _resume(run: Run, tokenizer: Tokenizer, optimizer: torch.optim.Optimizer) -> bool:
    state = run.start()
    if state is None:
        return False
    _take_up(state, tokenizer, optimizer)
    return True


def _take_up(
    state: Mapping[str, Any], tokenizer: Tokenizer, optimizer: torch.optim.Optimizer
) -> None:
    tokenizer.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])


@torch.no_grad()
def save_reconstructions(tokenizer: Tokenizer, corpus: Corpus, path: Path, count: int = 8) -> None:
    """A sheet of held-out pictures: the original, decoded from codes, decoded from both."""
    picks = np.linspace(0, len(corpus) - 1, count).astype(int).tolist()
    pixels = corpus.batch(picks)
    image = _tensor(pixels).to(tokenizer.quantizer.embedding.weight.device)
    latent = tokenizer.latent(image)
    discrete = tokenizer.quantizer.encode(latent).discrete
    rows = [pixels, *(to_pixels(tokenizer.decode(z)).cpu().numpy() for z in (discrete, latent))]
    sheet = contact_sheet([picture for row in rows for picture in row], columns=count)
    path.write_bytes(encode_png(sheet, level=6))
