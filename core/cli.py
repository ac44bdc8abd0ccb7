"""The whole of core from a terminal: `notewright transcribe | models | daws`."""

import argparse
import json
import logging
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.audio.read import FoundAudio, find_audio
from core.daw.deliver import Delivery, deliver
from core.daw.folders import FoundDaw, daw_named, find_daws, this_machine
from core.daw.profiles import Layout, Profile, bpm_text, profile_for, profile_named
from core.engine.model_set import MODELS
from core.engine.options import AUTO_MODEL, Device
from core.engine.progress import CancelToken, Progress
from core.errors import AppError, CancelledError, DeliveryError, printable_name
from core.rhythm.estimate import TempoChoice
from core.score.instruments import StemKind
from core.score.key import key_name
from core.score.tempo import MAX_BPM, MIN_BPM, Meter
from core.version import VERSION

if TYPE_CHECKING:  # imports torch, which the short commands must not wait for
    from core.engine.heard import HeardStem
    from core.song import HeardSong

EXIT_DONE, EXIT_FAILED, EXIT_CANCELLED = 0, 1, 130
SECONDS_BETWEEN_LINES = 0.1
MOST_NAMES = 5  # of the files left out


@dataclass(frozen=True, slots=True)
class _Outcome:
    """One song: what was heard, and where its MIDI files are or why they are not."""

    song: "HeardSong"
    delivery: Delivery | None
    error: AppError | None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code: 0 only if all files succeeded, 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.DEBUG if options.verbose else logging.WARNING)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except (KeyboardInterrupt, CancelledError):
        print("\nCancelled; no unfinished file was left behind.", file=sys.stderr)
        return EXIT_CANCELLED
    except AppError as error:
        print(f"notewright: {error}", file=sys.stderr)
        return EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="notewright", description="Turn stems and mixes into MIDI for your DAW, offline."
    )
    parser.add_argument("--version", action="version", version=f"Notewright {VERSION}")
    parser.add_argument("--verbose", action="store_true", help="log what is done")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_transcribe(commands)
    models = commands.add_parser("models", help="list the models on this machine")
    models.add_argument("--json", action="store_true", help="print JSON")
    models.set_defaults(command=_models)
    daws = commands.add_parser("daws", help="list the DAWs found here and the folders used")
    daws.add_argument("--json", action="store_true", help="print JSON")
    daws.set_defaults(command=_daws)
    return parser


def _add_transcribe(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "transcribe",
        help="audio files and folders to MIDI",
        description="Stems of one song (same folder, same name but for the instrument) become one "
        "MIDI file with one tempo map; every other file becomes a MIDI file of its own.",
    )
    command.set_defaults(command=_transcribe)
    command.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files or folders")
    where = command.add_mutually_exclusive_group()
    where.add_argument("--out", type=Path, metavar="DIR", help="folder for the MIDI files")
    where.add_argument("--daw", metavar="NAME", help="put them where this DAW looks")
    command.add_argument("--stem", type=StemKind, choices=list(StemKind), metavar="KIND",
                         help=f"what the files hold: {', '.join(StemKind)}")  # fmt: skip
    command.add_argument("--model", default=AUTO_MODEL, metavar="ID", help="see `models`")
    command.add_argument("--device", type=Device, choices=list(Device), default=Device.AUTO)
    command.add_argument("--tempo", type=_tempo, default=None, metavar="BPM|auto")
    command.add_argument("--meter", type=_meter, default=None, metavar="N/D", help="such as 3/4")
    command.add_argument("--downbeat", type=float, default=None, metavar="SECONDS",
                         help="where bar 1 starts in the audio")  # fmt: skip
    command.add_argument("--profile", metavar="NAME", help="write the files as this DAW likes them")
    command.add_argument("--layout", type=Layout, choices=list(Layout), default=None)
    songs = command.add_mutually_exclusive_group()
    songs.add_argument("--song", action="store_true", help="all files are stems of one song")
    songs.add_argument("--separate", action="store_true", help="every file is a song of its own")
    command.add_argument("--json", action="store_true", help="print the result as JSON")


def _transcribe(options: argparse.Namespace) -> int:
    found = find_audio(options.paths)
    _report_skipped(found)
    daw = _found_daw(options.daw) if options.daw else None
    profile = _profile(options.profile, daw)
    line = _ProgressLine(len(found.files))
    outcomes = []
    for heard in _heard_songs(found, options, line):
        outcomes.append(_delivered(heard, options, daw, profile))
        line.clear()
        if not options.json:
            _print_song(outcomes[-1])
    if options.json:
        print(json.dumps([_song_json(outcome) for outcome in outcomes], indent=2))
    elif len(outcomes) > 1:
        _print_totals(outcomes)
    has_failed = any(outcome.error or outcome.song.failures for outcome in outcomes)
    return EXIT_FAILED if has_failed or not outcomes else EXIT_DONE


def _report_skipped(found: FoundAudio) -> None:
    names_of: dict[str, list[str]] = {}
    for skipped in found.skipped:
        names_of.setdefault(skipped.reason, []).append(printable_name(skipped.path))
    for reason, names in names_of.items():
        shown = ", ".join(names[:MOST_NAMES]) + (", ..." if len(names) > MOST_NAMES else "")
        print(f"notewright: left out {len(names)}, {reason}: {shown}", file=sys.stderr)


def _heard_songs(
    found: FoundAudio, options: argparse.Namespace, line: "_ProgressLine"
) -> "Iterator[HeardSong]":
    from core.engine.transcriber import Transcriber
    from core.song import transcribe_song
    from core.song_files import SongFiles, one_song_of, songs_in

    songs = songs_in(found.files)
    if options.song and found.files:
        songs = (one_song_of(found.files),)
    elif options.separate:
        songs = tuple(SongFiles(file.stem, (file,)) for file in found.files)
    transcriber = Transcriber(options.model, options.device)
    for song in songs:
        yield transcribe_song(
            song,
            transcriber,
            kind=options.stem,
            tempo=TempoChoice(options.tempo, options.meter, options.downbeat),
            on_progress=line.show,
            cancel=CancelToken(),
        )


def _delivered(
    heard: "HeardSong", options: argparse.Namespace, daw: FoundDaw | None, profile: Profile
) -> _Outcome:
    if heard.transcription is None:
        return _Outcome(heard, None, None)
    folder = (daw.folder if daw else options.out) or heard.files.files[0].parent
    try:
        delivery = deliver(
            heard.transcription,
            heard.files.name,
            folder,
            profile,
            layout=options.layout,
            root=daw.root if daw else None,
        )
    except AppError as error:
        return _Outcome(heard, None, error)
    return _Outcome(heard, delivery, None)


def _profile(name: str | None, daw: FoundDaw | None) -> Profile:
    if name is not None:
        return profile_named(name)
    return profile_for(daw.daw if daw else None)


def _found_daw(name: str) -> FoundDaw:
    daw = daw_named(name)
    for found in find_daws(this_machine()):
        if found.daw is daw:
            return found
    raise DeliveryError(
        f"{daw.display_name} was not found on this machine.",
        "Start it once so that it makes its folders, or name a folder with --out.",
    )


def _models(options: argparse.Namespace) -> int:
    rows = [
        {
            "id": model.id,
            "title": model.title,
            "installed": model.is_installed,
            "size_bytes": model.size_bytes,
            "licence": model.licence,
            "good_at": model.good_at,
        }
        for model in MODELS
    ]
    if options.json:
        print(json.dumps(rows, indent=2))
        return EXIT_DONE
    _print_table(
        ("ID", "INSTALLED", "SIZE", "LICENCE", "GOOD AT"),
        [
            (
                model.id,
                "yes" if model.is_installed else "no",
                f"{model.size_bytes / 1e6:.1f} MB",
                model.licence,
                model.good_at,
            )
            for model in MODELS
        ],
    )
    return EXIT_DONE


def _daws(options: argparse.Namespace) -> int:
    found = find_daws(this_machine())
    if options.json:
        rows = [
            {
                "id": daw.daw,
                "name": daw.daw.display_name,
                "folder": str(daw.folder),
                "found_by": daw.found_by,
            }
            for daw in found
        ]
        print(json.dumps(rows, indent=2))
    elif found:
        _print_table(
            ("DAW", "NAME FOR --daw", "FOLDER", "FOUND BY"),
            [(daw.daw.display_name, daw.daw, str(daw.folder), daw.found_by) for daw in found],
        )
    else:
        print("No DAW was found on this machine; `notewright transcribe --out DIR` needs none.")
    return EXIT_DONE


class _ProgressLine:
    """One line on stderr: rewritten in place on a terminal, once per file and quarter elsewhere."""

    def __init__(self, file_count: int) -> None:
        self._file_count = file_count
        self._files: list[Path] = []
        self._is_terminal = sys.stderr.isatty()
        self._shown_at_s = 0.0
        self._quarter = -1

    def show(self, path: Path, progress: Progress) -> None:
        if path not in self._files:
            self._files.append(path)
            self._quarter = -1
        text = (
            f"[{len(self._files)}/{self._file_count}] {printable_name(path)}: "
            f"{progress.fraction:4.0%}  {progress.times_real_time:.1f}x real time"
        )
        if self._is_terminal:
            self._rewrite(text, is_last=progress.fraction >= 1)
        elif int(progress.fraction * 4) > self._quarter:
            self._quarter = int(progress.fraction * 4)
            print(text, file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._is_terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _rewrite(self, text: str, *, is_last: bool) -> None:
        now_s = time.monotonic()
        if is_last or now_s - self._shown_at_s > SECONDS_BETWEEN_LINES:
            self._shown_at_s = now_s
            width = shutil.get_terminal_size().columns
            sys.stderr.write(f"\r\x1b[K{text[: width - 1]}")
            sys.stderr.flush()


def _print_song(outcome: _Outcome) -> None:
    song = outcome.song
    for failure in song.failures:
        print(f"notewright: {failure.error}", file=sys.stderr)
    if outcome.error is not None:
        print(f"notewright: {outcome.error}", file=sys.stderr)
    if song.transcription is None or song.tempo is None:
        return
    _print_table(
        ("FILE", "KIND", "BY", "MODEL", "DEVICE", "NOTES", "LENGTH", "SPEED"),
        [
            (
                printable_name(stem.path),
                stem.source.kind,
                stem.kind_found_by,
                stem.source.model,
                stem.source.device,
                str(stem.note_count),
                _clock(stem.source.duration_s),
                f"{stem.times_real_time:.1f}x",
            )
            for stem in song.stems
        ],
    )
    tempo = song.tempo.tempo
    key = song.transcription.key
    print(
        f"  {bpm_text(tempo.bpm)} BPM, {tempo.meter}, bar 1 at {tempo.first_downbeat_s:.2f} s"
        f" ({song.tempo.how}){', ' + key_name(key) if key else ''}"
    )
    if outcome.delivery is not None:
        for file in outcome.delivery.files:
            print(f"  -> {file.parent / printable_name(file)}")
        print(f"  {outcome.delivery.hint}")


def _print_totals(outcomes: Sequence[_Outcome]) -> None:
    heard = sum(len(outcome.song.stems) for outcome in outcomes)
    failed = sum(len(outcome.song.failures) for outcome in outcomes)
    written = sum(len(outcome.delivery.files) for outcome in outcomes if outcome.delivery)
    print(f"{heard} files heard, {failed} failed, {written} MIDI files written.")


def _print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    for row in [heads, *rows]:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def _song_json(outcome: _Outcome) -> dict[str, object]:
    song = outcome.song
    tempo = song.tempo.tempo if song.tempo else None
    key = song.transcription.key if song.transcription else None
    return {
        "song": song.files.name,
        "files": [_stem_json(stem) for stem in song.stems],
        "failed": [
            {"path": str(failure.path), "error": str(failure.error)} for failure in song.failures
        ],
        "bpm": tempo and tempo.bpm,
        "tempo_changes": tempo and [[c.at_beat, c.bpm] for c in tempo.changes],
        "meter": tempo and str(tempo.meter),
        "first_downbeat_s": tempo and tempo.first_downbeat_s,
        "tempo_found_by": song.tempo.how if song.tempo else None,
        "tempo_confidence": song.tempo.confidence if song.tempo else None,
        "key": key_name(key) if key else None,
        "midi": [str(file) for file in outcome.delivery.files] if outcome.delivery else [],
        "hint": outcome.delivery.hint if outcome.delivery else None,
        "error": str(outcome.error) if outcome.error else None,
    }


def _stem_json(stem: "HeardStem") -> dict[str, object]:
    return {
        "path": str(stem.path),
        "kind": stem.source.kind,
        "kind_found_by": stem.kind_found_by,
        "model": stem.source.model,
        "device": stem.source.device,
        "device_reason": stem.device_reason,
        "duration_s": stem.source.duration_s,
        "elapsed_s": stem.elapsed_s,
        "tracks": {track.name: len(track.notes) for track in stem.tracks},
    }


def _tempo(text: str) -> float | None:
    if text.casefold() == "auto":
        return None
    try:
        bpm = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is neither a tempo nor 'auto'") from None
    if not MIN_BPM <= bpm <= MAX_BPM:
        raise argparse.ArgumentTypeError(f"{text} BPM is outside {MIN_BPM:g}..{MAX_BPM:g}")
    return bpm


def _meter(text: str) -> Meter:
    try:
        beats, unit = text.split("/")
        return Meter(int(beats), int(unit))
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a meter such as 4/4 or 6/8") from None


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60)}:{seconds % 60:04.1f}"


if __name__ == "__main__":
    sys.exit(main())
