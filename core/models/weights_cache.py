"""The copy of a checkpoint that is mapped into memory: under our names, in float32, in one file.

It lies beside the checkpoint, or in its folder. It is used as long as the files it was made from
have the size and the time they had, and its own values are those that were written.
"""

import hashlib
import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from core.errors import ModelBrokenError, printable_name
from core.models.blocks import magenta_frequencies
from core.models.checkpoint_report import (
    CACHE_SUFFIX,
    FileFormat,
    checkpoint_files,
    compared,
    open_checkpoint,
)
from core.models.parameter_names import ModelFamily, Spelling
from core.models.safetensors_file import (
    CHECKSUM,
    is_as_written,
    safetensors_metadata,
    safetensors_parameters,
    write_safetensors,
)
from core.models.stored_parameter import Array, Shape, broken_checkpoint
from core.models.t5x import CHECKPOINT_FILE

LAYOUT = "1"  # of the copy; another number makes all copies anew
STALE_DRAFT_S = 3600.0  # a conversion takes seconds: older drafts were left by one that was killed

_log = logging.getLogger(__name__)


def converted_parameters(path: Path, family: ModelFamily) -> Iterator[tuple[str, Array]]:
    """Yield the parameters of a checkpoint under our names, in the order of the family's table.

    Values are finite float32; frequencies that a T5X checkpoint leaves to Magenta's formula are
    float64. Nothing is read of a file whose headers do not fit.

    Raises:
        ModelMissingError: there is nothing at `path`.
        ModelBrokenError: it is damaged, unsafe, or of another network.
    """
    checkpoint = open_checkpoint(path)
    comparison = compared(checkpoint, family)
    if comparison.missing or comparison.misshapen:
        raise _other_network(path, family, comparison.missing, comparison.misshapen)
    stored = {parameter.name: parameter for parameter in checkpoint.parameters}
    names = {spelling.ours: name for name, spelling in comparison.names.items()}
    is_t5x = checkpoint.format is FileFormat.T5X
    for spelling in family.spellings:
        if spelling.ours not in names:
            yield spelling.ours, _computed(spelling)
            continue
        values = stored[names[spelling.ours]].read()
        if not np.isfinite(values).all():
            raise broken_checkpoint(
                path, f"'{names[spelling.ours]}' in it holds values that are no numbers"
            )
        turned = is_t5x and spelling.t5x_is_transposed
        yield spelling.ours, np.ascontiguousarray(values.T) if turned else values


def cache_path(path: Path) -> Path:
    """Return where the copy of a checkpoint lies, whether or not it has been made."""
    if path.name == CHECKPOINT_FILE and path.is_file():
        path = path.parent
    return path / CACHE_SUFFIX if path.is_dir() else path.with_name(path.name + CACHE_SUFFIX)


def cached_safetensors(path: Path, family: ModelFamily) -> Path | None:
    """Return a current copy of a checkpoint, made first if need be; None where none can be kept.

    Several programs may ask at once: each writes a draft of its own and moves it into place.

    Raises:
        ModelMissingError: there is nothing at `path`.
        ModelBrokenError: it is damaged, unsafe, or of another network.
    """
    cache = cache_path(path)
    if path.exists() and _is_current(cache, path, family):
        return cache
    stamp = _stamp(path, family)
    try:
        with tempfile.NamedTemporaryFile(
            prefix=f"{cache.name}.", dir=cache.parent, delete=False
        ) as file:
            draft = Path(file.name)
    except OSError as error:
        _log.info("no copy of %s is kept for faster loading: %s", printable_name(path), error)
        return None
    try:
        write_safetensors(draft, converted_parameters(path, family), _contents(path, family), stamp)
        shutil.copymode(checkpoint_files(path)[0], draft)
        draft.replace(cache)
    except OSError as error:  # the disk is full, or another program holds the old copy (Windows)
        _log.info("no copy of %s is kept for faster loading: %s", printable_name(path), error)
        return cache if _is_current(cache, path, family) else None
    finally:
        draft.unlink(missing_ok=True)
        _remove_stale_drafts(cache)
    _log.info("a copy of %s was made for faster loading", printable_name(path))
    return cache


def _computed(spelling: Spelling) -> Array:
    frequencies: Array = magenta_frequencies(2 * spelling.shape[0]).numpy()
    return frequencies


def _contents(path: Path, family: ModelFamily) -> dict[str, tuple[Shape, np.dtype[np.generic]]]:
    """Return shape and number format of everything in a copy; computed frequencies are float64."""
    is_t5x = path.is_dir() or path.name == CHECKPOINT_FILE
    return {
        spelling.ours: (
            spelling.shape,
            np.dtype(np.float64 if is_t5x and spelling.is_computed else np.float32),
        )
        for spelling in family.spellings
    }


def _stamp(path: Path, family: ModelFamily) -> dict[str, str]:
    """Return what tells of which files, as they are, a copy was made."""
    digest = hashlib.sha256()
    with suppress(OSError, ValueError):  # what cannot be read is said by who reads it
        for file in checkpoint_files(path):
            status = file.stat()
            digest.update(f"{file.name} {status.st_size} {status.st_mtime_ns}\n".encode(
                errors="surrogateescape"))  # fmt: skip
    return {"layout": LAYOUT, "family": family.name, "source": digest.hexdigest()}


def _is_current(cache: Path, path: Path, family: ModelFamily) -> bool:
    """Tell whether a copy is there, of the files as they are, and whole."""
    try:
        if not cache.is_file():
            return False
        found = dict(safetensors_metadata(cache))
        found.pop(CHECKSUM, None)
        if found != _stamp(path, family):
            return False
        written = {each.name: (each.shape, each.dtype) for each in safetensors_parameters(cache)}
        wanted = {
            name: (shape, dtype.name) for name, (shape, dtype) in _contents(path, family).items()
        }
        if written == wanted and is_as_written(cache):
            return True
    except (ModelBrokenError, OSError, ValueError) as error:
        _log.debug("%s: %s", cache, error)
    _log.warning("the copy %s is damaged and will be made anew", printable_name(cache))
    return False


def _remove_stale_drafts(cache: Path) -> None:
    for draft in cache.parent.glob(f"{cache.name}.*"):
        with suppress(OSError):
            if time.time() - draft.stat().st_mtime > STALE_DRAFT_S:
                draft.unlink()


def _other_network(
    path: Path, family: ModelFamily, missing: tuple[str, ...], misshapen: tuple[str, ...]
) -> ModelBrokenError:
    lacking = f"'{missing[0]}' is not in it" if missing else f"'{misshapen[0]}' has another shape"
    others = len(missing) + len(misshapen) - 1
    more = f" ({others} more differ)" if others else ""
    return ModelBrokenError(
        f"'{printable_name(path)}' is no checkpoint of {family.name}: {lacking}{more}.",
        "Look what it is with 'notewright models inspect', and choose that model.",
    )
