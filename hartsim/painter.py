"""HART with the settings of a run: from scenes to jobs, and from jobs to renders."""

import hashlib
import json
from collections.abc import Iterator, Sequence

from hartsim.config import RunConfig
from hartsim.errors import ConfigError
from hartsim.scenario.compiled import CompiledScene
from hartsim.types import Image, Render, RenderJob, Route, Size, Underlay

USUAL_PX, MOST_ENLARGED = 256, 4
"""The side of pictures where none is asked for; no model's are enlarged more than so many times."""


class Painter:
    """HART as a function from jobs, and what they are painted on, to renders."""

    def __init__(self, config: RunConfig) -> None:
        from hartsim.hart.renderer import make_renderer

        self.renderer = make_renderer(config.hart, config.render)
        self.size_px = painted_size(config, self.renderer.size_px)
        self.weights_hash = self.renderer.hart.weights_hash
        self.attempts, self.negative = config.render.attempts, config.render.negative
        self.look = config.render.look
        self.layout = config.render.layout and self.renderer.follows_labels
        """Whether views follow what the simulator has in which place."""
        keep, scales = config.render.keep_scales, self.renderer.scales
        if keep is not None and keep >= scales:
            raise ConfigError(
                f"render.keep_scales is {keep}, but hart={config.hart.name} has {scales} scales: "
                "a repaint that keeps all of them changes nothing"
            )
        self.keep_scales = max(scales - 2, 1) if keep is None else keep

    def rests_on_frame(self, route: Route) -> bool:
        """Whether a picture of this route needs to know what the simulator shows."""
        return route != "view" or self.layout

    def __call__(self, work: Sequence[tuple[RenderJob, Underlay]]) -> Iterator[Render]:
        """The renders, in the order of the work."""
        return self.renderer(work)

    def nothing(self, job: RenderJob, image: Image) -> Render:
        """A picture that is as it was, as the render of a job that painted nothing."""
        return Render(job, image, self.weights_hash, {}, "", 0.0)

    def job(
        self, scene: CompiledScene, route: Route, target: str, prompt: str, attempt: int
    ) -> RenderJob:
        """One picture to be made, with the key that alone seeds its noise."""
        identity = [scene.scenario.name, scene.seed, scene.index, route, target, attempt]
        noise_key = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]
        negative = scene.negative if self.negative else ""
        calm = scene.calm_prompts[target] if route == "view" else ""
        if calm == prompt:
            calm = ""
        return RenderJob(route, target, prompt, negative, self.size_px, noise_key, attempt, calm)


def painted_size(config: RunConfig, model_px: Size) -> Size:
    """The size of frames and pictures; a model of another size paints at its own and is resized."""
    side = config.world.size_px
    if side is None:
        side = max(model_px[0], min(USUAL_PX, MOST_ENLARGED * model_px[0]))
    if side > MOST_ENLARGED * model_px[0]:
        raise ConfigError(
            f"world.size_px is {side}, but hart={config.hart.name} paints {model_px[0]} pixels: "
            f"at most {MOST_ENLARGED * model_px[0]} is sensible"
        )
    return side, side
