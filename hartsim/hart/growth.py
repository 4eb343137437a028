"""Parts for a finished model that it lacks, so that it goes on learning with what it knows."""

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor, nn

from hartsim.errors import CheckpointError
from hartsim.hart.model import Hart, new_hart
from hartsim.hart.text import HashTextEncoder
from hartsim.types import CLASSES

ADDED = ("label_embed.", "meanings", "meaning_embed.", "vae.decoder.finer.")
"""How the names of tensors begin that a model can be given: as they begin, they change nothing."""


def grown(
    hart: Hart, labels: bool = False, finer_levels: int = 0, meanings: Tensor | None = None
) -> Hart:
    """A model that draws as `hart` does, but has parts which it can learn to use.

    With `labels` its transformer can follow label maps. `finer_levels` are added to the decoder,
    each of which doubles the pictures' side. `meanings` (V + 1, C) is a table of words for the text
    encoder; V must be a multiple of its `buckets`. CheckpointError for a text encoder that has one
    already, or takes none.
    """
    config = hart.config
    if meanings is not None and (config.text.encoder != "hash" or config.text.meaning_dim):
        raise CheckpointError(f"the text encoder of {config.name} takes no table of meanings more")
    if labels:
        transformer = replace(config.transformer, label_classes=len(CLASSES))
        config = replace(config, transformer=transformer)
    if finer_levels:
        levels = config.tokenizer.finer_levels + finer_levels
        config = replace(config, tokenizer=replace(config.tokenizer, finer_levels=levels))
    if meanings is not None:
        rows, channels = meanings.shape
        text = replace(config.text, meaning_dim=channels, meaning_buckets=rows - 1)
        config = replace(config, text=text)
    new = new_hart(config, seed=0)
    if meanings is not None and isinstance(new.text, HashTextEncoder) and new.text.meaning_embed:
        new.text.meanings.copy_(meanings)
        nn.init.zeros_(new.text.meaning_embed.weight)
    for name, module in new.modules().items():
        _fill(module, hart.modules()[name].state_dict())
    return new


def _fill(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Give a module the tensors that another has; CheckpointError where more differs than grows."""
    missing, unknown = module.load_state_dict(tensors, strict=False)
    strange = [*unknown, *(key for key in missing if not key.startswith(ADDED))]
    if strange:
        raise CheckpointError(f"the weights cannot grow: '{strange[0]}' is not in both")
