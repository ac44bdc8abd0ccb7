"""General MIDI programs, drum keys, and the kinds of stem that musicians export."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from types import MappingProxyType


class StemKind(StrEnum):
    """What a file holds, as far as choosing a model and naming tracks is concerned.

    MIX holds drums and pitched instruments, OTHER pitched instruments of no one kind.
    """

    DRUMS = "drums"
    BASS = "bass"
    VOCALS = "vocals"
    KEYS = "keys"
    GUITAR = "guitar"
    STRINGS = "strings"
    BRASS = "brass"
    WINDS = "winds"
    SYNTH = "synth"
    OTHER = "other"
    MIX = "mix"


DRUM_KIT_PROGRAM = 0  # the standard kit
LOWEST_DRUM_KEY, HIGHEST_DRUM_KEY = 35, 81

# Source: General MIDI System Level 1 (MIDI Manufacturers Association), sound set, programs 0..127.
PROGRAM_NAMES: tuple[str, ...] = (
    "Acoustic Grand Piano", "Bright Acoustic Piano", "Electric Grand Piano", "Honky-tonk Piano",
    "Electric Piano 1", "Electric Piano 2", "Harpsichord", "Clavinet",
    "Celesta", "Glockenspiel", "Music Box", "Vibraphone",
    "Marimba", "Xylophone", "Tubular Bells", "Dulcimer",
    "Drawbar Organ", "Percussive Organ", "Rock Organ", "Church Organ",
    "Reed Organ", "Accordion", "Harmonica", "Tango Accordion",
    "Acoustic Guitar (nylon)", "Acoustic Guitar (steel)",
    "Electric Guitar (jazz)", "Electric Guitar (clean)",
    "Electric Guitar (muted)", "Overdriven Guitar", "Distortion Guitar", "Guitar Harmonics",
    "Acoustic Bass", "Electric Bass (finger)", "Electric Bass (pick)", "Fretless Bass",
    "Slap Bass 1", "Slap Bass 2", "Synth Bass 1", "Synth Bass 2",
    "Violin", "Viola", "Cello", "Contrabass",
    "Tremolo Strings", "Pizzicato Strings", "Orchestral Harp", "Timpani",
    "String Ensemble 1", "String Ensemble 2", "Synth Strings 1", "Synth Strings 2",
    "Choir Aahs", "Voice Oohs", "Synth Voice", "Orchestra Hit",
    "Trumpet", "Trombone", "Tuba", "Muted Trumpet",
    "French Horn", "Brass Section", "Synth Brass 1", "Synth Brass 2",
    "Soprano Sax", "Alto Sax", "Tenor Sax", "Baritone Sax",
    "Oboe", "English Horn", "Bassoon", "Clarinet",
    "Piccolo", "Flute", "Recorder", "Pan Flute",
    "Blown Bottle", "Shakuhachi", "Whistle", "Ocarina",
    "Lead 1 (square)", "Lead 2 (sawtooth)", "Lead 3 (calliope)", "Lead 4 (chiff)",
    "Lead 5 (charang)", "Lead 6 (voice)", "Lead 7 (fifths)", "Lead 8 (bass + lead)",
    "Pad 1 (new age)", "Pad 2 (warm)", "Pad 3 (polysynth)", "Pad 4 (choir)",
    "Pad 5 (bowed)", "Pad 6 (metallic)", "Pad 7 (halo)", "Pad 8 (sweep)",
    "FX 1 (rain)", "FX 2 (soundtrack)", "FX 3 (crystal)", "FX 4 (atmosphere)",
    "FX 5 (brightness)", "FX 6 (goblins)", "FX 7 (echoes)", "FX 8 (sci-fi)",
    "Sitar", "Banjo", "Shamisen", "Koto",
    "Kalimba", "Bagpipe", "Fiddle", "Shanai",
    "Tinkle Bell", "Agogo", "Steel Drums", "Woodblock",
    "Taiko Drum", "Melodic Tom", "Synth Drum", "Reverse Cymbal",
    "Guitar Fret Noise", "Breath Noise", "Seashore", "Bird Tweet",
    "Telephone Ring", "Helicopter", "Applause", "Gunshot",
)  # fmt: skip

PROGRAMS_PER_FAMILY = 8
FAMILY_NAMES: tuple[str, ...] = (
    "Piano", "Chromatic Percussion", "Organ", "Guitar", "Bass", "Strings", "Ensemble", "Brass",
    "Reed", "Pipe", "Synth Lead", "Synth Pad", "Synth Effects", "Ethnic", "Percussive",
    "Sound Effects",
)  # fmt: skip

# Source: General MIDI System Level 1, percussion map, keys 35..81.
_DRUM_KEYS = (
    "Acoustic Bass Drum", "Bass Drum 1", "Side Stick", "Acoustic Snare", "Hand Clap",
    "Electric Snare", "Low Floor Tom", "Closed Hi-Hat", "High Floor Tom", "Pedal Hi-Hat",
    "Low Tom", "Open Hi-Hat", "Low-Mid Tom", "Hi-Mid Tom", "Crash Cymbal 1", "High Tom",
    "Ride Cymbal 1", "Chinese Cymbal", "Ride Bell", "Tambourine", "Splash Cymbal", "Cowbell",
    "Crash Cymbal 2", "Vibraslap", "Ride Cymbal 2", "Hi Bongo", "Low Bongo", "Mute Hi Conga",
    "Open Hi Conga", "Low Conga", "High Timbale", "Low Timbale", "High Agogo", "Low Agogo",
    "Cabasa", "Maracas", "Short Whistle", "Long Whistle", "Short Guiro", "Long Guiro", "Claves",
    "Hi Wood Block", "Low Wood Block", "Mute Cuica", "Open Cuica", "Mute Triangle",
    "Open Triangle",
)  # fmt: skip
DRUM_KEY_NAMES: Mapping[int, str] = MappingProxyType(
    dict(enumerate(_DRUM_KEYS, start=LOWEST_DRUM_KEY))
)

_PROGRAM_AND_NAME: Mapping[StemKind, tuple[int, str]] = MappingProxyType(
    {
        StemKind.DRUMS: (DRUM_KIT_PROGRAM, "Drums"),
        StemKind.BASS: (33, "Bass"),
        StemKind.VOCALS: (53, "Vocals"),
        StemKind.KEYS: (0, "Keys"),
        StemKind.GUITAR: (25, "Guitar"),
        StemKind.STRINGS: (48, "Strings"),
        StemKind.BRASS: (61, "Brass"),
        StemKind.WINDS: (73, "Winds"),
        StemKind.SYNTH: (80, "Synth"),
        StemKind.OTHER: (0, "Other"),
        StemKind.MIX: (0, "Instruments"),
    }
)


def program_of(kind: StemKind) -> int:
    """Return the General MIDI program (0..127) that a stem of this kind plays with."""
    return _PROGRAM_AND_NAME[kind][0]


def track_name_of(kind: StemKind) -> str:
    """Return the name of the track made from a stem of this kind; of a mix, its pitched track."""
    return _PROGRAM_AND_NAME[kind][1]


def program_name(program: int) -> str:
    """Return the General MIDI name of a program (0..127)."""
    return PROGRAM_NAMES[program]


def family_name(program: int) -> str:
    """Return the family that a program (0..127) belongs to."""
    return FAMILY_NAMES[program // PROGRAMS_PER_FAMILY]


def drum_key_name(key: int) -> str:
    """Return the General MIDI name of a drum key, or "Key 90" outside the map."""
    return DRUM_KEY_NAMES.get(key, f"Key {key}")


# How musicians name stems: lower case, accents removed, phrases with single spaces; English with
# the usual abbreviations, German, French, Spanish, some Italian.
_WORDS_OF_KIND: Mapping[StemKind, str] = {
    StemKind.DRUMS: (
        "drum, drums, drm, drms, drumkit, drum kit, drumbus, drumloop, drumset, kit, beat,"
        " beats, perc, percs, percussion, percussions, kick, kicks, kik, kick sub, kick 808,"
        " bassdrum, bass drum, snare, snares, snr, hihat, hihats, hi hat, hi hats, hat, hats,"
        " hh, tom, toms, cymbal, cymbals, crash, ride, overhead, overheads, oh, ohs, clap,"
        " claps, shaker, shakers, tambourine, tamb, conga, congas, bongo, bongos, cajon, 909,"
        " schlagzeug, trommel, trommeln, becken, perkussion, batterie, caisse claire, grosse"
        " caisse, bateria, percusion, tambor, tambores, caja, bombo, batteria, rim, rimshot,"
        " cowbell, claves, timbales, djembe, tabla, taiko"
    ),
    StemKind.BASS: (
        "bass, basses, bs, bassline, bassdi, bassamp, bassgtr, bassguitar, bass guitar, bass"
        " gtr, e bass, ebass, sub, subbass, synthbass, 808, 808s, contrabass, double bass,"
        " upright, bassgitarre, bass gitarre, kontrabass, basse, contrebasse, bajo, contrabajo,"
        " basso"
    ),
    StemKind.VOCALS: (
        "vocal, vocals, vox, voc, vocs, voice, voices, leadvox, leadvocal, leadvocals, bgv,"
        " bgvs, bgvox, bv, bvs, bvox, acapella, acappella, a cappella, choir, choirs, singer,"
        " singing, soprano, gesang, leadgesang, stimme, stimmen, chor, chant, chants, chanteur,"
        " chanteuse, voix, choeur, choeurs, voz, voces, coro, coros, canto, voce, voci, adlib,"
        " adlibs, ad libs, rap"
    ),
    StemKind.KEYS: (
        "keys, keyboard, keyboards, kbd, kbds, piano, pianos, pno, e piano, epiano, el piano,"
        " rhodes, wurli, wurlitzer, ep, clav, clavinet, organ, organs, hammond, b3, harpsichord,"
        " celesta, accordion, vibraphone, marimba, xylophone, glockenspiel, klavier, fluegel,"
        " flugel, tasten, orgel, cembalo, akkordeon, clavier, orgue, clavecin, accordeon,"
        " teclado, teclados, organo, acordeon, pianoforte, tastiera, mallets, bells"
    ),
    StemKind.GUITAR: (
        "guitar, guitars, gtr, gtrs, guit, e guitar, e gtr, ac gtr, acgtr, elgtr, egtr,"
        " acoustic, leadguitar, rhythmguitar, banjo, ukulele, uke, mandolin, gitarre, gitarren,"
        " e gitarre, a gitarre, egitarre, leadgitarre, akustikgitarre, guitare, guitares,"
        " guitarra, guitarras, chitarra"
    ),
    StemKind.STRINGS: (
        "strings, string, str, strs, violin, violins, vln, viola, violas, vla, cello, celli,"
        " cellos, vcl, vc, fiddle, harp, streicher, geige, geigen, violine, violinen, bratsche,"
        " harfe, cordes, violon, violons, violoncelle, harpe, cuerdas, violines, violonchelo,"
        " chelo, arpa, archi, violino"
    ),
    StemKind.BRASS: (
        "brass, trumpet, trumpets, tpt, trombone, trombones, tbn, horn, horns, french horn,"
        " tuba, flugelhorn, blech, blechblaser, blechblaeser, blaser, blaeser, trompete,"
        " trompeten, posaune, posaunen, cuivres, trompette, trompettes, cor, cors, metales,"
        " trompeta, trompetas, trombon, ottoni, tromba"
    ),
    StemKind.WINDS: (
        "winds, wind, woodwind, woodwinds, ww, sax, saxes, saxophone, saxophones, flute,"
        " flutes, piccolo, clarinet, clarinets, oboe, english horn, bassoon, recorder,"
        " harmonica, harmonicas, whistle, holzblaser, holzblaeser, saxophon, saxofon, saxofono,"
        " saxo, flote, floete, blockflote, klarinette, fagott, mundharmonika, bois, clarinette,"
        " hautbois, basson, flauta, flautas, clarinete, armonica, viento, vientos"
    ),
    StemKind.SYNTH: (
        "synth, synths, syn, synthesizer, synthesiser, leadsynth, synthlead, lead, leads, pad,"
        " pads, arp, arps, arpeggio, pluck, plucks, moog, supersaw, synthe, synthetiseur,"
        " sintetizador, sintetizadores, sinte, sintetizzatore"
    ),
    StemKind.OTHER: (
        "other, others, fx, sfx, melody, chords, no drums, nodrums, drumless, steel drum, steel"
        " drums, andere, rest, autre, autres, otro, otros, melodie, melodia, orchestra, orch,"
        " orchester, orchestre, orquesta, timpani, riser, risers, atmo, atmos, ambience"
    ),
    StemKind.MIX: (
        "mix, mixdown, mixed, fullmix, full, master, mastered, premaster, stereo, 2mix, 2track,"
        " instrumental, instrumentals, instr, karaoke, minus one, backing track, playback,"
        " accompaniment, no vocals, novocals, no vox, novox, no bass, nobass, gesamt, mezcla,"
        " mixage"
    ),
}
STEM_WORDS: Mapping[str, StemKind] = MappingProxyType(
    {word: kind for kind, words in _WORDS_OF_KIND.items() for word in words.split(", ")}
)
"""Every word and phrase that names a kind of stem."""


def _set_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Everyday words too: they name a stem only at the end of a file's name, as in "Day One - OH".
_END_WORDS = _set_of(
    "oh hat hats ride crash kit beat beats tom becken caja sub bs upright voice voices singer"
    " singing chant chants canto voce stimme stimmen ep b3 keys organ tasten acoustic str"
    " string vc fiddle harp archi horn horns cor cors blech wind winds whistle recorder bois"
    " viento vientos lead leads pad pads pluck plucks melody chords melodie melodia rest other"
    " others andere autre autres otro otros fx bells rim rap orchestra full master mastered"
    " stereo playback gesamt"
)
# What musicians add to a stem's name: side, microphone, processing, role.
_ADDED_WORDS = _set_of(
    "l r left right mono bus di amp mic mics dry wet final section group grp loop comp edit"
    " in out top bottom btm close room raw clean dist dirty low high hi main backing"
    " background back bg rhythm rhy harmony dbl double electric elec el ac aux floor solo stem"
    " stems bounce export print track bpm and und et y e"
)
_JOINING_WORDS = _set_of("and und et y e")
_TAKE_WORDS = _set_of("take tk v ver version")  # when a number follows
_GENERAL_KINDS = (StemKind.SYNTH, StemKind.OTHER, StemKind.MIX)  # any other kind says more

_WORD = re.compile(r"\d+|[^\W\d_]+")
_CAMEL_CASE_BORDER = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
_ACCENTS = dict.fromkeys(range(0x300, 0x370))


def kind_from_name(name: str) -> StemKind | None:
    """Return what a file called `name` (without extension) holds, None if its name does not say.

    The last word that names an instrument counts, as in "Lead Guitar" or "Synth Bass". A name with
    several instruments ("Piano & Vox", or three and more) is OTHER; with drums or "mix" it is MIX.
    """
    words = _read_name(name)
    named = [word.kind for word in words if word.kind is not None]
    exact = [kind for kind in named if kind not in _GENERAL_KINDS]
    if _holds_several(words, named, len(set(exact))):
        blended = StemKind.DRUMS in exact or StemKind.MIX in named
        return StemKind.MIX if blended else StemKind.OTHER
    if exact:
        return exact[-1]
    return min(named, key=_GENERAL_KINDS.index, default=None)


def without_stem_words(name: str) -> str:
    """Return the rest of `name`, lower case without accents: what all stems of one song share.

    Stem words, takes, versions and track numbers go: "MySong - Drums 01" gives "mysong" and
    "01-LeadVox" gives "".
    """
    rest = ""
    for word in _read_name(name):
        if word.role is _Role.TITLE:
            rest += word.text if word.gap == "" else f" {word.text}"
    return rest.strip()


class _Role(Enum):
    TITLE = auto()
    STEM = auto()
    ADDED = auto()


@dataclass(slots=True)
class _Word:
    """A word or phrase of a name, what stands before it, and what it tells."""

    text: str
    gap: str
    names: StemKind | None = None  # what the word can mean
    role: _Role = _Role.TITLE

    @property
    def kind(self) -> StemKind | None:
        """What the word means here."""
        return self.names if self.role is _Role.STEM else None


def _holds_several(words: Sequence[_Word], named: Sequence[StemKind], kind_count: int) -> bool:
    if kind_count < 2:
        return False
    are_joined = any(
        word.text in _JOINING_WORDS and before.kind and after.kind
        for before, word, after in zip(words, words[1:], words[2:], strict=False)
    )
    are_drums_with_others = any(word.text in ("drum", "drums") for word in words)
    return kind_count > 2 or are_joined or are_drums_with_others or StemKind.MIX in named


def _read_name(name: str) -> list[_Word]:
    """Return the words of a name with their roles."""
    words = _with_phrases(list(_split(name)))
    for index in reversed(range(len(words))):
        following = words[index + 1] if index + 1 < len(words) else None
        words[index].role = _role_before(words[index], following)
    before: _Word | None = None
    for word in words:
        word.role = _role_after(word, before)
        before = word
    return words


def _split(name: str) -> Iterator[_Word]:
    """Yield the words of a name, split at signs, digits and capitals within."""
    folded = unicodedata.normalize("NFKD", name).translate(_ACCENTS)
    spelled = unicodedata.normalize("NFC", folded).replace("œ", "oe")
    spelled = re.sub("[&+]", " and ", spelled)
    end = 0
    for match in _WORD.finditer(spelled):
        gap = spelled[end : match.start()]
        for text in _CAMEL_CASE_BORDER.split(match.group()):
            yield _Word(text.casefold(), gap)
            gap = ""
        end = match.end()


def _with_phrases(words: Sequence[_Word]) -> list[_Word]:
    """Return the words with each known phrase as one, and what each can name."""
    joined: list[_Word] = []
    index = 0
    while index < len(words):
        length, kind = _phrase_at(words, index)
        text = " ".join(word.text for word in words[index : index + length])
        joined.append(_Word(text, words[index].gap, kind))
        index += length
    return joined


def _phrase_at(words: Sequence[_Word], index: int) -> tuple[int, StemKind | None]:
    for length in range(_LONGEST_PHRASE, 1, -1):
        kind = _PHRASES.get(tuple(word.text for word in words[index : index + length]))
        if kind is not None:
            return min(length, len(words) - index), kind
    return 1, _PHRASES.get((words[index].text,))


def _role_before(word: _Word, following: _Word | None) -> _Role:
    """Return the role of a word by what follows it."""
    is_in_stem = following is None or following.role is not _Role.TITLE
    if word.names is not None and (is_in_stem or word.text not in _END_WORDS):
        return _Role.STEM
    if word.text.isdecimal():
        # Keeps "Drums" in "OH 2" and "Song" in "Song 2 Live" apart from what follows the number.
        return _Role.ADDED if is_in_stem else _Role.TITLE
    if word.text in _TAKE_WORDS:
        is_take = following is not None and following.text.isdecimal()
        return _Role.ADDED if is_take else _Role.TITLE
    return _Role.ADDED if is_in_stem and word.text in _ADDED_WORDS else _Role.TITLE


def _role_after(word: _Word, before: _Word | None) -> _Role:
    """Return the role of a word by what stands before it, too."""
    if word.text.isdecimal() and word.role is not _Role.STEM:
        is_title = before is not None and before.role is _Role.TITLE
        is_counted = word.text.startswith("0") or "-" in word.gap
        return _Role.TITLE if is_title and not is_counted else _Role.ADDED
    if word.role is _Role.TITLE and before is not None and before.role is not _Role.TITLE:
        is_after_stem = before.role is _Role.STEM
        if is_after_stem and word.names is not None and word.text not in _END_WORDS:
            return _Role.STEM
        if is_after_stem and word.text in _ADDED_WORDS:
            return _Role.ADDED
    return word.role


_PHRASES = {tuple(word.text for word in _split(words)): kind for words, kind in STEM_WORDS.items()}
_LONGEST_PHRASE = max(map(len, _PHRASES))
