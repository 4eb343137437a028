"""Which pixels of an observation may change, told by one string.

    labels:sky,building          pixels of these classes
    mujoco:background            pixels where MuJoCo draws no geom
    mujoco:geom=floor,wall*      pixels of the geoms (or `body=`) with these names
    colour:#1e90ff±12            pixels that differ by at most so much in red, green and blue
    package.module:function      whatever `function(env, image)` says

A leading `not ` turns the mask over.
"""

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from hartsim.scenario.words import suggestion
from hartsim.types import CLASS_ID, Image, Labels, Mask

Reads = Literal["labels", "colours", "image", "env"]
"""What a mask follows from: each pixel's label or colour, the whole image, or the simulator."""

FORMS = (
    "labels:<class>,…; mujoco:background; mujoco:geom=<name>,…; mujoco:body=<name>,…; "
    "colour:#rrggbb±n; <module>:<function>"
)
_COLOUR = re.compile(r"#([0-9a-fA-F]{6})(?:(?:±|\+-)(\d{1,3}))?")


@dataclass(frozen=True)
class MaskSource:
    """Finds the pixels that may change: `source(env, image)` → mask (H, W), True where they may.

    Labels are the observation's, or those of `env.unwrapped.frame()` where it has none. What reads
    labels or colours also takes a batch (N, H, W, 3) and gives masks (N, H, W).
    """

    spec: str
    reads: Reads
    find: Callable[[Any, Image, Labels | None], Mask]
    inverted: bool = False

    def __call__(self, env: Any, image: Image, labels: Labels | None = None) -> Mask:
        """The mask of a picture; ValueError where the source gives anything else."""
        mask = self.find(env, image, labels)
        shape = image.shape[:-1]
        if getattr(mask, "dtype", None) != np.bool_ or mask.shape != shape:
            found = f"{mask.dtype} {mask.shape}" if isinstance(mask, np.ndarray) else repr(mask)
            raise ValueError(f"mask '{self.spec}' gives {found}, must be bool {shape}")
        return ~mask if self.inverted else mask


def mask_source(spec: str) -> MaskSource:
    """The source that a string describes; ValueError lists what there is where it describes none.

    See the top of this module for the strings.
    """
    if not isinstance(spec, str):
        raise ValueError(f"the mask is {spec!r}, must be a string such as 'labels:sky,building'")
    bare = spec.removeprefix("not ").strip()
    form, _, rest = bare.partition(":")
    reads, find = _source(form.strip(), rest.strip(), spec)
    return MaskSource(spec, reads, find, inverted=spec.startswith("not "))


def _source(
    form: str, rest: str, spec: str
) -> tuple[Reads, Callable[[Any, Image, Labels | None], Mask]]:
    if not rest:
        raise ValueError(f"mask '{spec}' is none of: {FORMS}")
    if form == "labels":
        return "labels", _of_labels(rest, spec)
    if form == "colour":
        return "colours", _of_colour(rest, spec)
    if form == "mujoco":
        from hartsim.adapters.gymnasium.mujoco import mujoco_mask

        source = mujoco_mask(rest)
        return "env", lambda env, image, labels: source(env, image)
    function = function_named(form, rest, f"mask '{spec}', which is to be one of: {FORMS}")
    return "image", lambda env, image, labels: function(env, image)


def _of_labels(names: str, spec: str) -> Callable[[Any, Image, Labels | None], Mask]:
    wanted = np.zeros(256, np.bool_)
    for name in names.split(","):
        if name.strip() not in CLASS_ID:
            hint = suggestion(name.strip(), CLASS_ID)
            raise ValueError(f"mask '{spec}': no class is called '{name.strip()}'; {hint}")
        wanted[CLASS_ID[name.strip()]] = True

    def find(env: Any, image: Image, labels: Labels | None) -> Mask:
        return wanted.take(env.unwrapped.frame().labels if labels is None else labels)

    return find


def _of_colour(text: str, spec: str) -> Callable[[Any, Image, Labels | None], Mask]:
    match = _COLOUR.fullmatch(text)
    if match is None:
        raise ValueError(f"mask '{spec}': '{text}' is no colour such as #1e90ff or #1e90ff±12")
    middle = np.frombuffer(bytes.fromhex(match[1]), np.uint8).astype(int)
    reach = int(match[2] or 0)
    low = np.clip(middle - reach, 0, 255).astype(np.uint8)
    span = np.clip(middle + reach, 0, 255).astype(np.uint8) - low

    def find(env: Any, image: Image, labels: Labels | None) -> Mask:
        # uint8 wraps round: what lies below `low` comes out far above `span`
        inside = [image[..., k] - low[k] <= span[k] for k in range(3)]
        mask: Mask = inside[0] & inside[1] & inside[2]
        return mask

    return find


def function_named(module: str, name: str, what: str) -> Callable[..., Any]:
    """A function by its module and name; ValueError, about `what`, where there is none."""
    try:
        home = importlib.import_module(module)
    except (ImportError, ValueError, TypeError) as error:
        raise ValueError(f"{what}: {error}") from error
    function: object = getattr(home, name, None)
    if not callable(function):
        there = [each for each, value in vars(home).items() if callable(value)]
        hint = suggestion(name, there)
        raise ValueError(f"{what}: {module} has no function '{name}'; {hint}")
    return function


def require_readable(source: MaskSource, env: Any, has_labels: bool, who: str) -> None:
    """ValueError where `who` has nothing that the source could read.

    `env` is None where environments are in other processes, where masks are found by what is
    observed alone.
    """
    if env is None:
        if source.reads == "env" or (source.reads == "labels" and not has_labels):
            raise ValueError(
                f"{who}: mask '{source.spec}' reads more than a batch of observations has; wrap "
                "each environment instead: gymnasium.make_vec(..., wrappers=[...])"
            )
    elif source.reads == "labels" and not has_labels and not hasattr(env.unwrapped, "frame"):
        raise ValueError(
            f"{who}: mask '{source.spec}' needs labels, but observations have no 'labels', and "
            f"{env} has no frame(); masks are one of: {FORMS}"
        )
