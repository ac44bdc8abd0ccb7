import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.score.instruments import (
    DRUM_KEY_NAMES,
    FAMILY_NAMES,
    PROGRAM_NAMES,
    STEM_WORDS,
    StemKind,
    drum_key_name,
    family_name,
    kind_from_name,
    program_name,
    program_of,
    track_name_of,
    without_stem_words,
)

KINDS_OF_NAMES = {
    StemKind.DRUMS: [
        "drums", "MySong_DrumBus_v2", "DRM", "Kit", "perc loop", "Kick In", "Snare Top", "HiHat",
        "Hi-Hat L", "Song - OH", "Overheads R", "Bass Drum", "808 Kick", "Kick 808", "Kick Sub",
        "Toms", "Tom 1", "Floor Tom", "Ride", "Drum Mix", "Schlagzeug", "batterie", "Batería",
        "Caisse claire", "Cajón", "drums_120bpm", "Drum Synth", "DJ Tabla",
    ],
    StemKind.BASS: [
        "bass", "BassDI", "bs", "Sub", "808", "Bass Guitar", "Synth Bass", "Upright", "E-Bass",
        "Kontrabass", "bajo", "Basse", "bassline", "Bass Mix", "Slap Bass",
    ],
    StemKind.VOCALS: [
        "vox", "Vocals", "01-LeadVox", "Lead Vocal", "BGVs", "Backing Vox", "voc", "Choir", "Voice",
        "A Cappella", "Gesang", "Voix", "voces", "Voz", "Chœur", "Song Chant", "Vocal Chop Synth",
        "Vox2dbl", "VOXLead", "Ad-Libs",
    ],
    StemKind.KEYS: [
        "keys", "Piano", "pno", "E-Piano", "Rhodes", "Song EP", "organ", "Hammond B3", "Klavier",
        "Electric Piano", "Wurlitzer", "teclado", "Órgano", "Flügel", "Pianos+Organ",
    ],
    StemKind.GUITAR: [
        "gtr", "Lead Guitar", "AcGtr", "E-Gitarre", "guitarra", "Guitare", "Acoustic Gtr 2", "GTRs",
        "Rhythm Guitar L", "Banjo", "Song Acoustic", "Steel Guitar",
    ],
    StemKind.STRINGS: [
        "strings", "Str", "Violin 1", "cello", "Synth Strings", "Streicher", "cordes", "Cuerdas",
        "Viola", "String Section",
    ],
    StemKind.BRASS: [
        "brass", "trumpet", "Trombone", "Horns", "Horn Section", "French Horn", "Posaune",
        "Bass Trombone", "Blechbläser", "trompeta",
    ],
    StemKind.WINDS: [
        "sax", "flute", "Clarinet", "Bass Clarinet", "Harmonica", "winds", "Alto Sax", "Flöte",
        "English Horn", "Holzbläser", "Mundharmonika",
    ],
    StemKind.SYNTH: [
        "synth", "Lead", "Warm Pad", "arp", "Pluck 2", "Synth Lead", "sintetizador", "SynthMix",
    ],
    StemKind.OTHER: [
        "other", "FX", "Song_sfx", "no_drums", "Piano & Vox", "Steel Drums", "Song (Melody)",
        "Strings and Horns", "otros", "Orchestra", "NoDrums",
    ],
    StemKind.MIX: [
        "mix", "Full Mix", "MySong_2mix", "Master", "Song (Instrumental)", "premaster", "no_vocals",
        "Song Stereo", "drum_bass", "Drums+Bass", "Piano Vox Mix", "Drums Bass Guitar", "Song Full",
        "Song Mixdown v3", "Mix final", "Song_final_mix",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for kind, names in KINDS_OF_NAMES.items() for name in names]
)
def test_a_name_says_what_the_file_holds(name: str, kind: StemKind) -> None:
    assert kind_from_name(name) is kind


@pytest.mark.parametrize(
    "name",
    [
        "MySong", "take 3", "Audio 1", "2026-11-20", "", "___", "Drumheller", "Basslines for ever",
        "Keynote", "Padding", "Tom Sawyer", "Oh Happy Day", "Full Moon", "Master of Puppets",
        "Lead the Way", "Ride on Time", "Organic", "Voicemail", "Strangers", "Guitarland",
        "Subway", "Mixtape", "The Horn of Plenty tale", "Wind of Change", "left", "My Track 04",
        "ドラマ", "Kickstart", "Bassoprofondo",
    ],
)  # fmt: skip
def test_a_name_without_stem_words_says_nothing(name: str) -> None:
    assert kind_from_name(name) is None


@pytest.mark.parametrize(
    ("name", "rest"),
    [
        ("MySong - Drums 01", "mysong"),
        ("MySong_DrumBus_v2", "mysong"),
        ("MySong Lead Vox take 3", "mysong"),
        ("01-LeadVox", ""),
        ("02 MySong Bass", "mysong"),
        ("MySong - 03 - Keys", "mysong"),
        ("mysong 02 bass", "mysong"),
        ("Drums L - My Song", "my song"),
        ("Kick In - My Song", "my song"),
        ("Song 2 - Drums", "song 2"),
        ("Song 2", "song 2"),
        ("Full Moon - Drums", "full moon"),
        ("Oh Happy Day - OH", "oh happy day"),
        ("Canción_Batería", "cancion"),
        ("Master of Puppets - Lead Gtr 2", "master of puppets"),
        ("MySong (Bass Guitar)", "mysong"),
        ("MySong Backing Vocals Left", "mysong"),
        ("Turn Left - Drums", "turn"),
        ("Блюз - Drums", "блюз"),
        ("MySong", "mysong"),
    ],
)
def test_what_stems_of_a_song_share_is_left(name: str, rest: str) -> None:
    assert without_stem_words(name) == rest


def test_an_everyday_word_after_the_stem_is_part_of_the_title() -> None:
    assert kind_from_name("harmonica_OhSusanapart1") is StemKind.WINDS


@pytest.mark.parametrize("stem", ["Drums", "01 Bass DI", "Lead Vox", "E-Piano_v2", "Gtr L", "OH"])
@pytest.mark.parametrize("song", ["Blue", "Song 2", "Full Moon", "Für Elise"])
def test_stems_of_a_song_share_what_is_left(song: str, stem: str) -> None:
    assert without_stem_words(f"{song} - {stem}") == without_stem_words(f"{song} - Drums")


@given(st.text())
def test_any_name_is_read(name: str) -> None:
    kind_from_name(name)
    without_stem_words(name)


@pytest.mark.parametrize(("word", "kind"), STEM_WORDS.items())
def test_each_word_by_itself_says_what_it_names(word: str, kind: StemKind) -> None:
    assert kind_from_name(word) is kind


def test_the_table_of_words_is_long() -> None:
    assert len(STEM_WORDS) > 300


def test_there_are_128_programs_in_16_families_of_eight() -> None:
    assert len(PROGRAM_NAMES) == len(set(PROGRAM_NAMES)) == 128
    assert len(FAMILY_NAMES) == len(set(FAMILY_NAMES)) == 16


@pytest.mark.parametrize(
    ("program", "name", "family"),
    [
        (0, "Acoustic Grand Piano", "Piano"),
        (25, "Acoustic Guitar (steel)", "Guitar"),
        (33, "Electric Bass (finger)", "Bass"),
        (48, "String Ensemble 1", "Ensemble"),
        (56, "Trumpet", "Brass"),
        (65, "Alto Sax", "Reed"),
        (73, "Flute", "Pipe"),
        (80, "Lead 1 (square)", "Synth Lead"),
        (114, "Steel Drums", "Percussive"),
        (127, "Gunshot", "Sound Effects"),
    ],
)
def test_programs_have_their_general_midi_names(program: int, name: str, family: str) -> None:
    assert program_name(program) == name
    assert family_name(program) == family


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (35, "Acoustic Bass Drum"),
        (36, "Bass Drum 1"),
        (38, "Acoustic Snare"),
        (42, "Closed Hi-Hat"),
        (46, "Open Hi-Hat"),
        (49, "Crash Cymbal 1"),
        (51, "Ride Cymbal 1"),
        (56, "Cowbell"),
        (81, "Open Triangle"),
        (90, "Key 90"),
    ],
)
def test_drum_keys_have_their_general_midi_names(key: int, name: str) -> None:
    assert drum_key_name(key) == name


def test_the_drum_map_has_47_keys() -> None:
    assert list(DRUM_KEY_NAMES) == list(range(35, 82))


@pytest.mark.parametrize("kind", list(StemKind))
def test_each_kind_has_a_program_and_a_name(kind: StemKind) -> None:
    assert 0 <= program_of(kind) <= 127
    assert track_name_of(kind)


def test_no_two_kinds_share_a_track_name() -> None:
    assert len({track_name_of(kind) for kind in StemKind}) == len(StemKind)


def test_a_bass_plays_a_fingered_bass() -> None:
    assert (program_of(StemKind.BASS), track_name_of(StemKind.BASS)) == (33, "Bass")
