"""YourMT3+: spectra of a segment in, note tokens of each decoding channel out.

Chang et al., "YourMT3+: Multi-instrument Music Transcription with Enhanced Transformer
Architectures and Cross-dataset Stem Augmentation", 2024. Decoding channels share one decoder and
are independent of each other: to the engine each is a row of its own.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from core.models.blocks import StoredPositions
from core.models.token_network import TokenNetwork
from core.models.yourmt3.config import STEPS_KNOWN, YourMt3Config
from core.models.yourmt3.sound_encoders import LatentEncoder, MelEncoder

WINDOW_SAMPLES = 2048


class YourMt3(TokenNetwork):
    """The network, with the window and the mel bank of its front end, which come with the weights.

    `mel_bank` [spectrum bin, band] is None where features are not mel bands. To decode step by
    step, see `StepDecoder` and `step_decoder`.
    """

    def __init__(self, config: YourMt3Config) -> None:
        # What upstream's "tied" embeddings ask of the logits' inputs; the matrices are two.
        gain = float(config.d_model**-0.5)
        positions = StoredPositions(STEPS_KNOWN, config.d_model)
        super().__init__(config, positions, logits_gain=gain)
        self.config = config
        is_mel = config.encoder == "t5"
        bank = torch.zeros(WINDOW_SAMPLES // 2 + 1, config.input_bins) if is_mel else None
        self.register_buffer("window", torch.hann_window(WINDOW_SAMPLES))
        self.register_buffer("mel_bank", bank)
        self.window: Tensor
        self.mel_bank: Tensor | None
        self.encoder = MelEncoder(config) if is_mel else LatentEncoder(config)

    def encode(self, features: Tensor, channels: Sequence[int] | None = None) -> Tensor:
        """Return [segment, decoding channel, frame, channel] of features [segment, frame, band].

        With `channels` only these decoding channels, in that order, which takes less time. The
        first two axes, flattened, are rows to be decoded.
        """
        known = range(self.config.channels)
        wanted = known if channels is None else channels
        if not wanted or not all(channel in known for channel in wanted):
            raise ValueError(f"decoding channels {channels} are not all in 0..{known[-1]}")
        encoded: Tensor = self.encoder(features, wanted)
        return encoded

    def forward(self, features: Tensor, tokens: Tensor) -> Tensor:
        """Return logits [row, step, token] after each of tokens [row, step]."""
        return self.logits_of(tokens, self.encode(features).flatten(0, 1))
