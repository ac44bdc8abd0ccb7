"""Loading an installed model: which kind of listener it takes."""

from pathlib import Path

from core.engine.channel_listening import ChannelListener
from core.engine.model_set import YOURMT3_FAMILIES, TokenModel
from core.engine.options import GREEDY, ChosenDevice, Precision, Sampling
from core.engine.token_listening import TokenListener


def load_listener(
    model: TokenModel,
    checkpoint: Path,
    device: ChosenDevice,
    *,
    precision: Precision = Precision.AUTO,
    sampling: Sampling = GREEDY,
) -> TokenListener | ChannelListener:
    """Return a model ready to listen.

    Raises:
        ModelMissingError: its weights are not at `checkpoint`.
        ModelBrokenError: they are damaged or of another network.
    """
    kind = ChannelListener if model.family in YOURMT3_FAMILIES else TokenListener
    return kind(model, checkpoint, device, precision=precision, sampling=sampling)
