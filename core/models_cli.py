"""`notewright models ...`: list, download, import, verify, remove and inspect models."""

import argparse
import json
import sys
import time
from pathlib import Path

from core.engine.progress import CancelToken
from core.errors import AppError, CancelledError
from core.model_manager.catalog import CatalogEntry, the_catalog
from core.model_manager.download import DownloadProgress, download_model
from core.model_manager.importing import import_model, importable_in
from core.model_manager.store import ModelState, Store, default_store
from core.models.checkpoint_report import CheckpointReport, inspect_checkpoint
from core.report import table_text

EXIT_DONE, EXIT_FAILED = 0, 1
SECONDS_BETWEEN_LINES = 0.1


def add_models_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `models` and what can be done with them."""
    models = commands.add_parser("models", help="list, get, check and remove models")
    models.add_argument("--json", action="store_true", help="print JSON")
    models.set_defaults(command=_list)
    acts = models.add_subparsers(metavar="ACT")
    listing = acts.add_parser("list", help="the models there are, and which of them are here")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(command=_list)
    for name, act, what in (
        ("download", _download, "get models from where they were published"),
        ("verify", _verify, "compare installed models with their digests"),
        ("remove", _remove, "delete models from this machine"),
    ):
        command = acts.add_parser(name, help=what)
        command.add_argument("ids", nargs="+", metavar="ID", help="see `models list`")
        command.set_defaults(command=act)
    importing = acts.add_parser("import", help="take over a file, a folder or another store")
    importing.add_argument("path", type=Path, metavar="PATH")
    importing.add_argument("--as", dest="model", metavar="ID", help="which model it is")
    importing.set_defaults(command=_import)
    inspecting = acts.add_parser("inspect", help="tell what a checkpoint is without loading it")
    inspecting.add_argument("path", type=Path, metavar="PATH")
    inspecting.add_argument("--json", action="store_true", help="print JSON")
    inspecting.set_defaults(command=_inspect)


def _list(options: argparse.Namespace, _cancel: CancelToken) -> int:
    store = default_store()
    entries = the_catalog().entries
    if options.json:
        print(json.dumps([_row(entry, store) for entry in entries], indent=2))
        return EXIT_DONE
    print(
        table_text(
            ("ID", "STATE", "SIZE", "LICENCE", "GOOD AT"),
            [
                (entry.id, store.state_of(entry), _size(entry, store), entry.licence, entry.good_at)
                for entry in entries
            ],
        )
    )
    print(f"\nModels lie in {store.root}. Other names: " + ", ".join(
        f"{alias} = {model}" for alias, model in the_catalog().aliases.items()))  # fmt: skip
    return EXIT_DONE


def _row(entry: CatalogEntry, store: Store) -> dict[str, object]:
    is_here = store.state_of(entry) is ModelState.INSTALLED
    return {
        "id": entry.id,
        "title": entry.title,
        "installed": is_here,
        "state": store.state_of(entry),
        "size_bytes": entry.size_bytes,
        "licence": entry.licence,
        "good_at": entry.good_at,
        "paper": entry.paper,
        "homepage": entry.homepage,
        "path": str(store.path_of(entry)) if is_here and not entry.is_built_in else None,
    }


def _size(entry: CatalogEntry, store: Store) -> str:
    size = entry.size_bytes or store.size_of(entry)
    return f"{size / 1e6:.0f} MB" if size else ("2 MB" if entry.is_built_in else "?")


def _download(options: argparse.Namespace, cancel: CancelToken) -> int:
    store = default_store()
    for entry in [the_catalog().entry(name) for name in options.ids]:
        if store.state_of(entry) is ModelState.INSTALLED:
            print(f"{entry.id} is installed already.")
            continue
        line = _Line()

        def show(now: DownloadProgress, line: _Line = line, entry: CatalogEntry = entry) -> None:
            line.show(_rate(entry, now))

        try:
            path = download_model(entry, store, on_progress=show, cancel=cancel)
        except CancelledError:
            line.clear()
            print("What is here already is kept: the next download goes on from it.")
            raise
        line.clear()
        unnamed = any(file.sha256 is None for file in entry.files)
        remark = "its digest was not published and is remembered" if unnamed else "verified"
        print(f"{entry.id} is installed in {path} ({remark}).")
    return EXIT_DONE


def _rate(entry: CatalogEntry, now: DownloadProgress) -> str:
    done = f"{now.done_bytes / 1e6:.1f}"
    share = f"{now.fraction:4.0%}  " if now.fraction is not None else ""
    whole = f" of {now.total_bytes / 1e6:.0f}" if now.total_bytes else ""
    left = f"  {now.left_s:.0f} s left" if now.left_s is not None else ""
    return f"{entry.id}: {share}{done}{whole} MB  {now.bytes_per_s / 1e6:.1f} MB/s{left}"


def _import(options: argparse.Namespace, cancel: CancelToken) -> int:
    store = default_store()
    failed = False
    found = list(importable_in(options.path))
    if not found:
        found = [options.path]
    for path in found:
        line = _Line()

        def show(fraction: float, line: _Line = line, path: Path = path) -> None:
            line.show(f"{path.name}: {fraction:4.0%}")

        try:
            entry = import_model(path, store, model=options.model, on_fraction=show, cancel=cancel)
        except CancelledError:
            raise
        except AppError as error:
            line.clear()
            print(f"notewright: {error}", file=sys.stderr)
            failed = True
        else:
            line.clear()
            print(f"{entry.id} is installed in {store.path_of(entry)}.")
    return EXIT_FAILED if failed else EXIT_DONE


def _verify(options: argparse.Namespace, cancel: CancelToken) -> int:
    store = default_store()
    failed = False
    for entry in [the_catalog().entry(name) for name in options.ids]:
        try:
            store.verify(entry, lambda _: cancel.raise_if_set())
        except CancelledError:
            raise
        except AppError as error:
            print(f"notewright: {error}", file=sys.stderr)
            failed = True
        else:
            print(f"{entry.id} is whole.")
    return EXIT_FAILED if failed else EXIT_DONE


def _remove(options: argparse.Namespace, _cancel: CancelToken) -> int:
    store = default_store()
    for entry in [the_catalog().entry(name) for name in options.ids]:
        freed = store.size_of(entry)
        store.remove(entry)
        print(f"{entry.id} is removed; {freed / 1e6:.0f} MB are free again.")
    return EXIT_DONE


def _inspect(options: argparse.Namespace, _cancel: CancelToken) -> int:
    report = inspect_checkpoint(options.path)
    if options.json:
        print(json.dumps({**_facts(report), "missing": report.missing,
                          "unexpected": report.unexpected, "misshapen": report.misshapen},
                         indent=2))  # fmt: skip
    else:
        for name, fact in _facts(report).items():
            print(f"{name:11} {fact}")
        for name, names in (
            ("missing", report.missing),
            ("unexpected", report.unexpected),
            ("misshapen", report.misshapen),
        ):
            shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
            print(f"{name:11} {len(names)}{f': {shown}' if names else ''}")
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


class _Line:
    """One line on a terminal, rewritten in place; elsewhere silence."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._shown_at_s = 0.0

    def show(self, text: str) -> None:
        now_s = time.monotonic()
        if self._is_terminal and now_s - self._shown_at_s > SECONDS_BETWEEN_LINES:
            self._shown_at_s = now_s
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()

    def clear(self) -> None:
        if self._is_terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
