"""What `hartsim bench quality` is asked for: checked before anything slow begins."""

from dataclasses import dataclass, field
from pathlib import Path

from hartsim.errors import ConfigError

MEASURES = ("distances", "hazards", "attributes", "agreement", "diversity", "seams")
"""What can be measured, in this order."""

NEEDS_CLASSIFIER = frozenset({"hazards", "attributes"})
NEEDS_SEGMENTER = frozenset({"hazards", "agreement"})


@dataclass(frozen=True)
class JudgeSettings:
    """How the judges are trained; what is here, with the corpus, decides whether one is kept."""

    minutes: float = 6.0
    """Of each judge; it ends there or after `most_steps`."""
    most_steps: int = 20_000
    batch: int = 32
    size_px: int = 128
    """Side of the pictures that judges see."""
    seed: int = 0


@dataclass(frozen=True)
class QualityRequest:
    """What is measured, on what; ConfigError names a wish that cannot be met."""

    data: Path
    weights: Path | None = None
    """A folder of weights; None is what ships."""
    count: int = 480
    """Pictures drawn from captions, and as many again for the hazards."""
    seed: int = 0
    only: tuple[str, ...] = MEASURES
    out: Path = Path("quality")
    """Where judges and features are kept."""
    size_px: int | None = None
    """Side at which pictures are compared; None is the model's own."""
    threads: int = 2
    judges: JudgeSettings = field(default_factory=JudgeSettings)

    def __post_init__(self) -> None:
        for name in self.only:
            if name not in MEASURES:
                raise ConfigError(f"--only names '{name}', must be of {', '.join(MEASURES)}")
        if not self.only:
            raise ConfigError(f"--only names nothing; there are {', '.join(MEASURES)}")
        if self.count < 1:
            raise ConfigError(f"--count is {self.count}, must be at least 1")
        if not self.data.is_dir():
            raise ConfigError(
                f"--data is '{self.data}', which is no folder; `hartsim train data` makes a corpus"
            )
        if self.weights is not None and not self.weights.is_dir():
            raise ConfigError(f"--weights is '{self.weights}', which is no folder")
        if self.out.exists() and not self.out.is_dir():
            raise ConfigError(f"--out is '{self.out}', which is no folder")
        if self.out.resolve().is_relative_to(self.data.resolve()):
            raise ConfigError(f"--out is '{self.out}', which must not lie in the corpus")
        if self.judges.minutes <= 0:
            raise ConfigError(f"--minutes is {self.judges.minutes}, must be more than 0")
        if self.size_px is not None and self.size_px < 32:
            raise ConfigError(f"--size-px is {self.size_px}, must be at least 32")
