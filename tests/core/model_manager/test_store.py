"""What is in the store, whether it can be trusted, and what removing deletes."""

import json
import os
from pathlib import Path

import pytest

from core.errors import CancelledError, ModelBrokenError, ModelMissingError
from core.model_manager import store as store_module
from core.model_manager.catalog import Catalog, the_catalog
from core.model_manager.store import ModelState, Store, StoreBusyError, default_store
from core.model_manager.verification import Assurance, remembered_digests
from tests.core.model_manager.make_model import (
    entry_of,
    folder_entry_of,
    laid_by_hand,
    sha256,
)

URL = "https://models.invalid/"
BODY = b"weights" * 1_000
BODIES = {"checkpoint": b"tree" * 100, "target.a/0.0": b"matrix" * 1_000}
ENTRY = entry_of(URL, BODY)
FOLDER = folder_entry_of(URL, BODIES)
UNKNOWN = entry_of(URL, BODY, sha256=None, size_bytes=None)

pytestmark = pytest.mark.usefixtures("any_network")


@pytest.fixture
def kept(tmp_path: Path) -> Store:
    return Store(tmp_path / "models")


@pytest.fixture
def installed(kept: Store) -> Store:
    """Return a store in which the folder model is installed."""
    laid_by_hand(kept, FOLDER, BODIES)
    kept.verify(FOLDER)
    return kept


def test_an_empty_store_misses_everything(kept: Store) -> None:
    assert kept.state_of(ENTRY) is ModelState.MISSING
    assert kept.size_of(ENTRY) == 0
    assert kept.installed_checkpoints() == {}
    assert not kept.root.exists()


def test_the_built_in_model_is_always_there(kept: Store) -> None:
    entry = the_catalog().entries[0]
    assert kept.state_of(entry) is ModelState.INSTALLED
    assert kept.verify(entry) is Assurance.PUBLISHED


def test_a_copied_file_is_trusted_only_after_it_was_verified(kept: Store) -> None:
    laid_by_hand(kept, ENTRY, {"model.bin": BODY})
    assert kept.state_of(ENTRY) is ModelState.UNVERIFIED
    assert kept.verify(ENTRY) is Assurance.PUBLISHED
    assert kept.state_of(ENTRY) is ModelState.INSTALLED


def test_a_copied_file_with_another_digest_is_never_trusted(kept: Store) -> None:
    laid_by_hand(kept, ENTRY, {"model.bin": BODY[::-1]})
    with pytest.raises(ModelBrokenError, match="not what was published as 'demo'"):
        kept.verify(ENTRY)
    assert kept.state_of(ENTRY) is ModelState.UNVERIFIED


def test_the_first_verified_copy_without_a_published_digest_is_remembered(kept: Store) -> None:
    laid_by_hand(kept, UNKNOWN, {"model.bin": BODY})
    assert kept.verify(UNKNOWN) is Assurance.FIRST
    assert remembered_digests(kept.pins_of(UNKNOWN)) == {"model.bin": sha256(BODY)}
    assert kept.verify(UNKNOWN) is Assurance.REMEMBERED


def test_what_is_remembered_outlives_the_model(kept: Store) -> None:
    laid_by_hand(kept, UNKNOWN, {"model.bin": BODY})
    kept.verify(UNKNOWN)
    kept.remove(UNKNOWN)
    laid_by_hand(kept, UNKNOWN, {"model.bin": BODY[::-1]})
    with pytest.raises(ModelBrokenError, match="not what was first verified"):
        kept.verify(UNKNOWN)


def test_what_is_no_checkpoint_is_not_remembered(
    kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def misfit(_entry: object, _path: object) -> None:
        raise ModelBrokenError("No checkpoint.", "Get it again.")

    monkeypatch.setattr(store_module, "check_fits", misfit)
    laid_by_hand(kept, UNKNOWN, {"model.bin": BODY})
    with pytest.raises(ModelBrokenError, match="No checkpoint"):
        kept.verify(UNKNOWN)
    assert not kept.pins_of(UNKNOWN).exists()
    assert kept.state_of(UNKNOWN) is ModelState.UNVERIFIED


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.unlink(), r"'target\.a/0\.0' is missing"),
        (lambda path: path.write_bytes(b"short"), r"has 5 bytes instead of 6000"),
        (lambda path: path.write_bytes(b""), r"has 0 bytes instead of 6000"),
    ],
)
def test_what_is_wrong_with_a_damaged_model_is_said(installed: Store, spoil, said: str) -> None:
    spoil(installed.folder_of(FOLDER) / "target.a/0.0")
    assert installed.state_of(FOLDER) is ModelState.DAMAGED
    with pytest.raises(ModelBrokenError, match=said):
        installed.verify(FOLDER)


def test_a_changed_byte_is_found_by_verifying(installed: Store) -> None:
    (installed.folder_of(FOLDER) / "checkpoint").write_bytes(BODIES["checkpoint"][::-1])
    assert installed.state_of(FOLDER) is ModelState.INSTALLED
    with pytest.raises(ModelBrokenError, match="damaged"):
        installed.verify(FOLDER)


def test_a_record_of_another_version_does_not_count(installed: Store) -> None:
    newer = folder_entry_of(URL, BODIES, sha256="0" * 64)
    assert installed.state_of(newer) is ModelState.UNVERIFIED


@pytest.mark.parametrize("text", ["", "{", "[]", '{"sha256": 3}', '{"sha256": {}}'])
def test_a_record_that_cannot_be_read_does_not_count(installed: Store, text: str) -> None:
    (installed.folder_of(FOLDER) / "installed.json").write_text(text)
    assert installed.state_of(FOLDER) is ModelState.UNVERIFIED


def test_the_record_says_what_was_verified_when_and_where_from(installed: Store) -> None:
    record = json.loads((installed.folder_of(FOLDER) / "installed.json").read_text())
    assert record["model"] == "demo"
    assert record["origin"] == "found in the store"
    assert record["installed"].endswith("+00:00")
    assert record["size_bytes"] == {name: len(body) for name, body in BODIES.items()}
    assert record["sha256"] == {name: sha256(body) for name, body in BODIES.items()}


def test_verifying_can_be_cancelled(installed: Store) -> None:
    def cancel(_: int) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        installed.verify(FOLDER, cancel)


def test_removing_frees_what_the_model_took(installed: Store) -> None:
    cache = installed.folder_of(FOLDER) / ".notewright.safetensors"
    cache.write_bytes(bytes(1_000))
    assert installed.remove(FOLDER) == 6_400 + 1_000
    assert not installed.folder_of(FOLDER).exists()
    assert installed.state_of(FOLDER) is ModelState.MISSING


def test_removing_leaves_the_files_of_others(installed: Store) -> None:
    notes = installed.folder_of(FOLDER) / "target.a" / "my notes.txt"
    notes.write_text("mine")
    installed.remove(FOLDER)
    assert notes.read_text() == "mine"
    assert sorted(path.name for path in installed.root.rglob("*")) == [
        "demo",
        "my notes.txt",
        "target.a",
    ]


def test_a_model_comes_back_beside_the_files_of_others(installed: Store) -> None:
    notes = installed.folder_of(FOLDER) / "my notes.txt"
    notes.write_text("mine")
    installed.remove(FOLDER)
    staging = installed.staging_of(FOLDER)
    for name, body in BODIES.items():
        (staging / name).parent.mkdir(parents=True, exist_ok=True)
        (staging / name).write_bytes(body)
    installed.place(FOLDER, {name: sha256(body) for name, body in BODIES.items()}, "test")
    assert installed.state_of(FOLDER) is ModelState.INSTALLED
    assert notes.read_text() == "mine"
    assert not staging.exists()


def test_removing_follows_no_link(installed: Store, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "0.0").write_text("mine")
    folder = installed.folder_of(FOLDER)
    (folder / "target.a/0.0").unlink()
    (folder / "target.a").rmdir()
    (folder / "target.a").symlink_to(precious)
    installed.remove(FOLDER)
    assert (precious / "0.0").read_text() == "mine"


def test_of_a_model_that_is_a_link_only_the_link_is_removed(
    installed: Store, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    installed.folder_of(FOLDER).rename(elsewhere)
    installed.folder_of(FOLDER).symlink_to(elsewhere)
    assert installed.state_of(FOLDER) is ModelState.INSTALLED
    installed.remove(FOLDER)
    assert installed.state_of(FOLDER) is ModelState.MISSING
    assert (elsewhere / "checkpoint").is_file()


def test_what_is_not_there_cannot_be_removed(kept: Store) -> None:
    with pytest.raises(ModelMissingError, match="nothing to remove"):
        kept.remove(ENTRY)


def test_what_is_being_worked_on_cannot_be_removed(installed: Store) -> None:
    with installed.locked(FOLDER), pytest.raises(StoreBusyError, match="at work on the model"):
        installed.remove(FOLDER)


def test_a_begun_download_is_shown_and_can_be_discarded(kept: Store) -> None:
    part = kept.staging_of(ENTRY) / "model.bin.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(bytes(500))
    assert kept.state_of(ENTRY) is ModelState.PARTLY
    assert kept.staged_bytes(ENTRY) == 500
    kept.discard(ENTRY)
    assert kept.state_of(ENTRY) is ModelState.MISSING
    assert list(kept.root.iterdir()) == []


def test_the_engine_gets_what_is_verified_and_nothing_else(
    kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "the_catalog", lambda: Catalog((ENTRY,), {}))
    laid_by_hand(kept, ENTRY, {"model.bin": BODY})
    assert kept.installed_checkpoints() == {"demo": kept.root / "demo" / "model.bin"}
    (kept.root / "demo" / "model.bin").write_bytes(BODY[::-1] + b"!")
    assert kept.installed_checkpoints() == {}


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_store_that_cannot_be_written_can_be_read(installed: Store) -> None:
    for folder in (installed.root, installed.folder_of(FOLDER)):
        folder.chmod(0o500)
    try:
        assert installed.state_of(FOLDER) is ModelState.INSTALLED
        assert installed.verify(FOLDER) is Assurance.PUBLISHED
    finally:
        for folder in (installed.root, installed.folder_of(FOLDER)):
            folder.chmod(0o700)


def test_a_copied_model_on_a_medium_that_cannot_be_written_is_used(
    kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(store_module, "the_catalog", lambda: Catalog((ENTRY,), {}))
    monkeypatch.setattr(store_module, "held", refuse)
    laid_by_hand(kept, ENTRY, {"model.bin": BODY})
    assert list(kept.installed_checkpoints()) == ["demo"]
    assert not (kept.folder_of(ENTRY) / "installed.json").exists()


def test_the_environment_names_the_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MT3_CHECKPOINT_DIR", str(tmp_path))
    assert default_store() == Store(tmp_path)


def test_without_a_word_the_store_lies_in_the_users_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MT3_CHECKPOINT_DIR")
    root = default_store().root
    assert root.is_absolute()
    assert root.parts[-2:] == ("notewright", "models")
