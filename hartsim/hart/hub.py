"""The published model from the hub: brought here, found again, and looked after.

The files lie in the cache of `huggingface_hub`, which `HF_HOME` and `HF_HUB_CACHE` place. Ours has,
in `pulled/`, one link per repository to the folder of its files, and beside it a record that pins
the commit they were brought from. So a pulled model is a folder like any other: the weights, with
the text encoder beside them. Only `pull` uses the network.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hartsim.errors import CheckpointError
from hartsim.folders import cache_folder
from hartsim.hart import conversion
from hartsim.hart.checkpoint import INDEX_FILES, PUBLISHED_PARTS, WEIGHT_FILES, sources_of
from hartsim.hart.store import (
    read_record,
    require_writable,
    sha256_of,
    write_record,
)
from hartsim.library import library_path

DEFAULT_REVISION = "main"

ANSWER_WITHIN_S = 30.0

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
)
"""What the text encoder's tokenizer may be made of; what there is of these is taken."""


@dataclass(frozen=True)
class Published:
    """A model on the hub: the repositories of its weights and of its text encoder."""

    size: str
    """What `hart=` calls it."""
    weights: str
    text: str

    @property
    def name(self) -> str:
        """The weights' repository, without its owner."""
        return folder_name(self.weights)


MODELS = (Published("0.7b", "mit-han-lab/hart-0.7b-1024px", "mit-han-lab/Qwen2-VL-1.5B-Instruct"),)


@dataclass(frozen=True)
class Stored:
    """One file of a repository."""

    size: int
    sha256: str = ""
    """Empty as long as nobody has said it: the hub knows only that of large files."""


@dataclass(frozen=True)
class Record:
    """The files of a repository at one commit, which is the one that is used from now on."""

    repo: str
    revision: str
    """What was asked for: a branch, a tag or a commit."""
    commit: str
    files: dict[str, Stored]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files.values())

    def with_file(self, name: str, file: Stored) -> "Record":
        """The same, with another file in place of the one of this name."""
        return replace(self, files={**self.files, name: file})


@dataclass(frozen=True)
class Arrival:
    """A file that is here, and whether it had to be brought."""

    record: Record
    file: str
    fetched: bool


def published(name: str) -> Published:
    """The model of a size or repository; CheckpointError says which there are."""
    for model in MODELS:
        if name in (model.size, model.name, model.weights):
            return model
    if owner := _model_of_text(name):
        raise CheckpointError(f"{folder_name(owner.text)} comes with {owner.name}: name that")
    known = ", ".join(f"{model.name}, or {model.size} for short" for model in MODELS)
    ours = ", ".join(shipped())
    raise CheckpointError(
        f"no published model is called '{name}'; there is {known}, besides the shipped {ours}"
    )


def shipped() -> dict[str, Path]:
    """The folders of the models that ship with hartsim, by name."""
    paths = sorted(path for path in library_path("weights").iterdir() if path.is_dir())
    return {path.name: path for path in paths}


def find_folder(name: str) -> Path:
    """The folder of a model that is shipped or pulled, or of a pulled one's text encoder.

    CheckpointError says how to bring it.
    """
    if folder := shipped().get(name):
        return folder
    model = _model_of_text(name)
    if model is None:
        return find_weights(name)
    record = record_of(model.text)
    if record is None or missing_files(record):
        raise CheckpointError(
            f"{folder_name(model.text)} is not here: it comes with {model.name}, which "
            f"`hartsim weights pull {model.name}` brings"
        )
    return folder_of(model.text)


def _model_of_text(name: str) -> Published | None:
    """The model whose text encoder has this name."""
    for model in MODELS:
        if name in (folder_name(model.text), model.text):
            return model
    return None


def folder_name(repo: str) -> str:
    """The name of a repository, without its owner."""
    return repo.split("/")[1]


def folder_of(repo: str) -> Path:
    """Where a repository's files are found, once they are all here."""
    return cache_folder() / "pulled" / folder_name(repo)


def cached_weights(name: str) -> Path | None:
    """The folder of a published model that was pulled; None if anything of it is missing."""
    model = published(name)
    records = [record_of(repo) for repo in (model.weights, model.text)]
    whole = all(record is not None and not missing_files(record) for record in records)
    return folder_of(model.weights) if whole else None


def find_weights(name: str) -> Path:
    """The folder of a published model that was pulled; CheckpointError says how to pull it."""
    if folder := cached_weights(name):
        return folder
    model = published(name)
    raise CheckpointError(
        f"{model.name} is not here: `hartsim weights pull {model.name}` brings it, "
        "or hart.weights=FOLDER names a copy"
    )


def record_of(repo: str) -> Record | None:
    """What was pulled of a repository; None for one that was never pulled to its end."""
    return _read(_record_path(repo))


def unfinished(repo: str) -> Record | None:
    """What a pull that stopped was about to bring."""
    return _read(_unfinished_path(repo))


def missing_files(record: Record) -> list[str]:
    """The files of a record that are not here."""
    folder = folder_of(record.repo)
    return [name for name in record.files if not (folder / name).is_file()]


def is_converted(model: Published) -> bool:
    """Whether the weights were checked, and converted where that was needed."""
    folder = cached_weights(model.size)
    return folder is not None and all(
        conversion.find(sources_of(folder / part)) for part in PUBLISHED_PARTS
    )


def verify(model: Published) -> Iterator[str]:
    """Read every byte of a pulled model again; one sentence for each file that is not as it was."""
    for repo in (model.weights, model.text):
        record = record_of(repo)
        if record is None:
            raise CheckpointError(
                f"{repo} was not pulled: `hartsim weights pull {model.name}` brings it"
            )
        for name, file in record.files.items():
            path = folder_of(repo) / name
            if not path.is_file():
                yield f"{path}: missing"
            elif not _is_whole(path, file):
                yield f"{path}: changed since it was pulled"
    for part in PUBLISHED_PARTS if cached_weights(model.size) else ():
        sources = sources_of(folder_of(model.weights) / part)
        if (checked := conversion.find(sources)) and conversion.is_changed(checked):
            yield f"{checked.file}: changed since it was converted; delete it"


def pull(
    model: Published,
    revision: str | None = None,
    text_revision: str | None = None,
    update: bool = False,
) -> Iterator[Arrival]:
    """Bring what is missing of a model, file by file; one that was brought whole is kept.

    A pull goes on with the commits of the one before it, finished or not. `revision` (of the
    weights) and `text_revision` choose others, as the hub has them now; `update` asks the hub where
    those that were chosen before are now.
    CheckpointError says in one line what went wrong and what to do.
    """
    require_writable(cache_folder() / "pulled")  # before the network is asked, and minutes pass
    yield from _pull(model.weights, revision, update, _files_of_model)
    yield from _pull(model.text, text_revision, update, _files_of_text_encoder)


def _pull(
    repo: str, revision: str | None, update: bool, choose: Callable[[list[str]], list[str]]
) -> Iterator[Arrival]:
    record = _plan(repo, revision, update, choose)
    write_record(_unfinished_path(repo), asdict(record))
    for name in record.files:
        path, fetched = _bring(record, name)
        record = record.with_file(name, Stored(path.stat().st_size, sha256_of(path)))
        write_record(_unfinished_path(repo), asdict(record))
        yield Arrival(record, name, fetched)
    _link(folder_of(repo), path.parents[name.count("/")])
    write_record(_record_path(repo), asdict(record))
    _unfinished_path(repo).unlink()


def _plan(
    repo: str, revision: str | None, update: bool, choose: Callable[[list[str]], list[str]]
) -> Record:
    before = unfinished(repo) or record_of(repo)
    if before is not None and not update and revision in (None, before.commit):
        return before
    asked = revision or (before.revision if before else DEFAULT_REVISION)
    return _ask_hub(repo, asked, choose)


def _ask_hub(repo: str, revision: str, choose: Callable[[list[str]], list[str]]) -> Record:
    """The commit that a revision is now, and the files at it that are needed."""
    with _failures_told(repo, revision) as hub:
        found = hub.HfApi().model_info(
            repo, revision=revision, files_metadata=True, timeout=ANSWER_WITHIN_S
        )
    there = {each.rfilename: each for each in found.siblings or ()}
    try:
        names = choose(sorted(there))
    except LookupError as error:
        raise CheckpointError(f"{repo} has no {error.args[0]} at revision '{revision}'") from error
    files = {}
    for name in names:
        large = there[name].lfs
        files[name] = Stored(there[name].size or 0, large.sha256 if large else "")
    return Record(repo, revision, str(found.sha), files)


def _files_of_model(there: list[str]) -> list[str]:
    """Of the files in a model's repository, those that loading it reads."""
    return [name for part in PUBLISHED_PARTS for name in _files_in(f"{part}/", there)]


def _files_of_text_encoder(there: list[str]) -> list[str]:
    tokenizer = [name for name in TOKENIZER_FILES if name in there]
    if not tokenizer:
        raise LookupError(TOKENIZER_FILES[0])
    return [*tokenizer, *_files_in("", there)]


def _files_in(folder: str, there: list[str]) -> list[str]:
    """The configuration and the weights in a folder; LookupError names what there is none of."""
    config = f"{folder}config.json"
    if config not in there:
        raise LookupError(config)
    for name in WEIGHT_FILES:
        if f"{folder}{name}" in there:
            return [config, f"{folder}{name}"]
    for index in INDEX_FILES:
        if f"{folder}{index}" in there:
            stem, suffix = index.split(".")[:2]
            shards = [name for name in there if name.startswith(f"{folder}{stem}-")]
            return [config, f"{folder}{index}", *(n for n in shards if n.endswith(suffix))]
    raise LookupError(f"{folder}{WEIGHT_FILES[1]}")


def _bring(record: Record, name: str) -> tuple[Path, bool]:
    """The path of a file, which is whole, and whether it had to be brought."""
    with _failures_told(record.repo, record.revision, begun=True) as hub:
        cached = hub.try_to_load_from_cache(record.repo, name, revision=record.commit)
        is_here = isinstance(cached, str)
        if is_here and _is_whole(Path(cached), record.files[name]):
            return Path(cached), False
        path = hub.hf_hub_download(
            record.repo, name, revision=record.commit, force_download=is_here
        )
    if not _is_whole(Path(path), record.files[name]):
        raise CheckpointError(f"{record.repo}: {name} arrived broken; run the same command again")
    return Path(path), True


def _is_whole(path: Path, file: Stored) -> bool:
    return path.stat().st_size == file.size and file.sha256 in ("", sha256_of(path, again=True))


@contextmanager
def _failures_told(repo: str, revision: str, begun: bool = False) -> Iterator[Any]:
    """The hub's library; what goes wrong with it becomes one line that says what to do.

    `begun` says that the files are known, so that the next pull goes on with them.
    """
    try:
        import huggingface_hub
        import huggingface_hub.constants
        import huggingface_hub.errors
        import huggingface_hub.utils.logging
    except ImportError as error:
        raise CheckpointError(
            'pulling needs the huggingface_hub library: pip install "hartsim[weights]"'
        ) from error
    hub: Any = huggingface_hub
    hub.utils.logging.set_verbosity_error()  # we say what it would warn of
    try:
        yield hub
    except (hub.errors.HTTPError, OSError, RuntimeError, ValueError) as error:
        raise CheckpointError(f"{repo}: {_told(hub, error, revision, begun)}") from error


def _told(hub: Any, error: BaseException, revision: str, begun: bool) -> str:
    """What a failure of the hub's library means, and the remedy."""
    errors, endpoint = hub.errors, hub.constants.ENDPOINT
    wrapped = isinstance(error, errors.LocalEntryNotFoundError | ValueError)
    cause = error.__cause__ if wrapped and error.__cause__ is not None else error
    match cause:
        case errors.OfflineModeIsEnabled():
            return (
                "HF_HUB_OFFLINE forbids to ask the hub, and the cache does not have it all; "
                "unset it, or copy the cache of a machine that has it"
            )
        case errors.GatedRepoError():
            return f"ask for access at {endpoint}, then: hf auth login"
        case errors.RepositoryNotFoundError():
            return f"{endpoint} has no such repository, or not for you; perhaps: hf auth login"
        case errors.RevisionNotFoundError() | errors.EntryNotFoundError():
            return f"{endpoint} does not have it at revision '{revision}'; choose with --revision"
        case errors.HfHubHTTPError(response=response) if response.status_code in (401, 403):
            return f"{endpoint} refuses (status {response.status_code}); perhaps: hf auth login"
        case errors.HfHubHTTPError(response=response):
            return f"{endpoint} answers with status {response.status_code}; try again later"
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return f"no room in {hub.constants.HF_HUB_CACHE}; another place: HF_HOME=FOLDER"
        case OSError(filename=str(place)):
            return f"{place}: {cause.strerror}; another place: HF_HOME=FOLDER"
    lines = str(cause).splitlines() or [type(cause).__name__]
    if begun:
        return (
            f"{endpoint} cannot be reached, or broke off ({lines[0]}); check the connection, then "
            "run the same command again: it goes on from here"
        )
    return (
        f"{endpoint} cannot be reached ({lines[0]}); check the connection, or name a mirror with "
        "HF_ENDPOINT=URL, or use a copy: hart.weights=FOLDER"
    )


def _link(link: Path, target: Path) -> None:
    """Make a link lead to a folder, in one step."""
    aside = link.with_name(f".{link.name}.{os.getpid()}")
    aside.symlink_to(target.resolve(), target_is_directory=True)
    aside.replace(link)


def _record_path(repo: str) -> Path:
    return cache_folder() / "pulled" / f"{folder_name(repo)}.json"


def _unfinished_path(repo: str) -> Path:
    return cache_folder() / "pulled" / f"{folder_name(repo)}.unfinished.json"


def _read(path: Path) -> Record | None:
    content = read_record(path)
    if content is None:
        return None
    files = {name: Stored(**file) for name, file in content["files"].items()}
    return Record(content["repo"], content["revision"], content["commit"], files)
