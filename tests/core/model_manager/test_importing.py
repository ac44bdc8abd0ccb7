"""Models are taken over from files, folders and other stores, verified as downloads are."""

import errno
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from core.errors import CancelledError, ModelBrokenError, ModelMissingError
from core.model_manager import importing, store
from core.model_manager.catalog import Catalog, the_catalog
from core.model_manager.importing import import_model, importable_in
from core.model_manager.store import ModelState, Store, StoreUnusableError
from core.models.parameter_names import FAMILIES


@pytest.fixture
def checkpoint(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a checkpoint of a family, in half precision."""

    def written(name: str, family: str = "mt3", value: float = 0.0) -> Path:
        kind = FAMILIES[family]
        path = tmp_path / "from" / name
        path.parent.mkdir(exist_ok=True)
        save_file(
            {
                spelling.torch: np.full(spelling.shape, value, np.float16)
                for spelling in kind.spellings
            },
            path,
        )
        return path

    return written


@pytest.fixture
def kept(tmp_path: Path) -> Store:
    return Store(tmp_path / "models")


def published(monkeypatch: pytest.MonkeyPatch, model_id: str, path: Path) -> None:
    """Let the catalogue say that this very file was published as the model."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    entries = tuple(
        replace(
            entry,
            files=(replace(entry.files[0], sha256=digest, size_bytes=path.stat().st_size),),
        )
        if entry.id == model_id
        else entry
        for entry in the_catalog().entries
    )
    catalog = Catalog(entries, the_catalog().aliases)
    for module in (importing, store):
        monkeypatch.setattr(module, "the_catalog", lambda: catalog)


def test_a_published_file_is_recognised_by_its_digest_whatever_its_name(
    checkpoint: Callable[..., Path], kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = checkpoint("renamed.bin")
    published(monkeypatch, "mt3_pytorch", path)
    seen: list[float] = []
    entry = import_model(path, kept, on_fraction=seen.append)
    assert entry.id == "mt3_pytorch"
    assert kept.state_of(entry) is ModelState.INSTALLED
    assert kept.path_of(entry).read_bytes() == path.read_bytes()
    assert seen[-1] == pytest.approx(1.0, abs=0.01)


def test_files_of_one_network_and_one_name_are_told_apart_by_their_digests(
    checkpoint: Callable[..., Path], kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = checkpoint("model.ckpt", "yptf_moe_multi")
    published(monkeypatch, "yourmt3_moe_ps", path)
    entry = import_model(path, kept)
    assert entry.id == "yourmt3_moe_ps"
    assert kept.path_of(entry).name == "yourmt3_moe_ps.ckpt"
    with path.open("ab") as file:
        file.write(b" ")
    with pytest.raises(ModelMissingError, match="could be one of yourmt3, yourmt3_moe_ps"):
        import_model(path, kept)


def test_a_file_offered_as_another_model_is_refused_with_its_true_name(
    checkpoint: Callable[..., Path], kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = checkpoint("mt3.pth")
    published(monkeypatch, "mt3_pytorch", path)
    with pytest.raises(ModelBrokenError, match="is not 'mr_mt3' but 'mt3_pytorch'"):
        import_model(path, kept, model="mr_mt3")
    assert kept.installed_checkpoints() == {}


def test_a_file_with_another_digest_than_the_published_one_is_refused(
    checkpoint: Callable[..., Path], kept: Store
) -> None:
    with pytest.raises(
        ModelBrokenError, match="of 'mt3_pytorch', but it is damaged or not the published"
    ):
        import_model(checkpoint("mt3.pth"), kept)
    assert not list(kept.root.glob("mt3_pytorch*"))


def test_a_model_without_digest_is_told_by_its_network_and_name(
    checkpoint: Callable[..., Path], kept: Store
) -> None:
    path = checkpoint("exp_segmemV2_prev_context=32.ckpt", "mr_mt3")
    assert import_model(path, kept).id == "mr_mt3_32"


def test_a_model_that_could_be_several_asks_which(
    checkpoint: Callable[..., Path], kept: Store
) -> None:
    path = checkpoint("mine.ckpt", "mr_mt3")
    with pytest.raises(ModelMissingError, match="--as ID"):
        import_model(path, kept)
    assert import_model(path, kept, model="mr_mt3").id == "mr_mt3"


def test_the_second_copy_must_be_the_first_one(
    checkpoint: Callable[..., Path], kept: Store
) -> None:
    entry = import_model(checkpoint("a.ckpt", "mr_mt3"), kept, model="mr_mt3")
    kept.remove(entry)
    with pytest.raises(ModelBrokenError, match=r"not what was first verified.*digests\.json first"):
        import_model(checkpoint("b.ckpt", "mr_mt3", 1.0), kept, model="mr_mt3")


def test_another_machines_store_is_taken_over_whole(
    checkpoint: Callable[..., Path], kept: Store, tmp_path: Path
) -> None:
    other = Store(tmp_path / "usb")
    import_model(checkpoint("a.ckpt", "mr_mt3"), other, model="mr_mt3")
    found = [import_model(path, kept, model="mr_mt3") for path in importable_in(other.root)]
    assert [entry.id for entry in found] == ["mr_mt3"]


@pytest.mark.parametrize("name", ["models.zip", "mt3.tar.gz"])
def test_an_archive_is_refused_with_advice(kept: Store, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04")
    with pytest.raises(ModelMissingError, match="Unpack it"):
        import_model(tmp_path / name, kept)


def test_what_is_not_there_is_named(kept: Store, tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match=r"no 'gone\.pth'"):
        import_model(tmp_path / "gone.pth", kept)


def test_a_cancel_leaves_nothing_behind(checkpoint: Callable[..., Path], kept: Store) -> None:
    def cancel(_: float) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        import_model(checkpoint("a.ckpt", "mr_mt3"), kept, model="mr_mt3", on_fraction=cancel)
    assert list(kept.root.iterdir()) == []


def test_a_damaged_model_is_found_by_verify(checkpoint: Callable[..., Path], kept: Store) -> None:
    entry = import_model(checkpoint("a.ckpt", "mr_mt3"), kept, model="mr_mt3")
    kept.verify(entry)
    with kept.path_of(entry).open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"!")
    with pytest.raises(ModelBrokenError, match="is damaged"):
        kept.verify(entry)


def test_what_was_verified_is_on_record(checkpoint: Callable[..., Path], kept: Store) -> None:
    path = checkpoint("a.ckpt", "mr_mt3")
    entry = import_model(path, kept, model="mr_mt3")
    record = json.loads((kept.folder_of(entry) / "installed.json").read_text(encoding="utf-8"))
    assert record["sha256"] == {entry.files[0].name: hashlib.sha256(path.read_bytes()).hexdigest()}
    assert str(path) in record["origin"]


def test_importing_what_is_there_leaves_it_as_it_is(
    checkpoint: Callable[..., Path], kept: Store
) -> None:
    path = checkpoint("a.ckpt", "mr_mt3")
    entry = import_model(path, kept, model="mr_mt3")
    before = kept.path_of(entry).stat().st_ino
    assert import_model(path, kept, model="mr_mt3") == entry
    assert kept.path_of(entry).stat().st_ino == before


def test_an_import_ends_a_download_that_was_begun_and_a_failed_one_does_not(
    checkpoint: Callable[..., Path], kept: Store
) -> None:
    entry = the_catalog().entry("mr_mt3")
    part = kept.staging_of(entry) / "begun.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"half")
    with pytest.raises(ModelBrokenError):
        import_model(checkpoint("mt3.bin", "mt3"), kept, model="mr_mt3")
    assert part.read_bytes() == b"half"
    import_model(checkpoint("a.ckpt", "mr_mt3"), kept, model="mr_mt3")
    assert not part.parent.exists()


def test_the_store_of_another_toolkit_is_searched_for_known_names(
    checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    nested = tmp_path / ".mt3_checkpoints" / "mr" / "deep" / "mt3.pth"
    nested.parent.mkdir(parents=True)
    shutil.copy(checkpoint("mt3.pth"), nested)
    (nested.parent / "other.pt").write_bytes(b"something else")
    (nested.parent / "mt3.pth.notewright.safetensors").write_bytes(b"a cache")
    assert list(importable_in(tmp_path / ".mt3_checkpoints")) == [nested]


def test_the_only_weights_of_a_folder_are_meant_by_it(
    checkpoint: Callable[..., Path], kept: Store
) -> None:
    path = checkpoint("mine.safetensors", "mr_mt3")
    assert import_model(path.parent, kept, model="mr_mt3").id == "mr_mt3"


@pytest.mark.parametrize("names", [[], ["a.pt", "b.pt"], ["song.wav"]])
def test_a_folder_without_one_model_says_what_to_choose(
    kept: Store, tmp_path: Path, names: list[str]
) -> None:
    folder = tmp_path / "things"
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(b"x")
    assert list(importable_in(folder)) == []
    with pytest.raises(ModelMissingError, match="holds no single model"):
        import_model(folder, kept)


def test_a_model_that_cannot_be_run_yet_is_named(
    kept: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "last.ckpt"
    save_file({"weight": np.zeros(4, np.float32)}, path)
    entry = the_catalog().entry("yourmt3")
    file = replace(
        entry.files[0],
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        size_bytes=path.stat().st_size,
    )
    others = tuple(other for other in the_catalog().entries if other is not entry)
    catalog = Catalog(others, the_catalog().aliases, planned=(replace(entry, files=(file,)),))
    monkeypatch.setattr(importing, "the_catalog", lambda: catalog)
    with pytest.raises(ModelMissingError, match=r"is YourMT3\+, which .* cannot run yet"):
        import_model(path, kept)


def test_what_lies_in_the_store_need_not_be_imported(
    checkpoint: Callable[..., Path], kept: Store
) -> None:
    entry = import_model(checkpoint("a.ckpt", "mr_mt3"), kept, model="mr_mt3")
    with pytest.raises(ModelMissingError, match="in the store already, as 'mr_mt3'"):
        import_model(kept.path_of(entry), kept)


def test_a_full_disk_is_named_before_copying(
    checkpoint: Callable[..., Path], kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = store.shutil.disk_usage("/")
    monkeypatch.setattr(store.shutil, "disk_usage", lambda _: usage._replace(free=1_000))
    with pytest.raises(StoreUnusableError, match=r"'a\.ckpt' needs 97 MB more"):
        import_model(checkpoint("a.ckpt", "mr_mt3"), kept, model="mr_mt3")
    assert list(kept.root.iterdir()) == []


def test_a_disk_that_fills_up_leaves_nothing_behind(
    checkpoint: Callable[..., Path], kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(importing.os, "fsync", full)
    with pytest.raises(StoreUnusableError, match="The disk is full"):
        import_model(checkpoint("a.ckpt", "mr_mt3"), kept, model="mr_mt3")
    assert list(kept.root.iterdir()) == []
