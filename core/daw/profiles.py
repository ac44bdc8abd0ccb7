"""How each DAW likes its MIDI files, and what to tell the musician after the export.

One row per DAW. The reasons are in how they import: Live ignores channels, FL Studio welds tracks
that share one, Logic takes the tempo only when a file is opened, Cubase may put a dropped file on
one track.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from core.daw.folders import Daw, daw_named
from core.midi.mpe import MPE_BEND_RANGE_SEMITONES
from core.midi.ticks import average_bpm
from core.midi.write import (
    COMMON_BEND_RANGE_SEMITONES,
    ChannelLayout,
    MidiOptions,
    Timing,
    tick_grid,
)
from core.score.transcription import Transcription

GENERIC_ID = "generic"


class Layout(StrEnum):
    """How many files one delivery makes."""

    COMBINED = "combined"
    PER_TRACK = "per-track"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Profile:
    """What a DAW's files look like.

    `combined` and `per_track` are how its two kinds of file are written. `advice` may name {bpm},
    the tempo of the file; {files} is "the file" or "the files". `has_notes_json` adds a JSON file
    with what MIDI cannot hold (`core.daw.sidecar`); nobody gets it unasked.
    """

    id: str
    display_name: str
    layout: Layout
    combined: MidiOptions
    per_track: MidiOptions
    advice: str
    has_notes_json: bool = False

    @property
    def has_one_tempo(self) -> bool:
        return self.combined.has_one_tempo

    def with_timing(self, timing: Timing) -> "Profile":
        """Return the profile for the user's choice between bar lines and the recording's time."""
        return replace(
            self,
            combined=replace(self.combined, timing=timing),
            per_track=replace(self.per_track, timing=timing),
        )

    def with_bends(self, range_semitones: int | None, *, is_mpe: bool = False) -> "Profile":
        """Return the profile for the synth the user bends; a range of None is the usual one.

        As MPE every track gets a file: one file holds no more than one instrument of that kind.
        """
        usual = MPE_BEND_RANGE_SEMITONES if is_mpe else COMMON_BEND_RANGE_SEMITONES
        wanted = range_semitones or usual
        return replace(
            self,
            layout=Layout.PER_TRACK if is_mpe else self.layout,
            combined=replace(self.combined, bend_range_semitones=wanted, is_mpe=is_mpe),
            per_track=replace(self.per_track, bend_range_semitones=wanted, is_mpe=is_mpe),
        )

    def with_notes_json(self) -> "Profile":
        return replace(self, has_notes_json=True)

    def hint(self, song: Transcription, *, file_count: int = 1) -> str:
        """Tell how to bring the delivered song into this DAW, in one or two sentences."""
        files = "the file" if file_count == 1 else "the files"
        advice = self.advice.format(bpm=bpm_text(file_bpm(song, self.combined)), files=files)
        return " ".join(
            [advice, *_audio_start_hint(song, self.combined), *_bend_hint(song, self.combined)]
        )


def profile_for(daw: Daw | None) -> Profile:
    """Return the DAW's profile, or the generic one for none."""
    return _BY_ID[daw or GENERIC_ID]


def profile_named(text: str) -> Profile:
    """Return the profile that a musician means by a DAW's name or by "generic".

    Raises:
        DeliveryError: no DAW has that name; the remedy lists the choices.
    """
    return _BY_ID[GENERIC_ID] if text.casefold() == GENERIC_ID else profile_for(daw_named(text))


def file_bpm(song: Transcription, options: MidiOptions) -> float:
    """Return the tempo at the start of the song's file."""
    if options.has_one_tempo or options.timing is Timing.RECORDED:
        return average_bpm(song.tempo, song.end_s)
    return song.tempo.bpm


def bpm_text(bpm: float) -> str:
    """Write a tempo as DAWs show it: at most two decimals, "104" rather than "104.00"."""
    return f"{bpm:.2f}".rstrip("0").rstrip(".")


def _audio_start_hint(song: Transcription, options: MidiOptions) -> list[str]:
    """Say how far into the file the recording starts, where that is not at its beginning."""
    start_beats = tick_grid(song, options).seconds_to_ticks(0.0) / options.ppq
    if start_beats == 0:
        return []
    start_s = start_beats * 60.0 / file_bpm(song, options)
    return [
        f"To hear it with the recording, place the audio {start_s:.2f} s after the start of bar 1."
    ]


def _bend_hint(song: Transcription, options: MidiOptions) -> list[str]:
    """Say how the synth must be set where notes bend: many ignore the range in the file."""
    if not any(note.bends for track in song.tracks for note in track.notes):
        return []
    semitones = options.bend_range_semitones
    if options.is_mpe:
        return [f"Play it with a synth in MPE mode, bend range {semitones} semitones."]
    plural = "" if semitones == 1 else "s"
    return [f"The synth's pitch bend range must be {semitones} semitone{plural}."]


_KEEPS_TEMPO_MAP = MidiOptions()
_ONE_TEMPO = MidiOptions(has_one_tempo=True)
_CLIP = MidiOptions(channels=ChannelLayout.SINGLE, drums_on_channel_10=False, has_one_tempo=True)
_TRACK_WITH_TEMPO_MAP = MidiOptions(channels=ChannelLayout.SINGLE)
_TRACK_WITH_ONE_TEMPO = MidiOptions(channels=ChannelLayout.SINGLE, has_one_tempo=True)


def _combined_with_map(daw: Daw, advice: str) -> Profile:
    return Profile(
        id=daw,
        display_name=daw.display_name,
        layout=Layout.COMBINED,
        combined=_KEEPS_TEMPO_MAP,
        per_track=_TRACK_WITH_TEMPO_MAP,
        advice=advice,
    )


def _combined_with_one_tempo(profile_id: str, display_name: str, advice: str) -> Profile:
    return Profile(
        id=profile_id,
        display_name=display_name,
        layout=Layout.COMBINED,
        combined=_ONE_TEMPO,
        per_track=_TRACK_WITH_ONE_TEMPO,
        advice=advice,
    )


PROFILES = (
    Profile(
        id=Daw.ABLETON_LIVE,
        display_name=Daw.ABLETON_LIVE.display_name,
        layout=Layout.BOTH,
        combined=_ONE_TEMPO,
        per_track=_CLIP,
        advice=(
            "Set Live to {bpm} BPM, then drag {files} from User Library > Clips onto MIDI tracks. "
            "Bars start at 1.1.1."
        ),
    ),
    _combined_with_map(
        Daw.LOGIC,
        "Use File > Open in Logic to bring the tempo along; dragged in, {files} would follow the "
        "project's tempo (set it to {bpm} BPM).",
    ),
    _combined_with_map(
        Daw.GARAGEBAND,
        "Set the GarageBand project to {bpm} BPM, then drag {files} into the tracks area at bar 1.",
    ),
    _combined_with_map(
        Daw.REAPER,
        "Drag {files} into Reaper at bar 1 and let it expand the tracks and import the tempo map "
        "({bpm} BPM).",
    ),
    _combined_with_one_tempo(
        Daw.FL_STUDIO,
        Daw.FL_STUDIO.display_name,
        'Use File > Import > MIDI file in FL Studio at {bpm} BPM; leave "Realign events" off.',
    ),
    _combined_with_map(
        Daw.CUBASE,
        "Use File > Import > MIDI File in Cubase ({bpm} BPM). If everything lands on one track, "
        'turn off "Import Dropped File as Single Part" in the MIDI file preferences.',
    ),
    _combined_with_map(
        Daw.NUENDO,
        "Use File > Import > MIDI File in Nuendo ({bpm} BPM). If everything lands on one track, "
        'turn off "Import Dropped File as Single Part" in the MIDI file preferences.',
    ),
    Profile(
        id=Daw.BITWIG,
        display_name=Daw.BITWIG.display_name,
        layout=Layout.PER_TRACK,
        combined=_ONE_TEMPO,
        per_track=_CLIP,
        advice="Set Bitwig to {bpm} BPM, then drag {files} onto instrument tracks at bar 1.",
    ),
    _combined_with_map(
        Daw.STUDIO_ONE,
        "Open {files} in Studio One as a new song to bring the tempo ({bpm} BPM), or drag to bar 1 "
        "of a song at that tempo.",
    ),
    _combined_with_map(
        Daw.PRO_TOOLS,
        'Use File > Import > MIDI in Pro Tools and tick "Import tempo map from MIDI file" '
        "({bpm} BPM).",
    ),
    Profile(
        id=Daw.ARDOUR,
        display_name=Daw.ARDOUR.display_name,
        layout=Layout.COMBINED,
        combined=replace(_KEEPS_TEMPO_MAP, has_ascii_names=True),  # 7.3 reads UTF-8 as Latin-1
        per_track=replace(_TRACK_WITH_TEMPO_MAP, has_ascii_names=True),
        advice=(
            'Use Session > Import in Ardour with "MIDI Track Names: by track name" and "Use MIDI '
            'Tempo Map" ({bpm} BPM).'
        ),
    ),
    _combined_with_one_tempo(
        Daw.LMMS,
        Daw.LMMS.display_name,
        "Choose a SoundFont in LMMS's settings, then use File > Import; LMMS changes to {bpm} BPM "
        "when it plays.",
    ),
    _combined_with_one_tempo(
        Daw.REASON,
        Daw.REASON.display_name,
        "Use File > Import MIDI File in Reason at {bpm} BPM.",
    ),
    Profile(
        id=GENERIC_ID,
        display_name="Any DAW",
        layout=Layout.COMBINED,
        combined=_KEEPS_TEMPO_MAP,
        per_track=_TRACK_WITH_TEMPO_MAP,
        advice="Set your DAW to {bpm} BPM, then drag {files} to bar 1.",
    ),
)
_BY_ID = {profile.id: profile for profile in PROFILES}
