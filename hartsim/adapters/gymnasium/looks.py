"""Looks: what changes an observation's picture while what is to be seen stays true.

A look is chosen for an occasion, by its numbers alone, and is then worn until the next occasion:

    Look.choose(occasion, view) → Worn      at the start of an episode, or every k steps
    Worn.show(view)                         every step; it changes the view in place

No Gymnasium here: `wrappers` and `vector` let environments wear looks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

import numpy as np

from hartsim.adapters.gymnasium.masks import MaskSource
from hartsim.dataset.bank import Bank
from hartsim.images import fade_in, resize
from hartsim.types import Depth, Image, Labels, Mask, Size

Every = int | Literal["episode", "never"]
"""When a look is chosen anew: each episode, each so many steps, or only for a new seed."""

Told = Mapping[str, str | int | float]
"""What `info["looks"]` says of a look."""

_PIXEL = np.dtype("V3")
"""Three bytes as one item: masks then need no third dimension, which makes pasting five times as
fast."""


class Occasion(NamedTuple):
    """What decides a look: the seed of `reset`, the episode since, and the turn within it."""

    seed: int
    episode: int
    turn: int


@dataclass(eq=False, slots=True)
class View:
    """One observation, for looks to change in place.

    `env` is whose it is, None where that is in another process. `time_s` is how long the episode
    has lasted, `travelled_m` how far ahead the camera has moved since.
    """

    image: Image
    labels: Labels | None = None
    depth_m: Depth | None = None
    env: Any = None
    time_s: float = 0.0
    travelled_m: float = 0.0

    @property
    def size_px(self) -> Size:
        """Height and width of the picture."""
        height, width = self.image.shape[:2]
        return height, width


class Worn(Protocol):
    """A look as chosen."""

    @property
    def told(self) -> Told:
        """What `info["looks"]` says of it."""
        ...

    def show(self, view: View) -> None:
        """Change what is seen, in place; equal views come out equal."""
        ...


class Look(Protocol):
    """A way to choose what is worn: a pure function of the occasion and its first view.

    `changes` names the parts of a view that it changes; the others may be somebody else's.
    """

    changes: ClassVar[frozenset[str]]

    def choose(self, occasion: Occasion, view: View) -> Worn:
        """What is worn on this occasion, which begins with this view."""
        ...

    def together(self, worn: Sequence[Worn]) -> Worn | None:
        """What changes a batch of views as these change its members; None where nothing does."""
        ...


def checked_every(every: Every) -> Every:
    """The same; ValueError for what is neither a word nor a number of steps."""
    is_count = isinstance(every, int) and not isinstance(every, bool) and every > 0
    if not is_count and every not in ("episode", "never"):
        raise ValueError(
            f"every is {every!r}, must be 'episode', 'never' or a number of steps from 1"
        )
    return every


class Wearer:
    """One environment's looks through its episodes."""

    def __init__(self, look: Look, every: Every) -> None:
        self._look, self._every = look, checked_every(every)
        self.seed: int | None = None
        self.steps, self.travelled_m = 0, 0.0
        self._episode = 0
        self._chosen_for: Occasion | None = None
        self._worn: Worn | None = None

    def begin(self, seed: int | None) -> None:
        """A new episode: the first one of a seed, or the next of the last seed."""
        if seed is None:
            self._episode += 1
        else:
            self.seed, self._episode, self._chosen_for = seed, 0, None
        self.steps, self.travelled_m = 0, 0.0

    def advance(self, travelled_m: float = 0.0) -> None:
        """The next step of the episode, which the camera has travelled so far ahead."""
        self.steps += 1
        self.travelled_m = travelled_m

    @property
    def occasion(self) -> Occasion:
        """What decides the look that is due."""
        assert self.seed is not None, "an episode begins before it is seen"
        episode = 0 if self._every == "never" else self._episode
        turn = self.steps // self._every if isinstance(self._every, int) else 0
        return Occasion(self.seed, episode, turn)

    @property
    def is_due(self) -> bool:
        """Whether an occasion begins, for which `choose` has to be called."""
        return self.occasion != self._chosen_for

    def choose(self, view: View) -> Told:
        """Take up the look that is due, in its first view; what it tells."""
        occasion = self.occasion
        self._worn, self._chosen_for = self._look.choose(occasion, view), occasion
        return self._worn.told

    @property
    def worn(self) -> Worn:
        """The look that was chosen last."""
        assert self._worn is not None, "a look is chosen before it is worn"
        return self._worn


@dataclass(frozen=True)
class Backdrop:
    """Pictures of a bank behind everything: in the pixels that a mask names, which keep labels.

    With `feather_px`, they fade in within so many pixels of the mask's border.
    """

    changes: ClassVar = frozenset({"image"})

    bank: Bank
    mask: MaskSource
    kind: str = "backdrop"
    feather_px: float = 0.0

    def choose(self, occasion: Occasion, view: View) -> "WornBackdrop":
        """The picture of this occasion, cut to the size of the view."""
        self.bank.refresh()
        number = self.bank.choose(self.kind, occasion.seed, occasion.episode, occasion.turn)
        picture = fitted(self.bank.images(self.kind)[number], view.size_px)
        return WornBackdrop(self, picture, {self.kind: number})

    def together(self, worn: Sequence[Worn]) -> "WornBackdrop | None":
        """The backdrops as one, where their masks can be found and filled in one go."""
        if self.feather_px or self.mask.reads not in ("labels", "colours"):
            return None
        pictures = [each.picture for each in worn if isinstance(each, WornBackdrop)]
        return WornBackdrop(self, np.stack(pictures), {})


@dataclass(frozen=True, eq=False)
class WornBackdrop:
    """A chosen backdrop; for a batch of views, a batch of pictures."""

    look: Backdrop
    picture: Image
    told: Told

    def show(self, view: View) -> None:
        """Put the picture behind the mask."""
        mask = self.look.mask(view.env, view.image, view.labels)
        if self.look.feather_px:
            view.image[:] = fade_in(view.image, self.picture, mask, self.look.feather_px)
        else:
            paste(view.image, self.picture, mask)


def paste(image: Image, picture: Image, mask: Mask) -> None:
    """Change an image (H, W, 3), or a batch, to the picture where the mask is True, in place."""
    np.copyto(image.view(_PIXEL)[..., 0], picture.view(_PIXEL)[..., 0], where=mask)


def fitted(picture: Image, size_px: Size) -> Image:
    """The middle of a picture, cut to the shape of (height, width) and made as large."""
    height, width = picture.shape[:2]
    share = min(height / size_px[0], width / size_px[1])
    rows, columns = round(size_px[0] * share), round(size_px[1] * share)
    top, left = (height - rows) // 2, (width - columns) // 2
    cut = picture[top : top + rows, left : left + columns]
    return np.ascontiguousarray(resize(np.ascontiguousarray(cut), size_px))


@dataclass(frozen=True, eq=False)
class Layered:
    """Several looks worn one over the other, the first one innermost."""

    worn: Sequence[Worn]
    told: Told

    def show(self, view: View) -> None:
        """Show them all."""
        for each in self.worn:
            each.show(view)


def layered(looks: Sequence[Look], occasion: Occasion, view: View, told: Told) -> Layered:
    """The looks for an occasion, each chosen in view of those before it."""
    seen = replace(
        view,
        image=view.image.copy(),
        labels=None if view.labels is None else view.labels.copy(),
        depth_m=None if view.depth_m is None else view.depth_m.copy(),
    )
    worn: list[Worn] = []
    for look in looks:
        worn.append(look.choose(occasion, seen))
        worn[-1].show(seen)
        told = {**told, **worn[-1].told}
    return Layered(worn, told)


def require_seed(seed: int | None) -> None:
    """ValueError for what is no seed."""
    if seed is not None and (not isinstance(seed, int | np.integer) or seed < 0):
        raise ValueError(f"seed is {seed!r}, must be a whole number from 0, or None")


def seed_or_any(seed: Any) -> int:
    """The seed that an environment drew for itself, or any where it cannot say."""
    known = isinstance(seed, int | np.integer) and seed >= 0
    return int(seed) if known else int(np.random.SeedSequence().generate_state(1)[0])
