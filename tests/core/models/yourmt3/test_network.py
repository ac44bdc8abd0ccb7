"""Small networks; the published ones are held against the original in test_yourmt3_parity.py."""

from typing import Any

import pytest
import torch

from core.engine.generate import generate
from core.models.packing import pack_float32
from tests.core.models.yourmt3.small import MEL, PLAIN, features, small_network

KINDS = [{}, PLAIN, MEL, {"norm": "rms"}]


@pytest.mark.parametrize("sizes", KINDS, ids=["experts", "plain", "mel", "rms"])
def test_each_segment_is_heard_once_for_every_channel(sizes: dict[str, Any]) -> None:
    network = small_network(**sizes)
    encoded = network.encode(features(network))
    assert encoded.shape == (2, network.config.channels, 9, 16)


@pytest.mark.parametrize("sizes", [{}, PLAIN], ids=["experts", "plain"])
@pytest.mark.parametrize("channels", [(2,), (0, 2), (2, 1), (0, 1, 2)])
def test_chosen_channels_hear_what_they_hear_among_all(
    sizes: dict[str, Any], channels: tuple[int, ...]
) -> None:
    network = small_network(**sizes)
    heard = features(network)
    alone = network.encode(heard, channels)
    assert torch.allclose(alone, network.encode(heard)[:, list(channels)], atol=1e-6)


@pytest.mark.parametrize("channels", [(), (3,), (-1,)])
def test_channels_that_are_not_there_are_refused(channels: tuple[int, ...]) -> None:
    network = small_network()
    with pytest.raises(ValueError, match=r"not all in 0\.\.2"):
        network.encode(features(network), channels)


def test_segments_do_not_hear_each_other() -> None:
    network = small_network()
    heard = features(network, 3)
    assert torch.allclose(network.encode(heard)[1:2], network.encode(heard[1:2]), atol=1e-6)


@pytest.mark.parametrize("sizes", KINDS, ids=["experts", "plain", "mel", "rms"])
def test_steps_give_the_logits_of_all_tokens_at_once(sizes: dict[str, Any]) -> None:
    network = small_network(**sizes)
    rows = network.encode(features(network)).flatten(0, 1)
    written = list(generate(network.step_decoder(pack_float32), iter([rows]), rows=4, max_steps=20))
    assert {row.segment for row in written} == set(range(len(rows)))
    for row in written:
        tokens = torch.tensor([[0, *row.tokens[:-1].tolist()]])
        logits = network.logits_of(tokens, rows[row.segment][None])
        assert logits.argmax(dim=2)[0].tolist() == row.tokens.tolist()


def test_logits_are_scaled_as_upstream_ties_its_embeddings() -> None:
    network = small_network()
    heard = features(network)
    tokens = torch.zeros(6, 1, dtype=torch.long)
    logits = network(heard, tokens)
    network.logits.weight.data *= network.config.d_model**0.5
    decoded = network.decoder(network.token_embedding(tokens), network.encode(heard).flatten(0, 1))
    assert torch.allclose(logits * 16, decoded @ network.logits.weight.T, atol=1e-5)


def test_latents_are_kept_beside_what_they_find_only_where_told() -> None:
    kept, dropped = small_network(), small_network(adds_latents=False)
    dropped.load_state_dict(kept.state_dict())
    heard = features(kept)
    assert not torch.allclose(kept.encode(heard), dropped.encode(heard), atol=1e-3)


@pytest.mark.parametrize("sizes", KINDS, ids=["experts", "plain", "mel", "rms"])
def test_bfloat16_hears_nearly_the_same(sizes: dict[str, Any]) -> None:
    network = small_network(**sizes)
    heard = features(network)
    wanted = network.encode(heard)
    network.use_bfloat16()
    encoded = network.encode(heard)
    assert encoded.dtype is torch.float32
    assert not torch.equal(encoded, wanted)
    assert (encoded - wanted).abs().mean() < 0.02 * wanted.abs().mean()


def test_experts_are_chosen_in_float32_even_so() -> None:
    network = small_network()
    network.use_bfloat16()
    kept = {
        name: parameter.dtype
        for name, parameter in network.named_parameters()
        if ".feed_forward." in name and name.startswith("encoder.")
    }
    assert {kept[name] for name in kept if ".router." in name} == {torch.float32}
    assert {kept[name] for name in kept if ".experts." in name} == {torch.bfloat16}
