"""Whether files are what they are said to be: published digests, remembered ones, the network."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from core.errors import ModelBrokenError
from core.model_manager.catalog import CatalogEntry
from core.model_manager.record import read_json, write_json
from core.models.checkpoint_report import inspect_checkpoint


class Assurance(StrEnum):
    """What the files of a model were compared with."""

    PUBLISHED = "the published digests"
    REMEMBERED = "the digests of the first verified copy"
    FIRST = "the layout of the network only, since no digests were published"


def compare(entry: CatalogEntry, digests: Mapping[str, str], pins: Path) -> Assurance:
    """Compare digests by file name with the published ones, or those remembered at `pins`.

    Raises:
        ModelBrokenError: one differs.
    """
    remembered = remembered_digests(pins)
    for file in entry.files:
        wanted = file.sha256 or remembered.get(file.name)
        if wanted is not None and digests[file.name] != wanted:
            raise wrong_digest(entry, file.name, digests[file.name], wanted, pins)
    if entry.has_published_digests:
        return Assurance.PUBLISHED
    return Assurance.REMEMBERED if remembered else Assurance.FIRST


def wrong_digest(
    entry: CatalogEntry, name: str, found: str, wanted: str, pins: Path
) -> ModelBrokenError:
    """Return the error for a file that is not what it should be."""
    is_published = any(file.name == name and file.sha256 for file in entry.files)
    what = "what was published as" if is_published else "what was first verified as"
    remedy = f"Get it again: 'notewright models download {entry.id}'."
    if not is_published:
        remedy += f" If its publisher has renewed it, delete {pins} first."
    return ModelBrokenError(
        f"'{name}' is damaged, or not {what} '{entry.id}': its SHA-256 is {found[:12]}… instead "
        f"of {wanted[:12]}….",
        remedy,
    )


def remembered_digests(pins: Path) -> dict[str, str]:
    """Return digests by file name that the first verified copy of a model had."""
    digests = read_json(pins).get("sha256", {})
    return dict(digests) if isinstance(digests, dict) else {}


def remember(entry: CatalogEntry, digests: Mapping[str, str], pins: Path) -> None:
    """Keep the digests that no publisher names, unless some are kept already."""
    unnamed = {file.name for file in entry.files if file.sha256 is None}
    if unnamed and not remembered_digests(pins):
        named = {name: digests[name] for name in sorted(unnamed)}
        write_json(pins, {"model": entry.id, "sha256": named})


def check_fits(entry: CatalogEntry, path: Path) -> None:
    """Refuse a checkpoint that is not of the entry's family, whatever its digest.

    Raises:
        ModelBrokenError: it is of another network, damaged, or no checkpoint.
    """
    report = inspect_checkpoint(path)
    if not report.can_be(entry.family):
        found = f"one of {report.family}" if report.family else "of another network"
        lacks = f" without '{report.missing[0]}'" if report.missing else ""
        raise ModelBrokenError(
            f"What came for '{entry.id}' is no checkpoint of {entry.family} but {found}{lacks}.",
            f"Get it again: 'notewright models download {entry.id}'.",
        )
