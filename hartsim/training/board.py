"""The figures of a training for TensorBoard, beside the tables that are always written."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from hartsim.errors import ConfigError

Tell = Callable[[Mapping[str, float]], None]


def require_tensorboard() -> None:
    """ConfigError where TensorBoard is missing."""
    try:
        import_module("tensorboard")
    except ImportError as error:
        raise ConfigError(
            'figures for TensorBoard need it: pip install "hartsim[tensorboard]"'
        ) from error


@contextmanager
def board(folder: Path, group: str, axis: str) -> Iterator[Tell]:
    """Takes rows of figures and draws each as `group`/name over its `axis`, a whole number."""
    require_tensorboard()
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder))

    def tell(row: Mapping[str, float]) -> None:
        for name, value in row.items():
            if name != axis:
                writer.add_scalar(f"{group}/{name}", value, int(row[axis]))
        writer.flush()

    try:
        yield tell
    finally:
        writer.close()
