"""The whole of core from a terminal: `notewright transcribe | models | daws`."""

import argparse
import json
import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.audio.read import FoundAudio, find_audio
from core.codec.bends import Bends
from core.daw.deliver import deliver
from core.daw.folders import FoundDaw, daw_named, find_daws, this_machine
from core.daw.profiles import Layout, Profile, profile_for, profile_named
from core.engine.note_choice import NoteChoice
from core.engine.options import AUTO_MODEL, Device, Precision, Sampling
from core.engine.progress import CancelToken
from core.errors import (
    AppError,
    CancelledError,
    DeliveryError,
    ExportError,
    TranscriptionFailedError,
    printable_name,
)
from core.midi.mpe import MPE_BEND_RANGE_SEMITONES
from core.midi.write import (
    COMMON_BEND_RANGE_SEMITONES,
    WIDEST_BEND_SEMITONES,
    WIDEST_MPE_BEND_SEMITONES,
)
from core.model_manager.catalog import the_catalog
from core.model_manager.store import default_store
from core.models_cli import add_models_command
from core.report import Outcome, ProgressLine, song_json, song_text, table_text, totals_text
from core.rhythm.estimate import TempoChoice
from core.score.instruments import StemKind
from core.score.tempo import MAX_BPM, MIN_BPM, Meter
from core.version import VERSION

if TYPE_CHECKING:  # imports torch, which the short commands must not wait for
    from core.song import HeardSong

EXIT_DONE, EXIT_FAILED, EXIT_CANCELLED = 0, 1, 130
MOST_NAMES = 5  # of the files left out


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code: 0 only if all files succeeded, 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.DEBUG if options.verbose else logging.WARNING)
    command: Callable[[argparse.Namespace, CancelToken], int] = options.command
    try:
        with _ctrl_c_cancels() as cancel:
            return command(options, cancel)
    except (KeyboardInterrupt, CancelledError):
        print("\nCancelled; no unfinished file was left behind.", file=sys.stderr)
        return EXIT_CANCELLED
    except AppError as error:
        print(f"notewright: {error}", file=sys.stderr)
        return EXIT_FAILED


@contextmanager
def _ctrl_c_cancels() -> Iterator[CancelToken]:
    """Let the first Ctrl-C set a token and the second one interrupt at once.

    An exception raised by the signal could be lost: it may arrive while a decoder calls back.
    """
    pressed = threading.Event()

    def press(_signal: int, _frame: object) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    before = signal.getsignal(signal.SIGINT)
    is_ours = before is signal.default_int_handler  # who ignores Ctrl-C, as nohup does, means it
    if is_ours:
        signal.signal(signal.SIGINT, press)
    try:
        yield CancelToken(pressed)
    finally:
        if is_ours:
            signal.signal(signal.SIGINT, before)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="notewright", description="Turn stems and mixes into MIDI for your DAW, offline."
    )
    parser.add_argument("--version", action="version", version=f"Notewright {VERSION}")
    parser.add_argument("--verbose", action="store_true", help="log what is done")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_transcribe(commands)
    add_models_command(commands)
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
    command.add_argument("--precision", type=Precision, choices=list(Precision),
                         default=Precision.AUTO, help="what large models compute in")  # fmt: skip
    command.add_argument("--sensitivity", type=_share, default=0.0, metavar="-100..100",
                         help="above 0 finds weaker notes, below 0 fewer")  # fmt: skip
    command.add_argument("--split", type=_share, default=0.0, metavar="-100..100",
                         help="above 0 strikes sounding notes again sooner")  # fmt: skip
    command.add_argument("--shortest-note", type=_seconds_of_ms, default=None, metavar="MS",
                         help="leave out notes shorter than this")  # fmt: skip
    command.add_argument("--bends", type=Bends, choices=list(Bends), default=None,
                         help="pitch bends where one voice sounds: one per note, or as it "
                         "glides and vibrates; off unless you say so")  # fmt: skip
    command.add_argument("--bend-range", type=_semitones, default=None, metavar="N",
                         help="how many semitones the synth's wheel bends; "
                         f"{COMMON_BEND_RANGE_SEMITONES} unless you say more, "
                         f"with --mpe {MPE_BEND_RANGE_SEMITONES}")  # fmt: skip
    command.add_argument("--mpe", action="store_true",
                         help="give each bent note a channel of its own, for synths that play "
                         "MPE; one file per track")  # fmt: skip
    command.add_argument("--no-tidy", dest="tidy", action="store_false",
                         help="keep the instruments as the model wrote them")  # fmt: skip
    command.add_argument("--temperature", type=float, default=0.0, metavar="T",
                         help="let large models draw notes instead of taking the likeliest; "
                         "0.5 draws a little, 1 as they learnt")  # fmt: skip
    command.add_argument("--top-k", type=int, default=0, metavar="K",
                         help="draw among the K likeliest only")  # fmt: skip
    command.add_argument("--top-p", type=float, default=1.0, metavar="P",
                         help="draw among the likeliest that together reach P")  # fmt: skip
    command.add_argument("--seed", type=int, default=0, help="other draws")
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


def _transcribe(options: argparse.Namespace, cancel: CancelToken) -> int:
    if (options.bend_range or 0) > WIDEST_BEND_SEMITONES and not options.mpe:
        raise ExportError(
            f"--bend-range {options.bend_range} is more than a wheel bends.",
            f"Take at most {WIDEST_BEND_SEMITONES}, or add --mpe.",
        )
    found = find_audio(options.paths)
    _report_skipped(found)
    daw = _found_daw(options.daw) if options.daw else None
    profile = _profile(options.profile, daw).with_bends(options.bend_range, is_mpe=options.mpe)
    line = ProgressLine(sys.stderr, len(found.files))
    outcomes = []
    for heard in _heard_songs(found, options, line, cancel):
        outcomes.append(_delivered(heard, options, daw, profile))
        line.clear()
        if not options.json:
            _say_song(outcomes[-1])
    if options.json:
        print(json.dumps([song_json(outcome) for outcome in outcomes], indent=2))
    elif len(outcomes) > 1:
        print(totals_text(outcomes))
    has_failed = any(outcome.error or outcome.song.failures for outcome in outcomes)
    return EXIT_FAILED if has_failed or not outcomes else EXIT_DONE


def _say_song(outcome: Outcome) -> None:
    for error in [*(failure.error for failure in outcome.song.failures), outcome.error]:
        if error is not None:
            print(f"notewright: {error}", file=sys.stderr)
    text = song_text(outcome)
    if text:
        print(text)


def _report_skipped(found: FoundAudio) -> None:
    names_of: dict[str, list[str]] = {}
    for skipped in found.skipped:
        names_of.setdefault(skipped.reason, []).append(printable_name(skipped.path))
    for reason, names in names_of.items():
        shown = ", ".join(names[:MOST_NAMES]) + (", ..." if len(names) > MOST_NAMES else "")
        count = f"{len(names)} files, each of which" if len(names) > 1 else "a file that"
        print(f"notewright: left out {count} {reason}: {shown}", file=sys.stderr)


def _heard_songs(
    found: FoundAudio, options: argparse.Namespace, line: ProgressLine, cancel: CancelToken
) -> "Iterator[HeardSong]":
    from core.engine.transcriber import Transcriber
    from core.song import transcribe_song
    from core.song_files import SongFiles, one_song_of, songs_in

    songs = songs_in(found.files)
    if options.song and found.files:
        songs = (one_song_of(found.files),)
    elif options.separate:
        songs = tuple(SongFiles(file.stem, (file,)) for file in found.files)
    transcriber = Transcriber(
        the_catalog().model_id(options.model),
        options.device,
        checkpoints=default_store().installed_checkpoints(),
        precision=options.precision,
        notes=NoteChoice(
            options.sensitivity,
            options.split,
            options.shortest_note,
            options.tidy,
            options.bends or (Bends.CONTINUOUS if options.mpe else Bends.OFF),
        ),
        sampling=_sampling(options),
    )
    for song in songs:
        yield transcribe_song(
            song,
            transcriber,
            kind=options.stem,
            tempo=TempoChoice(options.tempo, options.meter, options.downbeat),
            on_progress=line.show,
            cancel=cancel,
        )


def _sampling(options: argparse.Namespace) -> Sampling:
    try:
        return Sampling(options.temperature, options.top_k, options.top_p, options.seed)
    except ValueError:
        raise TranscriptionFailedError(
            "--temperature and --top-k must not be negative, and --top-p lies between 0 and 1.",
            "Leave them out to take the likeliest notes.",
        ) from None


def _delivered(
    heard: "HeardSong", options: argparse.Namespace, daw: FoundDaw | None, profile: Profile
) -> Outcome:
    if heard.transcription is None:
        return Outcome(heard, None, None)
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
        return Outcome(heard, None, error)
    return Outcome(heard, delivery, None)


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


def _daws(options: argparse.Namespace, _cancel: CancelToken) -> int:
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
        heads = ("DAW", "NAME FOR --daw", "FOLDER", "FOUND BY")
        places = [(daw.daw.display_name, daw.daw, str(daw.folder), daw.found_by) for daw in found]
        print(table_text(heads, places))
    else:
        print("No DAW was found on this machine; `notewright transcribe --out DIR` needs none.")
    return EXIT_DONE


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


def _share(text: str) -> float:
    try:
        percent = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number") from None
    if not -100 <= percent <= 100:
        raise argparse.ArgumentTypeError(f"{text} is outside -100..100")
    return percent / 100


def _seconds_of_ms(text: str) -> float:
    try:
        seconds = float(text) / 1000
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of milliseconds") from None
    if not 0 <= seconds <= 10:
        raise argparse.ArgumentTypeError(f"{text} ms is outside 0..10000")
    return seconds


def _semitones(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= WIDEST_MPE_BEND_SEMITONES:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no whole number of semitones from 1 to {WIDEST_BEND_SEMITONES}, "
            f"with --mpe to {WIDEST_MPE_BEND_SEMITONES}"
        )
    return int(text)


def _meter(text: str) -> Meter:
    try:
        beats, unit = text.split("/")
        return Meter(int(beats), int(unit))
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a meter such as 4/4 or 6/8") from None


if __name__ == "__main__":
    sys.exit(main())
