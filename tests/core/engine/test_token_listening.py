"""Models that write tokens, over whole files: order, ends, progress, cancel, and one result.

The network is a small one with made-up weights: what it hears is nonsense, but the same nonsense
each time.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.audio.clip import AudioClip
from core.audio.source import ClipSource, clip_source
from core.codec.notes_to_tokens import tokens_from_notes
from core.codec.vocabulary import EOS, MT3_VOCABULARY
from core.engine import generate, token_listening
from core.engine.generate import WrittenTokens
from core.engine.heard import Posteriors
from core.engine.model_set import TOKEN_MODELS
from core.engine.options import ChosenDevice, Precision, Sampling
from core.engine.token_listening import TokenListener
from core.errors import CancelledError, ModelBrokenError
from core.models.decoding import DecoderCache, StepDecoder
from core.models.mr_mt3 import MrMt3
from core.models.mt3 import Mt3, Mt3Config
from core.score.instruments import StemKind
from core.score.note import NoteEvent

CPU = ChosenDevice("cpu", "chosen")
RATE = 16_000
SEGMENT_S = 2.048


def small(model: token_listening.TokenModel, traits: token_listening.FamilyTraits) -> Mt3:
    config = Mt3Config(
        vocab_size=traits.vocabulary.size, d_model=512, num_heads=2, d_kv=16, d_ff=32,
        num_encoder_layers=1, num_decoder_layers=1, input_frames=traits.segment_frames,
        max_steps=24, memory_length=min(8, model.memory_length),
    )  # fmt: skip
    torch.manual_seed(5)
    return MrMt3(config) if model.memory_length else Mt3(config)


@pytest.fixture(autouse=True)
def _small_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_listening, "_network", small)
    monkeypatch.setattr(token_listening, "load_published", lambda net, *_: net.eval())


def listener(model_id: str = "mt3_magenta") -> TokenListener:
    return TokenListener(TOKEN_MODELS[model_id], Path("nowhere"), CPU)


def noise(length_s: float) -> ClipSource:
    samples = np.random.default_rng(1).normal(0, 0.1, (round(length_s * RATE), 1))
    return clip_source(AudioClip(samples.astype(np.float32), RATE))


def ignore(_: float) -> None:
    pass


@pytest.mark.parametrize(
    ("length_s", "segments"),
    [(0.5, 1), (SEGMENT_S, 2), (5.0, 3), (10 * SEGMENT_S - 0.001, 10)],
    ids=["short", "exactly one and its padding", "partial end", "ten"],
)
def test_every_segment_is_written_once_in_order(length_s: float, segments: int) -> None:
    heard = listener().listen(noise(length_s), StemKind.MIX, ignore)
    assert heard.tokens is not None
    starts_s = [segment.start_s for segment in heard.tokens.segments]
    assert starts_s == sorted(set(starts_s))
    assert len(starts_s) == segments


@pytest.mark.parametrize("rows", [1, 3, 16])
def test_the_tokens_do_not_depend_on_what_is_decoded_beside_them(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = noise(30.0)
    expected = listener().listen(source, StemKind.MIX, ignore).tokens
    monkeypatch.setattr(token_listening, "CPU_ROWS", rows)
    monkeypatch.setattr(token_listening, "CPU_ENCODE", rows)
    found = listener().listen(source, StemKind.MIX, ignore).tokens
    assert expected is not None
    assert found is not None
    assert [segment.tokens.tolist() for segment in found.segments] == [
        segment.tokens.tolist() for segment in expected.segments
    ]


def test_no_note_lies_outside_the_file() -> None:
    source = noise(7.3)
    heard = listener().listen(source, StemKind.MIX, ignore)
    assert heard.tokens is not None
    assert all(note.offset_s <= source.duration_s for note in heard.tokens.notes)


def test_a_drum_stem_has_no_pitched_notes() -> None:
    heard = listener().listen(noise(20.0), StemKind.DRUMS, ignore)
    assert heard.tokens is not None
    assert all(note.is_drum for note in heard.tokens.notes)


def test_mr_mt3_goes_in_order_and_remembers() -> None:
    source = noise(12.0)
    heard = listener("mr_mt3").listen(source, StemKind.MIX, ignore)
    assert heard.tokens is not None
    assert len(heard.tokens.segments) == 6


def test_progress_rises_to_its_end() -> None:
    seen: list[float] = []
    listener().listen(noise(40.0), StemKind.MIX, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_segments_are_told_as_they_are_written_and_what_sounds_at_their_end_is_cut_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held, short = NoteEvent(1.0, 60, 7.0, 127), NoteEvent(2.5, 64, 3.0, 127)
    rows = tokens_from_notes([held, short], [0.0, 2.04], MT3_VOCABULARY)

    def write(*given: Any, on_fraction: Callable[[float], None], **_: object) -> None:
        written = given[2]
        for index in (1, 0):
            row = rows[index]
            written[index] = WrittenTokens(index, row.tokens, row.log_probabilities)
            on_fraction(len(written) / 2)

    monkeypatch.setattr(token_listening, "write_side_by_side", write)
    told: list[tuple[float, list[tuple[int, float, float]]]] = []

    def take(notes: Sequence[NoteEvent], start_s: float, _end_s: float) -> None:
        of_segment = [(n.pitch, round(n.onset_s, 2), round(n.offset_s, 2)) for n in notes]
        told.append((start_s, of_segment))

    listener().listen(noise(3.9), StemKind.KEYS, ignore, on_notes=take)
    assert [start_s for start_s, _ in told] == [SEGMENT_S, 0.0]
    assert told[0][1] == [(64, 2.51, 3.01), (60, 2.05, 4.1)]
    assert told[1][1] == [(60, 1.0, 2.05)]


def test_silent_segments_are_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.zeros((round(20.0 * RATE), 1), np.float32)
    samples[-RATE:] = 0.1  # only the last segment is shown to the network
    source = clip_source(AudioClip(samples, RATE))
    starts_s: list[float] = []
    listener().listen(
        source,
        StemKind.MIX,
        ignore,
        on_notes=lambda _notes, start_s, _end_s: starts_s.append(start_s),
    )
    assert starts_s[:9] == pytest.approx([index * SEGMENT_S for index in range(9)])


def test_a_cancel_ends_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    def cancel(_: float) -> None:
        raise CancelledError

    before = threading.active_count()
    with pytest.raises(CancelledError):
        listener().listen(noise(60.0), StemKind.MIX, cancel)
    assert threading.active_count() == before


def test_what_goes_wrong_in_a_worker_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ModelBrokenError("It broke.", "Mend it.")

    monkeypatch.setattr(Mt3, "encode", broken)
    with pytest.raises(ModelBrokenError):
        listener().listen(noise(10.0), StemKind.MIX, ignore)


@pytest.mark.parametrize("precision", [Precision.BFLOAT16, Precision.INT8])
@pytest.mark.parametrize("model_id", ["mt3_magenta", "mr_mt3"])
def test_fewer_bits_run_as_well(model_id: str, precision: Precision) -> None:
    ears = TokenListener(TOKEN_MODELS[model_id], Path("nowhere"), CPU, precision=precision)
    heard = ears.listen(noise(5.0), StemKind.MIX, ignore)
    assert heard.tokens is not None
    assert len(heard.tokens.segments) == 3


def too_much_for(most_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let memory run out when more rows than that are wanted."""

    def cache(decoder: StepDecoder, rows: int, *shape: int) -> DecoderCache:
        if rows > most_rows:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return DecoderCache(decoder, rows, *shape)

    monkeypatch.setattr(generate, "DecoderCache", cache)


def tokens_of(heard: Posteriors) -> list[list[int]]:
    assert heard.tokens is not None
    return [segment.tokens.tolist() for segment in heard.tokens.segments]


def test_too_little_memory_halves_the_batch_and_changes_no_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = noise(30.0)
    expected = tokens_of(listener().listen(source, StemKind.MIX, ignore))
    too_much_for(3, monkeypatch)
    ears = listener()
    assert tokens_of(ears.listen(source, StemKind.MIX, ignore)) == expected
    monkeypatch.setattr(ears, "_write", lambda *_: pytest.fail("the batch is not tried anew"))


def test_what_was_written_before_memory_ran_out_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    source = noise(60.0)
    expected = tokens_of(listener().listen(source, StemKind.MIX, ignore))
    encoded: list[int] = []
    encode = Mt3.encode

    def failing_once(network: Mt3, features: torch.Tensor) -> torch.Tensor:
        encoded.append(len(features))
        if sum(encoded) > 24 and max(encoded) < 100:
            encoded.append(100)
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return encode(network, features)

    monkeypatch.setattr(Mt3, "encode", failing_once)
    assert tokens_of(listener().listen(source, StemKind.MIX, ignore)) == expected
    assert sum(encoded) - 100 < 2 * len(expected)


def test_no_room_for_a_single_segment_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    too_much_for(0, monkeypatch)
    with pytest.raises(torch.OutOfMemoryError):
        listener().listen(noise(10.0), StemKind.MIX, ignore)


def test_other_failures_are_not_taken_for_a_lack_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("shapes cannot be multiplied")

    monkeypatch.setattr(Mt3, "encode", broken)
    with pytest.raises(RuntimeError, match="multiplied"):
        listener().listen(noise(10.0), StemKind.MIX, ignore)


@pytest.mark.parametrize("model_id", ["mt3_magenta", "mt3_ismir2021", "mr_mt3"])
def test_the_network_is_not_asked_about_silence(
    model_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ears = listener(model_id)
    segment_s = ears._traits.segment_frames / 125
    samples = np.random.default_rng(1).normal(0, 0.1, (round(8 * segment_s * RATE), 1))
    samples[round(2 * segment_s * RATE) : round(6 * segment_s * RATE)] = 5e-5
    shown: list[int] = []
    features_of = ears._features_of
    monkeypatch.setattr(
        ears,
        "_features_of",
        lambda batch: [shown.extend(s.index for s in batch), features_of(batch)][1],
    )
    source = clip_source(AudioClip(samples.astype(np.float32), RATE))
    heard = ears.listen(source, StemKind.MIX, ignore)
    assert heard.tokens is not None
    assert sorted(shown) == [0, 1, 6, 7]
    vocabulary = ears._traits.vocabulary
    silence = [1134, EOS] if vocabulary.has_ties else [EOS]
    assert tokens_of(heard)[2:6] == [silence] * 4
    assert (
        len(tokens_of(heard)) == 9
    )  # the last one is the padding of a file that fills its segments
    begins = {round(note.onset_s // segment_s) for note in heard.tokens.notes}
    assert begins.isdisjoint({2, 3, 4, 5})


def test_draws_do_not_depend_on_which_worker_decodes_a_segment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def drawn() -> list[list[int]]:
        ears = TokenListener(
            TOKEN_MODELS["mt3_magenta"], Path("nowhere"), CPU, sampling=Sampling(1.0)
        )
        return tokens_of(ears.listen(noise(20.0), StemKind.MIX, ignore))

    first = drawn()
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert drawn() == first
    assert first != tokens_of(listener().listen(noise(20.0), StemKind.MIX, ignore))
