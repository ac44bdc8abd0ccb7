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
class TranscribeOptions:
    """`kind` None means: from the file name, else by listening."""

    model: str = AUTO_MODEL
    device: Device = Device.AUTO
    kind: StemKind | None = None
