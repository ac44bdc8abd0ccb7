"""The sizes of the YourMT3+ networks, and which of them were published."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from core.models.token_network import TokenConfig

STEPS_KNOWN = 1034  # positions the published tables of the T5 stacks have
FRAMES_KNOWN = 120  # positions the published trainable table of the Perceiver has


class YourMt3Config(TokenConfig):  # type: ignore[no-untyped-call]  # a hook of theirs has no types
    """The sizes of a YourMT3+ network; the defaults are those of YPTF.MoE+Multi.

    `encoder` is "perceiver" behind convolutions, or "t5" for YMT3+, whose other encoder sizes then
    count for nothing. `positions` is "rotary" or "trainable". `experts` of 0 means one plain
    feed-forward. `adds_latents` keeps the latents beside what their cross-attention finds, which
    no tensor tells. `norm` is "layer" or "rms".
    """

    model_type = "notewright_yourmt3"

    def __init__(  # noqa: PLR0913 (a configuration lists its sizes)
        self,
        *,
        encoder: str = "perceiver",
        channels: int = 13,
        max_steps: int = 256,
        input_frames: int = 110,
        input_bins: int = 1024,
        conv_channels: int = 128,
        latents: int = 26,
        d_latent: int = 128,
        latent_heads: int = 8,
        blocks: int = 3,
        local_layers: int = 2,
        temporal_layers: int = 2,
        positions: str = "rotary",
        rotated_pairs: int = 2,
        experts: int = 8,
        chosen_experts: int = 2,
        latent_d_ff: int = 512,
        adds_latents: bool = True,
        norm: str = "layer",
        vocab_size: int = 596,
        **kwargs: Any,
    ) -> None:
        """Check the sizes; raises ValueError where they cannot belong to a network.

        `kwargs` are those of `TokenConfig`.
        """
        self.encoder = encoder
        self.channels = channels
        self.input_frames = input_frames
        self.input_bins = input_bins
        self.conv_channels = conv_channels
        self.latents = latents
        self.d_latent = d_latent
        self.latent_heads = latent_heads
        self.blocks = blocks
        self.local_layers = local_layers
        self.temporal_layers = temporal_layers
        self.positions = positions
        self.rotated_pairs = rotated_pairs
        self.experts = experts
        self.chosen_experts = chosen_experts
        self.latent_d_ff = latent_d_ff
        self.adds_latents = adds_latents
        self.norm = norm
        super().__init__(vocab_size=vocab_size, max_steps=max_steps, **kwargs)
        self._check_kinds()
        self._check_sizes()
        self._check_proportions()

    @property
    def has_experts(self) -> bool:
        """Tell whether the feed-forwards of the Perceiver are mixtures of experts."""
        return self.experts > 0

    @property
    def latents_per_channel(self) -> int:
        """How many latents one decoding channel hears."""
        return self.latents // self.channels

    def _check_kinds(self) -> None:
        kinds = {
            "encoder": (self.encoder, ("perceiver", "t5")),
            "positions": (self.positions, ("rotary", "trainable")),
            "norm": (self.norm, ("layer", "rms")),
        }
        for name, (chosen, known) in kinds.items():
            if chosen not in known:
                raise ValueError(f"{name} must be one of {known}, not {chosen!r}")

    def _check_sizes(self) -> None:
        self.check_positive(
            "channels", "input_frames", "input_bins", "conv_channels", "latents", "d_latent",
            "latent_heads", "blocks", "local_layers", "temporal_layers", "rotated_pairs",
            "latent_d_ff",
        )  # fmt: skip
        if not 0 <= self.chosen_experts <= self.experts or (
            self.experts and not self.chosen_experts
        ):
            raise ValueError(f"{self.chosen_experts} experts of {self.experts} cannot be chosen")
        if self.max_steps > STEPS_KNOWN:
            raise ValueError(f"the model knows {STEPS_KNOWN} positions, not {self.max_steps}")

    def _check_proportions(self) -> None:
        if self.encoder == "t5":
            if self.channels != 1 or self.input_bins != self.d_model:
                raise ValueError("a T5 encoder has one channel and hears d_model bins")
            if self.input_frames > STEPS_KNOWN:
                raise ValueError(f"the model knows {STEPS_KNOWN} frames, not {self.input_frames}")
            return
        if self.latents % self.channels:
            raise ValueError(f"{self.latents} latents cannot be shared by {self.channels} channels")
        if self.d_latent % self.latent_heads:
            raise ValueError(f"{self.latent_heads} heads cannot share {self.d_latent} dimensions")
        head_channels = self.d_latent // self.latent_heads
        if self.positions == "rotary" and head_channels % 2:
            raise ValueError(f"{head_channels} dimensions of a head are no pairs")
        if 2 * self.rotated_pairs > head_channels:
            raise ValueError(f"a head has fewer dimensions than {self.rotated_pairs} pairs")
        if self.input_bins != 8 * self.d_latent:
            raise ValueError("three halvings of input_bins must give d_latent")
        if self.positions == "trainable" and self.input_frames > FRAMES_KNOWN:
            raise ValueError(f"the model knows {FRAMES_KNOWN} frames, not {self.input_frames}")


def _ymt3plus() -> YourMt3Config:
    return YourMt3Config(encoder="t5", channels=1, max_steps=1024, input_frames=256, input_bins=512)


def _yptf_single() -> YourMt3Config:
    return YourMt3Config(
        channels=1, max_steps=1024, latents=24, positions="trainable", experts=0,
        chosen_experts=0, latent_d_ff=128, adds_latents=False,
    )  # fmt: skip


def _yptf_multi() -> YourMt3Config:
    return YourMt3Config(
        positions="trainable", experts=0, chosen_experts=0, latent_d_ff=128, adds_latents=False
    )


def _yptf_moe_multi_rms() -> YourMt3Config:
    return YourMt3Config(norm="rms")


CONFIGS: Mapping[str, Callable[[], YourMt3Config]] = MappingProxyType(
    {
        "ymt3plus": _ymt3plus,
        "yptf_single": _yptf_single,
        "yptf_multi": _yptf_multi,
        "yptf_moe_multi": YourMt3Config,
        "yptf_moe_multi_rms": _yptf_moe_multi_rms,
    }
)
"""Makers of the sizes of every architecture, by the name of its family of checkpoints.

YPTF.MoE+Multi was published twice, trained without pitch shifts and with them.
"""
