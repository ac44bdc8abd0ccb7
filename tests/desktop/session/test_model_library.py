from pathlib import Path

import pytest

from core.engine.progress import CancelToken
from core.errors import AppError, ModelMissingError
from core.model_manager.store import ModelState, Store
from core.score.instruments import StemKind
from desktop.session.model_getting import import_into
from desktop.session.model_library import ModelLibrary
from desktop.session.model_work import Doing, Remedy
from tests.desktop.fakes import CATALOG

pytestmark = pytest.mark.gui
MT3 = "mt3_magenta"


def put(library, shelf, model_id):
    shelf.put(CATALOG.entry(model_id), Store(library.room.folder))


def download(library, qtbot, model_id=MT3):
    with qtbot.waitSignal(library.installed):
        library.download(model_id)


def work_ended(library, model_id=MT3):
    return lambda: library.model(model_id).work is None


def test_the_built_in_model_is_first_and_always_usable(library):
    assert [model.model_id for model in library.models] == ["built-in", MT3, "mr_mt3"]
    assert [model.is_installed for model in library.models] == [True, False, False]
    assert library.is_usable("built-in")
    assert library.is_usable("auto")
    assert not library.is_usable(MT3)


def test_what_lies_in_the_store_is_known_at_once(qtbot, tmp_path, shelf):
    store = Store(tmp_path / "models")
    shelf.put(CATALOG.entry(MT3), store)
    library = ModelLibrary(store, CATALOG)
    assert library.is_usable(MT3)
    assert library.checkpoints() == ((MT3, store.root / MT3),)
    library.close()


def test_a_download_is_told_while_it_runs_and_usable_at_its_end(library, shelf, qtbot):
    shelf.gate.clear()
    library.download(MT3)
    qtbot.waitUntil(lambda: shelf.asked == [MT3])
    assert library.model(MT3).work.doing is Doing.DOWNLOADING
    assert not library.is_usable(MT3)
    with qtbot.waitSignals([library.installedChanged, library.installed]):
        shelf.gate.set()
    model = library.model(MT3)
    assert (model.work, model.failure, model.state) == (None, None, ModelState.INSTALLED)
    assert model.here_bytes == 4_000
    assert library.room.used_bytes == 4_000


def test_progress_is_bytes_rate_and_time_left(library, shelf, qtbot):
    shelf.gate.clear()
    library.download(MT3)
    qtbot.waitUntil(lambda: library.model(MT3).work.bytes_per_s > 0)
    work = library.model(MT3).work
    assert (work.total_bytes, work.bytes_per_s) == (4_000, 500.0)
    assert work.left_s == pytest.approx((4_000 - work.done_bytes) / 500.0)
    library.cancel(MT3)
    qtbot.waitUntil(work_ended(library))


def test_a_cancelled_download_is_no_failure_and_can_be_started_again(library, shelf, qtbot):
    shelf.gate.clear()
    library.download(MT3)
    qtbot.waitUntil(lambda: shelf.asked == [MT3])
    library.cancel(MT3)
    qtbot.waitUntil(work_ended(library))
    assert library.model(MT3).failure is None
    shelf.gate.set()
    download(library, qtbot)
    assert library.is_usable(MT3)


def test_a_second_request_for_the_same_model_is_the_first_one(library, shelf, qtbot):
    shelf.gate.clear()
    library.download(MT3)
    library.download(MT3)
    with qtbot.waitSignal(library.installed):
        shelf.gate.set()
    assert shelf.asked == [MT3]


def test_a_failed_download_says_what_can_be_done(library, shelf, qtbot):
    shelf.problem = AppError("The disk is full.", "Free some space and try again.")
    library.download(MT3)
    qtbot.waitUntil(lambda: library.model(MT3).failure is not None)
    failure = library.model(MT3).failure
    assert (failure.problem, failure.remedy) == (
        "The disk is full.",
        "Free some space and try again.",
    )
    assert failure.remedies == (Remedy.TRY_AGAIN, Remedy.IMPORT)
    shelf.problem = None
    download(library, qtbot)
    assert library.model(MT3).failure is None


def test_buttons_take_the_place_of_commands_of_the_terminal(library, shelf, qtbot):
    shelf.problem = AppError("It is damaged.", "Get it again: 'notewright models download x'.")
    library.download(MT3)
    qtbot.waitUntil(lambda: library.model(MT3).failure is not None)
    assert library.model(MT3).failure.remedy == ""


def test_a_damaged_model_is_found_and_can_be_got_again(library, shelf, qtbot):
    put(library, shelf, MT3)  # full of x, which is not what the catalogue's digests say
    library.refresh()
    qtbot.waitUntil(lambda: library.is_usable(MT3))
    library.check(MT3)
    qtbot.waitUntil(work_ended(library))
    failure = library.model(MT3).failure
    assert "damaged" in failure.problem
    assert failure.remedies == (Remedy.GET_AGAIN,)
    with qtbot.waitSignal(library.installed):
        library.get_again(MT3)
    assert shelf.asked == [MT3]
    assert library.model(MT3).failure is None


def test_a_whole_model_is_marked_as_checked(library, shelf, qtbot):
    put(library, shelf, "mr_mt3")  # whose digest nobody published
    entry = library.model("mr_mt3").entry
    assert entry.files[0].sha256 == "0" * 64
    library.refresh()
    qtbot.waitUntil(lambda: library.is_usable("mr_mt3"))
    library.check("mr_mt3")
    qtbot.waitUntil(work_ended(library, "mr_mt3"))
    assert not library.model("mr_mt3").was_checked
    library.dismiss("mr_mt3")
    assert library.model("mr_mt3").failure is None


def test_a_removed_model_is_not_usable_and_its_room_is_free(library, shelf, qtbot):
    download(library, qtbot)
    with qtbot.waitSignal(library.installedChanged):
        library.remove(MT3)
    assert not library.is_usable(MT3)
    assert library.room.used_bytes == 0
    assert not (library.room.folder / MT3).exists()


def test_an_import_comes_in_as_a_model(library, shelf, qtbot, tmp_path):
    shelf.gate.clear()
    library.import_from(tmp_path / "mt3.pth")
    qtbot.waitUntil(lambda: library.importing.work.done_bytes == 1_000)
    with qtbot.waitSignal(library.installed) as came:
        shelf.gate.set()
    assert came.args == [MT3]
    assert library.importing is None


def test_a_cancelled_import_is_forgotten(library, shelf, qtbot, tmp_path):
    shelf.gate.clear()
    library.import_from(tmp_path / "mt3.pth")
    qtbot.waitUntil(lambda: bool(shelf.asked))
    library.cancel_import()
    qtbot.waitUntil(lambda: library.importing is None)
    assert not library.is_usable(MT3)


def test_a_failed_import_stays_until_it_is_closed(library, shelf, qtbot, tmp_path):
    shelf.problem = ModelMissingError("It could be one of a, b.", "Say which one with --as ID.")
    library.import_from(tmp_path / "x.ckpt", "mr_mt3")
    qtbot.waitUntil(lambda: library.importing.failure is not None)
    assert library.importing.model_id == "mr_mt3"
    assert library.importing.failure.remedy == ("Use 'Import…' on the row of the model that it is.")
    library.cancel_import()
    assert library.importing is None


def test_what_another_program_installed_is_seen_at_the_next_look(library, shelf, qtbot):
    put(library, shelf, MT3)
    with qtbot.waitSignal(library.installedChanged):
        library.refresh()
    assert library.is_usable(MT3)
    assert library.room.free_bytes > 0


def test_auto_takes_the_best_installed_model_and_says_why(library, qtbot):
    assert library.best_for(StemKind.GUITAR).model_id == "built-in"
    download(library, qtbot)
    best = library.best_for(StemKind.GUITAR)
    assert best.model_id == MT3
    assert "best for guitar" in best.reason


def test_closing_stops_a_running_download(library, shelf, qtbot):
    shelf.gate.clear()
    library.download(MT3)
    qtbot.waitUntil(lambda: shelf.asked == [MT3])
    library.close()
    assert not (library.room.folder / MT3).exists()


def test_a_folder_without_models_is_refused_in_words(tmp_path):
    folder = tmp_path / "holiday"
    folder.mkdir()
    with pytest.raises(ModelMissingError, match="There is no model in the folder 'holiday'"):
        import_into(folder, Store(tmp_path / "models"), None, lambda _: None, CancelToken())


def test_a_file_that_is_no_model_is_refused_in_words(tmp_path):
    path = tmp_path / "song.ckpt"
    path.write_bytes(b"la la la" * 100)
    with pytest.raises(AppError, match=r"song\.ckpt"):
        import_into(Path(path), Store(tmp_path / "models"), None, lambda _: None, CancelToken())
