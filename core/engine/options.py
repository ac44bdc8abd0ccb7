"""TranscribeOptions: what the user may choose before a file is heard."""

from dataclasses import dataclass
from enum import StrEnum

from core.score.instruments import StemKind

AUTO_MODEL = "auto"


class Device(StrEnum):
    """Where the networks run; `auto` takes a CUDA card, then Apple's GPU, then the CPU."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


@dataclass(frozen=True, slots=True)
class ChosenDevice:
    """`name` is what torch understands; `reason` is shown beside the job."""

    name: str
    reason: str


class Precision(StrEnum):
    """The numbers a large network is computed in; `auto` is what measured as good as float32."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    INT8 = "int8"


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a token is chosen: the likeliest one, or drawn where `temperature` is above 0.

    `top_k` and `top_p` narrow what may be drawn, as in transformers' logits processors; 0 and 1
    leave all. The same seed draws the same tokens for a segment, whatever is decoded beside it.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.temperature < 0 or self.top_k < 0 or not 0 < self.top_p <= 1:
            raise ValueError(f"no way to sample: {self}")


GREEDY = Sampling()


@dataclass(frozen=True, slots=True)
class TranscribeOptions:
    """`kind` None means: from the file name, else by listening."""

    model: str = AUTO_MODEL
    device: Device = Device.AUTO
    kind: StemKind | None = None
