import pytest

from core.score.key import estimate_key, key_name, key_of_signature, key_signature
from core.score.transcription import Key, Track
from tests import make

STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def _pitch(name: str) -> int:
    accidental = name.count("#") - name.count("b")
    return 12 * (int(name[-1]) + 1) + STEPS[name[0]] + accidental


def _melody(text: str) -> Track:
    """Return a melody of notes such as "C4" or "F#4:2", the number being its beats."""
    notes = []
    at_s = 0.0
    for word in text.split():
        name, _, beats = word.partition(":")
        length_s = 0.5 * float(beats or 1)
        notes.append(make.note(_pitch(name), at_s, at_s + length_s))
        at_s += length_s
    return make.track(*notes)


def _chords(*chords: str) -> Track:
    return make.track(
        *(
            make.note(_pitch(name), 2.0 * k, 2.0 * k + 2.0)
            for k, chord in enumerate(chords)
            for name in chord.split()
        )
    )


ODE_TO_JOY = _melody(
    "F#4 F#4 G4 A4 A4 G4 F#4 E4 D4 D4 E4 F#4 F#4:1.5 E4:.5 E4:2"
    " F#4 F#4 G4 A4 A4 G4 F#4 E4 D4 D4 E4 F#4 E4:1.5 D4:.5 D4:2"
)
TWINKLE = _melody("C4 C4 G4 G4 A4 A4 G4:2 F4 F4 E4 E4 D4 D4 C4:2 G4 G4 F4 F4 E4 E4 D4:2")
FUER_ELISE = _melody(
    "E5:.5 D#5:.5 E5:.5 D#5:.5 E5:.5 B4:.5 D5:.5 C5:.5 A4:1.5 C4:.5 E4:.5 A4:.5 B4:1.5"
    " E4:.5 G#4:.5 B4:.5 C5:1.5 E4:.5 E5:.5 D#5:.5 E5:.5 D#5:.5 E5:.5 B4:.5 D5:.5 C5:.5 A4:1.5"
    " C4:.5 E4:.5 A4:.5 B4:1.5 E4:.5 C5:.5 B4:.5 A4:2"
)
MINUET_IN_G = _melody(
    "D5 G4:.5 A4:.5 B4:.5 C5:.5 D5 G4 G4 E5 C5:.5 D5:.5 E5:.5 F#5:.5 G5 G4 G4"
    " C5 D5:.5 C5:.5 B4:.5 A4:.5 B4 C5:.5 B4:.5 A4:.5 G4:.5 F#4 G4:.5 A4:.5 B4:.5 G4:.5 A4:3"
)
AMAZING_GRACE = _melody(
    "C4 F4:2 A4:.5 F4:.5 A4:2 G4 F4:2 D4 C4:2 C4 F4:2 A4:.5 F4:.5 A4:2 G4 C5:5"
    " A4 C5:1.5 A4:.5 C5:.5 A4:.5 F4:2 C4 D4:1.5 F4:.5 F4:.5 D4:.5 C4:2 C4 F4:2 A4 G4:2 F4:3"
)
AXIS_IN_E = _chords("E3 G#3 B3", "B3 D#4 F#4", "C#3 E3 G#3", "A3 C#4 E4", "E3 G#3 B3 E4")
TWO_FIVE_ONE_IN_B_FLAT = _chords("C3 Eb3 G3 Bb3", "F3 A3 C4 Eb4", "Bb2 D3 F3 A3", "Bb2 D3 F3")
CADENCE_IN_C_SHARP_MINOR = _chords("C#3 E3 G#3", "F#3 A3 C#4", "G#3 B#3 D#4", "C#3 E3 G#3")


@pytest.mark.parametrize(
    ("track", "name"),
    [
        (ODE_TO_JOY, "D major"),
        (TWINKLE, "C major"),
        (FUER_ELISE, "A minor"),
        (MINUET_IN_G, "G major"),
        (AMAZING_GRACE, "F major"),
        (AXIS_IN_E, "E major"),
        (TWO_FIVE_ONE_IN_B_FLAT, "Bb major"),
        (CADENCE_IN_C_SHARP_MINOR, "C# minor"),
    ],
)
def test_known_music_is_in_its_key(track: Track, name: str) -> None:
    key = estimate_key([track])
    assert key is not None
    assert key_name(key) == name


@pytest.mark.parametrize("semitones", range(-6, 6))
def test_the_key_moves_with_the_music(semitones: int) -> None:
    moved = make.track(
        *(make.note(n.pitch + semitones, n.onset_s, n.offset_s) for n in TWINKLE.notes)
    )
    assert estimate_key([moved]) == Key(semitones % 12, is_minor=False)


def test_long_and_loud_notes_count_more() -> None:
    steps = [60, 62, 64, 65, 67, 69, 71, 72]
    scale = [make.note(pitch, k * 0.1, k * 0.1 + 0.1, 30) for k, pitch in enumerate(steps)]
    in_c = [make.note(pitch, 1.0, 4.0, 120) for pitch in (60, 64, 67)]
    in_a_minor = [make.note(pitch, 1.0, 4.0, 120) for pitch in (57, 60, 64)]
    assert estimate_key([make.track(*scale, *in_c)]) == Key(0, is_minor=False)
    assert estimate_key([make.track(*scale, *in_a_minor)]) == Key(9, is_minor=True)


CHROMATIC = make.track(*(make.note(60 + k, k, k + 1) for k in range(12)))
WHOLE_TONES = make.track(*(make.note(60 + 2 * (k % 6), k, k + 1) for k in range(12)))


@pytest.mark.parametrize(
    "tracks",
    [
        [],
        [make.track()],
        [make.track(*(make.note(60, k, k + 1) for k in range(7)))],
        [CHROMATIC],
        [WHOLE_TONES],
        [make.drums(*ODE_TO_JOY.notes)],
        [make.track(*(make.note(60 + k % 4, k, k) for k in range(20)))],
        [make.track(*(make.note(60 + k % 4, k, k + 1) for k in range(20)))],
    ],
    ids=["nothing", "no notes", "few notes", "all", "whole tones", "drums", "no length", "cluster"],
)
def test_music_that_does_not_decide_has_no_key(tracks: list[Track]) -> None:
    assert estimate_key(tracks) is None


def test_drums_do_not_change_the_key() -> None:
    noise = make.drums(*(make.note(37, k, k + 5, 127) for k in range(50)))
    assert estimate_key([noise, TWINKLE]) == estimate_key([TWINKLE])


@pytest.mark.parametrize(
    ("key", "name", "signature"),
    [
        (Key(0, False), "C major", "C"),
        (Key(9, True), "A minor", "Am"),
        (Key(10, False), "Bb major", "Bb"),
        (Key(6, False), "F# major", "F#"),
        (Key(1, True), "C# minor", "C#m"),
        (Key(3, True), "Eb minor", "Ebm"),
    ],
)
def test_keys_are_spelled_as_musicians_do(key: Key, name: str, signature: str) -> None:
    assert key_name(key) == name
    assert key_signature(key) == signature


@pytest.mark.parametrize("key", [Key(tonic, minor) for tonic in range(12) for minor in (0, 1)])
def test_signatures_survive(key: Key) -> None:
    assert key_of_signature(key_signature(key)) == key


@pytest.mark.parametrize(
    ("signature", "key"), [("Cb", Key(11, False)), ("A#m", Key(10, True)), ("Gb", Key(6, False))]
)
def test_enharmonic_signatures_are_read(signature: str, key: Key) -> None:
    assert key_of_signature(signature) == key
