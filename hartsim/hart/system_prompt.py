"""The text that the published model was trained to read before every prompt.

It is its authors' and does not ship with hartsim; a user's own copy of the reference has it.
"""

import ast
import functools
import hashlib
import logging
from pathlib import Path

from hartsim.errors import CheckpointError
from hartsim.folders import cache_folder
from hartsim.hart.store import writing

logger = logging.getLogger(__name__)

VARIABLE = "llm_system_prompt"
FILE = "system_prompt.txt"
LENGTH = 705
SHA256 = "424f7aa7b1119f8ed1e329140e5941dfe308183bea0af59041dad5527a9b8f20"
"""Of the published prompt's UTF-8 bytes."""

LARGEST_SOURCE = 1 << 20
"""Bytes; no file of constants is larger."""

BRING = "hartsim weights prompt --from FILE"
"""The command that brings it; FILE is `hart/utils/constants.py` of a copy of the reference."""


def find(folder: Path) -> str:
    """The prompt in a folder of weights, else the one that was kept; empty, and said, if neither.

    One in the folder may be a model's own and is taken as it is; that it is another is logged.
    """
    for file in (folder / FILE, kept()):
        if file.is_file():
            prompt = file.read_bytes().decode()
            if not _is_published(prompt):
                _warn_once(f"{file} is not the system prompt of the published model")
            return prompt
    _warn_once(
        "the system prompt is missing, so pictures follow their prompts less well; "
        f"to bring it: {BRING}, where FILE is hart/utils/constants.py of the reference"
    )
    return ""


def kept() -> Path:
    """Where `keep` puts the prompt, whether it is there or not."""
    return cache_folder() / FILE


def keep(source: Path) -> Path:
    """Read the prompt from a Python file, which is not run, and keep it in the cache.

    Raises CheckpointError if it is not there, or not the published one.
    """
    prompt = read(source)
    if not _is_published(prompt):
        raise CheckpointError(
            f"{source}: {VARIABLE} has {len(prompt)} characters and sha256 "
            f"{_sha256(prompt)[:12]}…, the published one has {LENGTH} and {SHA256[:12]}…"
        )
    with writing(kept()) as file:
        file.write(prompt.encode())
    return kept()


def read(source: Path) -> str:
    """The string that a Python file assigns to `llm_system_prompt`; nothing of it is run."""
    if source.is_dir():
        raise CheckpointError(f"{source}: is a folder; name hart/utils/constants.py in it")
    if not source.exists():
        raise CheckpointError(f"{source}: no such file")
    try:
        if source.stat().st_size > LARGEST_SOURCE:
            raise CheckpointError(f"{source}: too large for a file of constants")
        tree = ast.parse(source.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise CheckpointError(f"{source}: not readable as Python: {error}") from error
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and VARIABLE in _targets(node):
            return _text_of(node.value, source)
    raise CheckpointError(f"{source}: assigns nothing to {VARIABLE}")


def _targets(node: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _text_of(node: ast.expr | None, source: Path) -> str:
    """The text of a string literal, or of several joined with `+`."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _text_of(left, source) + _text_of(right, source)
    raise CheckpointError(f"{source}: {VARIABLE} is not a plain string")


def _is_published(prompt: str) -> bool:
    return len(prompt) == LENGTH and _sha256(prompt) == SHA256


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def _warn_once(message: str) -> None:
    logger.warning("%s", message)
