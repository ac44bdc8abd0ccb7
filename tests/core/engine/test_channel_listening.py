"""YourMT3+ over whole files: which channels are heard, one result however it is worked, its tracks.

The networks are small ones with made-up weights: what they hear is nonsense, but the same nonsense
each time.
"""

import pickle
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.audio.clip import AudioClip
from core.audio.source import ClipSource, clip_source
from core.codec.vocabulary import EOS
from core.codec.yourmt3_programs import channels_of
from core.engine import channel_listening, generate
from core.engine.channel_listening import ChannelListener
from core.engine.heard import HeardTokens, tracks_from
from core.engine.model_set import TOKEN_MODELS, Family
from core.engine.options import ChosenDevice, Precision
from core.errors import CancelledError, ModelBrokenError
from core.features.yourmt3_spectrogram import SEGMENT_S, SEGMENT_SAMPLES, segment_start_s
from core.models.decoding import DecoderCache, StepDecoder
from core.models.yourmt3.config import YourMt3Config
from core.models.yourmt3.network import YourMt3
from core.score.instruments import StemKind
from core.score.note import NoteEvent

CPU = ChosenDevice("cpu", "chosen")
RATE = 16_000
TIE = 339

SIZES: dict[str, Any] = {
    "max_steps": 24, "conv_channels": 2, "blocks": 1, "local_layers": 1, "temporal_layers": 1,
    "experts": 2, "latent_d_ff": 8, "d_model": 512, "num_heads": 2, "d_kv": 8, "d_ff": 16,
    "num_encoder_layers": 1, "num_decoder_layers": 1,
}  # fmt: skip
OF_FAMILY: dict[str, dict[str, Any]] = {
    Family.YPTF_MOE_MULTI: {},
    Family.YPTF_MULTI: {"positions": "trainable", "experts": 0, "chosen_experts": 0},
    Family.YPTF_SINGLE: {"channels": 1, "latents": 24},
    Family.YMT3PLUS: {"channels": 1, "encoder": "t5", "input_frames": 256, "input_bins": 512},
}


def small(_path: Path, family: str) -> YourMt3:
    torch.manual_seed(5)
    network = YourMt3(YourMt3Config(**{**SIZES, **OF_FAMILY[family]}))
    return network.eval().requires_grad_(requires_grad=False)


@pytest.fixture(autouse=True)
def _small_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_listening, "read_yourmt3", small)


def listener(model_id: str = "yourmt3") -> ChannelListener:
    return ChannelListener(TOKEN_MODELS[model_id], Path("nowhere"), CPU)


def noise(segments: float) -> ClipSource:
    samples = np.random.default_rng(1).normal(0, 0.1, (round(segments * SEGMENT_SAMPLES), 1))
    return clip_source(AudioClip(samples.astype(np.float32), RATE))


def ignore(_: float) -> None:
    pass


def heard(
    source: ClipSource, kind: StemKind = StemKind.MIX, ears: ChannelListener | None = None
) -> HeardTokens:
    tokens = (ears or listener()).listen(source, kind, ignore).tokens
    assert tokens is not None
    return tokens


def words(tokens: HeardTokens) -> list[list[int]]:
    return [segment.tokens.tolist() for segment in tokens.segments]


@pytest.mark.parametrize("kind", StemKind)
def test_a_stem_is_asked_about_its_channels_only(
    kind: StemKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Sequence[int] | None] = []
    encode = YourMt3.encode

    def remembered(
        network: YourMt3, features: torch.Tensor, channels: Sequence[int] | None = None
    ) -> torch.Tensor:
        asked.append(channels)
        return encode(network, features, channels)

    monkeypatch.setattr(YourMt3, "encode", remembered)
    tokens = heard(noise(2.5), kind)
    assert set(asked) == {channels_of(kind)}
    assert len(tokens.segments) == 3 * len(channels_of(kind))


@pytest.mark.parametrize("model_id", ["yourmt3_single", "yourmt3_ymt3plus"])
@pytest.mark.parametrize("kind", [StemKind.MIX, StemKind.VOCALS, StemKind.DRUMS])
def test_a_model_of_one_channel_writes_one_row_per_segment(model_id: str, kind: StemKind) -> None:
    tokens = heard(noise(3.0), kind, listener(model_id))
    starts_s = [segment.start_s for segment in tokens.segments]
    assert starts_s[:3] == pytest.approx([segment_start_s(n) for n in range(3)])


@pytest.mark.parametrize("model_id", ["yourmt3", "yourmt3_single", "yourmt3_ymt3plus"])
def test_a_vocal_stem_has_singing_only_and_a_drum_stem_hits_only(model_id: str) -> None:
    ears = listener(model_id)
    voices = heard(noise(6.0), StemKind.VOCALS, ears).notes
    assert {(note.program, note.is_drum) for note in voices} <= {(53, False), (52, False)}
    hits = heard(noise(6.0), StemKind.DRUMS, ears).notes
    assert hits
    assert all(note.is_drum for note in hits)


@pytest.mark.parametrize(("cores", "workers", "each"), [(1, 1, 1), (4, 4, 1), (16, 6, 2)])
def test_no_more_workers_encode_at_once_than_memory_is_meant_for(
    cores: int, workers: int, each: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    monkeypatch.setattr(torch, "get_num_threads", lambda: cores)
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    heard(noise(0.5), StemKind.DRUMS)
    assert threads == [each] * workers


def test_the_rows_of_each_channel_stand_in_order_of_time() -> None:
    tokens = heard(noise(4.0), StemKind.KEYS)
    starts_s = np.array([segment.start_s for segment in tokens.segments]).reshape(3, -1)
    assert (starts_s == starts_s[0]).all()
    assert (np.diff(starts_s[0]) > 0).all()


@pytest.mark.parametrize("rows", [1, 5, 64])
def test_the_tokens_do_not_depend_on_what_is_decoded_beside_them(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = noise(3.5)
    expected = words(heard(source))
    monkeypatch.setattr(channel_listening, "_rows_side_by_side", lambda *_: rows)
    monkeypatch.setattr(channel_listening, "CPU_ENCODE", 3)
    assert words(heard(source)) == expected


def test_a_channel_hears_the_same_alone_as_among_all() -> None:
    ears = listener()
    (guitar,) = channels_of(StemKind.GUITAR)
    audio = torch.from_numpy(noise(1.0).clip.samples[None, :, 0])
    alone = ears.network.encode(ears._features(audio), (guitar,))
    among_all = ears.network.encode(ears._features(audio))
    assert torch.allclose(alone[:, 0], among_all[:, guitar], atol=1e-5)


def test_no_note_lies_outside_the_file() -> None:
    source = noise(3.6)
    assert all(note.offset_s <= source.duration_s for note in heard(source).notes)


def test_a_row_that_starts_with_its_end_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    step = StepDecoder.step

    def ending(decoder: StepDecoder, *state: Any) -> torch.Tensor:
        logits = step(decoder, *state)
        logits[:, EOS] = 1e9
        return logits

    monkeypatch.setattr(StepDecoder, "step", ending)
    assert words(heard(noise(1.5))) == [[EOS]] * 26


def test_the_network_is_not_asked_about_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = noise(6.0).clip.samples.copy()
    samples[2 * SEGMENT_SAMPLES : 4 * SEGMENT_SAMPLES] = 5e-5
    ears = listener()
    shown: list[int] = []
    encoded = ears._encoded
    monkeypatch.setattr(
        ears,
        "_encoded",
        lambda batch, chosen: [shown.extend(s.index for s in batch), encoded(batch, chosen)][1],
    )
    tokens = heard(clip_source(AudioClip(samples, RATE)), StemKind.BASS, ears)
    assert sorted(shown) == [0, 1, 4, 5]
    assert words(tokens)[2:4] == [[TIE, EOS], [TIE, EOS]]


def test_progress_rises_to_its_end() -> None:
    seen: list[float] = []
    listener().listen(noise(6.0), StemKind.MIX, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_a_cancel_ends_the_workers() -> None:
    def cancel(_: float) -> None:
        raise CancelledError

    before = threading.active_count()
    with pytest.raises(CancelledError):
        listener().listen(noise(20.0), StemKind.MIX, cancel)
    assert threading.active_count() == before


def test_a_cancel_does_not_wait_for_the_segment_being_encoded() -> None:
    ears = listener()
    done: list[str] = []

    def slow(block: torch.nn.Module, *_: object) -> None:
        done.append(type(block).__name__)
        time.sleep(0.2)

    for block in ears.network.encoder.modules():
        block.register_forward_hook(slow)

    def cancel(_: float) -> None:
        if done:
            raise CancelledError

    began_s = time.monotonic()
    with pytest.raises(CancelledError):
        ears.listen(noise(20.0), StemKind.MIX, cancel)
    assert time.monotonic() - began_s < 1.5  # a segment would take six


def test_what_goes_wrong_in_a_worker_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ModelBrokenError("It broke.", "Mend it.")

    monkeypatch.setattr(YourMt3, "encode", broken)
    with pytest.raises(ModelBrokenError):
        heard(noise(3.0))


def test_too_little_memory_halves_the_rows_and_changes_no_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = noise(4.0)
    expected = words(heard(source))

    def cache(decoder: StepDecoder, rows: int, *shape: int) -> DecoderCache:
        if rows > 5:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return DecoderCache(decoder, rows, *shape)

    monkeypatch.setattr(generate, "DecoderCache", cache)
    assert words(heard(source)) == expected


@pytest.mark.parametrize(("free_gb", "rows"), [(1.0, 64), (4.0, 222), (16.0, 888), (139.0, 1024)])
def test_a_gpu_decodes_as_many_rows_as_its_memory_holds(
    free_gb: float, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    free_bytes = int(free_gb * 1e9)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (free_bytes, 2 * free_bytes))
    assert channel_listening._rows_side_by_side(torch.device("cuda"), torch.float32) == rows


def test_a_cpu_decodes_twice_as_many_rows_where_half_as_many_bytes_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    wide, narrow = (
        channel_listening._rows_side_by_side(torch.device("cpu"), kept_in)
        for kept_in in (torch.float32, torch.bfloat16)
    )
    assert (wide, narrow) == (26, 52)


@pytest.mark.parametrize("precision", [Precision.BFLOAT16, Precision.INT8])
def test_fewer_bits_run_as_well(precision: Precision) -> None:
    ears = ChannelListener(TOKEN_MODELS["yourmt3"], Path("nowhere"), CPU, precision=precision)
    assert len(heard(noise(2.5), StemKind.MIX, ears).segments) == 39


def test_notes_are_told_before_the_file_is_heard_to_its_end() -> None:
    told: list[NoteEvent] = []
    edges_s: list[float] = []

    def on_notes(notes: Sequence[NoteEvent], start_s: float, end_s: float) -> None:
        assert all(start_s <= note.onset_s <= end_s for note in notes)
        told.extend(notes)
        edges_s.append(end_s)

    source = noise(6.0)
    listener().listen(source, StemKind.MIX, ignore, on_notes=on_notes)
    assert sorted(edges_s)[:6] == pytest.approx([n * SEGMENT_S for n in range(1, 7)])
    assert {note.pitch for note in told if note.is_drum}


def test_tracks_bear_the_names_of_their_instruments() -> None:
    notes = tuple(
        NoteEvent(0.1, 60, 0.9, program=program, confidence=0.9) for program in (0, 24, 30, 53, 52)
    )
    tokens = heard(noise(1.0))
    named = HeardTokens((), notes, tokens.losses, tokens.names, tokens.rules)
    posteriors = listener().listen(noise(1.0), StemKind.MIX, ignore)
    tracks = tracks_from(type(posteriors)(tokens=named), StemKind.MIX)
    assert [(track.name, track.program) for track in tracks] == [
        ("Acoustic Piano", 0), ("Guitar (clean)", 24), ("Guitar (distortion)", 30),
        ("Singing Voice (chorus)", 52), ("Singing Voice", 53),
    ]  # fmt: skip


def test_an_instrument_with_a_channel_of_its_own_may_play_a_single_note() -> None:
    piano = [NoteEvent(0.1 * n, 60, 0.1 * n + 0.09, confidence=0.9) for n in range(200)]
    flute = NoteEvent(10.0, 64, 10.5, program=72, confidence=0.9)
    tokens = heard(noise(1.0))
    named = HeardTokens((), (*piano, flute), tokens.losses, tokens.names, tokens.rules)
    posteriors = listener().listen(noise(1.0), StemKind.MIX, ignore)
    tracks = tracks_from(type(posteriors)(tokens=named), StemKind.MIX)
    assert [track.name for track in tracks] == ["Acoustic Piano", "Pipe"]


def test_what_was_heard_goes_from_process_to_process() -> None:
    tokens = heard(noise(1.0))
    again = pickle.loads(pickle.dumps(tokens))
    assert (again.notes, again.names, again.rules) == (tokens.notes, tokens.names, tokens.rules)
