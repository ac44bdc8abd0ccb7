"""`notewright models ...`: list, download, import, verify, remove and inspect models."""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO, TypeVar

from core.engine.progress import CancelToken
from core.errors import AppError, CancelledError, ModelMissingError, printable_name
from core.model_manager.catalog import CatalogEntry, the_catalog
from core.model_manager.download import download_model
from core.model_manager.importing import import_model, importable_in
from core.model_manager.progress import DownloadProgress
from core.model_manager.record import OnBytes
from core.model_manager.store import ModelState, Store, default_store
from core.model_manager.verification import Assurance
from core.models.checkpoint_report import CheckpointReport, inspect_checkpoint
from core.report import table_text

EXIT_DONE, EXIT_FAILED, EXIT_CANCELLED = 0, 1, 130
SECONDS_BETWEEN_LINES = 0.1
MOST_NAMES = 3  # of parameters that are missing and the like

_T = TypeVar("_T")


def add_models_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `models` and what can be done with them."""
    models = commands.add_parser("models", help="list, get, check and remove models")
    _add_json(models)
    models.set_defaults(command=_list)
    acts = models.add_subparsers(metavar="ACT")
    listing = acts.add_parser("list", help="the models there are, and which of them are here")
    _add_json(listing)
    listing.set_defaults(command=_list)
    download = acts.add_parser("download", help="get models from where they were published")
    _add_ids(download, "+")
    download.set_defaults(command=_download)
    importing = acts.add_parser("import", help="take over a file, a folder or another store")
    importing.add_argument("path", type=Path, metavar="PATH")
    importing.add_argument("--as", dest="model", metavar="ID", help="which model it is")
    importing.set_defaults(command=_import)
    verify = acts.add_parser("verify", help="compare installed models with their digests")
    _add_ids(verify, "*", "see `models list`; without any, all that are here")
    _add_json(verify)
    verify.set_defaults(command=_verify)
    remove = acts.add_parser("remove", help="delete models, or what was begun of a download")
    _add_ids(remove, "+")
    remove.set_defaults(command=_remove)
    inspecting = acts.add_parser("inspect", help="tell what a checkpoint is without loading it")
    inspecting.add_argument("path", type=Path, metavar="PATH")
    _add_json(inspecting)
    inspecting.set_defaults(command=_inspect)


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print JSON")


def _add_ids(command: argparse.ArgumentParser, count: str, what: str = "see `models list`") -> None:
    command.add_argument("ids", nargs=count, metavar="ID", help=what)


def _list(options: argparse.Namespace, _cancel: CancelToken) -> int:
    store = default_store()
    entries = the_catalog().entries
    if options.json:
        print(json.dumps([_row(entry, store) for entry in entries], indent=2))
        return EXIT_DONE
    heads = ("ID", "STATE", "SIZE", "LICENCE", "GOOD AT")
    print(table_text(heads, [
        (entry.id, _state(entry, store), _size(entry, store), entry.licence, entry.good_at)
        for entry in entries
    ]))  # fmt: skip
    others = ", ".join(f"{alias} = {model}" for alias, model in the_catalog().aliases.items())
    print(f"\nModels lie in {store.root}\nOther names: {others}")
    if the_catalog().planned:
        planned = ", ".join(entry.id for entry in the_catalog().planned)
        print(f"Known, but not yet to be run: {planned}")
    return EXIT_DONE


def _row(entry: CatalogEntry, store: Store) -> dict[str, object]:
    state = store.state_of(entry)
    is_here = state is ModelState.INSTALLED
    return {
        "id": entry.id,
        "title": entry.title,
        "family": entry.family,
        "installed": is_here,
        "state": state,
        "size_bytes": entry.expected_bytes,
        "here_bytes": 0 if entry.is_built_in else store.size_of(entry),
        "has_published_digests": entry.has_published_digests,
        "digests_from": entry.digests_from,
        "licence": entry.licence,
        "good_at": entry.good_at,
        "suits": list(entry.suits),
        "note": entry.note,
        "paper": entry.paper,
        "homepage": entry.homepage,
        "path": str(store.path_of(entry)) if is_here and not entry.is_built_in else None,
    }


def _state(entry: CatalogEntry, store: Store) -> str:
    state = store.state_of(entry)
    if state is ModelState.PARTLY:
        return f"{_megabytes(store.staged_bytes(entry))} here"
    return str(state)


def _size(entry: CatalogEntry, store: Store) -> str:
    if entry.is_built_in:
        return ""
    if store.state_of(entry) is ModelState.INSTALLED:
        return _megabytes(store.size_of(entry))
    about = "" if entry.size_bytes is not None else "about "
    return f"{about}{_megabytes(entry.expected_bytes)}" if entry.expected_bytes else "?"


def _download(options: argparse.Namespace, cancel: CancelToken) -> int:
    store = default_store()
    kept = "What was downloaded is kept: the next download goes on from it."
    return _each(options.ids, lambda entry: _download_one(entry, store, cancel), kept)


def _download_one(entry: CatalogEntry, store: Store, cancel: CancelToken) -> None:
    if entry.is_built_in:
        print(f"{entry.id} comes with Notewright; there is nothing to get.")
        return
    if store.state_of(entry) is ModelState.INSTALLED:
        print(f"{entry.id} is installed already.")
        return
    with _line(sys.stderr) as show:
        path = download_model(
            entry, store, on_progress=lambda now: show(_rate(entry, now)), cancel=cancel
        )
    if entry.has_published_digests:
        remark = "verified"
    else:
        remark = "verified as far as possible: its digest is remembered for the next time"
    print(f"{entry.id} is installed in {path} ({remark}).")


def _rate(entry: CatalogEntry, now: DownloadProgress) -> str:
    if now.total_bytes and now.done_bytes >= now.total_bytes:
        return f"{entry.id}: checking what came"
    done = f"{now.done_bytes / 1e6:.1f}"
    share = f"{now.fraction:4.0%}  " if now.fraction is not None else ""
    whole = f" of {now.total_bytes / 1e6:.0f}" if now.total_bytes else ""
    files = f"  file {now.file_number} of {now.file_count}" if now.file_count > 1 else ""
    left = f"  {_duration(now.left_s)} left" if now.left_s is not None else ""
    return f"{entry.id}: {share}{done}{whole} MB  {now.bytes_per_s / 1e6:.1f} MB/s{left}{files}"


def _import(options: argparse.Namespace, cancel: CancelToken) -> int:
    store = default_store()
    found = list(importable_in(options.path))
    if not found:
        raise ModelMissingError(
            f"There is no model in '{printable_name(options.path)}'.",
            "Name a model's file, the folder with the file 'checkpoint' in it, or the folder of "
            "models of another machine.",
        )

    def take(path: Path) -> None:
        with _line(sys.stderr) as show:
            entry = import_model(
                path,
                store,
                model=options.model,
                on_fraction=lambda fraction: show(f"{printable_name(path)}: {fraction:4.0%}"),
                cancel=cancel,
            )
        print(f"{entry.id} is installed in {store.path_of(entry)}.")

    return _all_done(found, take, "Of the model that was being copied nothing is left behind.")


def _verify(options: argparse.Namespace, cancel: CancelToken) -> int:
    store = default_store()
    rows: list[dict[str, object]] = []

    def check(entry: CatalogEntry) -> None:
        row: dict[str, object] = {"id": entry.id, "whole": False}
        rows.append(row)
        with _line(sys.stderr) as show:
            assurance = store.verify(entry, _counting(entry, store, show, cancel))
        row.update(whole=True, compared_with=assurance)
        if not options.json:
            print(_verdict(entry, assurance))

    ids = options.ids or [entry.id for entry in the_catalog().entries if _is_here(entry, store)]
    code = _each(ids, check)
    if options.json:
        print(json.dumps(rows, indent=2))
    elif not ids:
        print(f"No model is installed in {store.root}.")
    return code


def _is_here(entry: CatalogEntry, store: Store) -> bool:
    absent = (ModelState.MISSING, ModelState.PARTLY)
    return not entry.is_built_in and store.state_of(entry) not in absent


def _verdict(entry: CatalogEntry, assurance: Assurance) -> str:
    return f"{entry.id} is whole: compared with {assurance}."


def _counting(
    entry: CatalogEntry, store: Store, show: Callable[[str], None], cancel: CancelToken
) -> OnBytes:
    whole, done = max(1, store.size_of(entry)), 0

    def count(new_bytes: int) -> None:
        nonlocal done
        done += new_bytes
        cancel.raise_if_set()
        show(f"{entry.id}: {min(1.0, done / whole):4.0%} read")

    return count


def _remove(options: argparse.Namespace, _cancel: CancelToken) -> int:
    store = default_store()

    def remove(entry: CatalogEntry) -> None:
        print(f"{entry.id} is removed; {_megabytes(store.remove(entry))} are free again.")

    return _each(options.ids, remove)


def _inspect(options: argparse.Namespace, _cancel: CancelToken) -> int:
    report = inspect_checkpoint(options.path)
    if options.json:
        print(json.dumps({**_facts(report), "missing": report.missing,
                          "unexpected": report.unexpected, "misshapen": report.misshapen},
                         indent=2))  # fmt: skip
    else:
        for name, fact in _facts(report).items():
            print(f"{name:11} {_shown(fact)}")
        for name, names in (
            ("missing", report.missing),
            ("unexpected", report.unexpected),
            ("misshapen", report.misshapen),
        ):
            some = ", ".join(names[:MOST_NAMES]) + (", ..." if len(names) > MOST_NAMES else "")
            print(f"{name:11} {len(names)}{f': {some}' if names else ''}")
    return EXIT_DONE if report.fits else EXIT_FAILED


def _facts(report: CheckpointReport) -> dict[str, object]:
    return {
        "file": str(report.path),
        "format": report.format,
        "model": report.family or "none that Notewright knows",
        "fits": report.fits,
        "parameters": report.parameter_count,
        "numbers": ", ".join(report.dtypes),
        "bytes": report.size_bytes,
    }


def _shown(fact: object) -> str:
    if isinstance(fact, bool):
        return "yes" if fact else "no"
    return f"{fact:,}" if isinstance(fact, int) else str(fact)


def _each(ids: Sequence[str], act: Callable[[CatalogEntry], None], stopped: str = "") -> int:
    return _all_done([the_catalog().entry(name) for name in ids], act, stopped)


def _all_done(subjects: Sequence[_T], act: Callable[[_T], None], stopped: str) -> int:
    """Act on each; one that fails is told and does not keep the others from being done."""
    code = EXIT_DONE
    for subject in subjects:
        try:
            act(subject)
        except CancelledError:
            print(f"\nCancelled. {stopped}", file=sys.stderr)
            return EXIT_CANCELLED
        except AppError as error:
            print(f"notewright: {error}", file=sys.stderr)
            code = EXIT_FAILED
    return code


@contextmanager
def _line(stream: TextIO) -> Iterator[Callable[[str], None]]:
    """Yield what shows a text in one line that is rewritten; elsewhere than on a terminal, not."""
    shown_at_s = 0.0

    def show(text: str) -> None:
        nonlocal shown_at_s
        now_s = time.monotonic()
        if stream.isatty() and now_s - shown_at_s > SECONDS_BETWEEN_LINES:
            shown_at_s = now_s
            width = shutil.get_terminal_size().columns
            stream.write(f"\r\x1b[K{text[: width - 1]}")
            stream.flush()

    try:
        yield show
    finally:
        if stream.isatty():
            stream.write("\r\x1b[K")
            stream.flush()


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes < 10_000_000 else f"{size_bytes / 1e6:.0f} MB"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
