"""The table of models: what each id stands for. Where downloaded weights lie, the caller says."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

_WEIGHTS = Path(__file__).resolve().parents[2] / "resources" / "models"


@dataclass(frozen=True, slots=True)
class BuiltInModel:
    """The weights that come with the program: pitched notes, who plays them, who else, drums."""

    id: str
    pitch_weights: Path
    family_weights: Path
    unison_weights: Path
    drum_weights: Path


BUILT_IN = BuiltInModel(
    id="built-in",
    pitch_weights=_WEIGHTS / "pitch_v7.safetensors",
    family_weights=_WEIGHTS / "families_v5.safetensors",
    unison_weights=_WEIGHTS / "unisons_v1.safetensors",
    drum_weights=_WEIGHTS / "drums_v4.safetensors",
)


class Family(StrEnum):
    """Models of one family share network, features, vocabulary and decoder."""

    MT3 = "mt3"
    ISMIR2021 = "ismir2021"
    MR_MT3 = "mr_mt3"
    YPTF_MOE_MULTI = "yptf_moe_multi"
    YPTF_MULTI = "yptf_multi"
    YPTF_SINGLE = "yptf_single"
    YMT3PLUS = "ymt3plus"


YOURMT3_FAMILIES = frozenset(
    {Family.YPTF_MOE_MULTI, Family.YPTF_MULTI, Family.YPTF_SINGLE, Family.YMT3PLUS}
)


@dataclass(frozen=True, slots=True)
class TokenModel:
    """A published set of weights that writes notes as tokens.

    `memory_length` (MR-MT3 only) is how many positions of the segment before are remembered; no
    tensor tells it.
    """

    id: str
    family: Family
    memory_length: int = 0


_TOKEN_MODELS = (
    TokenModel("mt3_magenta", Family.MT3),
    TokenModel("mt3_pytorch", Family.MT3),
    TokenModel("mt3_ismir2021", Family.ISMIR2021),
    TokenModel("mr_mt3", Family.MR_MT3, memory_length=64),
    TokenModel("mr_mt3_64", Family.MR_MT3, memory_length=64),
    TokenModel("mr_mt3_32", Family.MR_MT3, memory_length=32),
    TokenModel("mr_mt3_prevaug8", Family.MR_MT3, memory_length=64),
    TokenModel("yourmt3", Family.YPTF_MOE_MULTI),
    TokenModel("yourmt3_moe_ps", Family.YPTF_MOE_MULTI),
    TokenModel("yourmt3_multi_ps", Family.YPTF_MULTI),
    TokenModel("yourmt3_single", Family.YPTF_SINGLE),
    TokenModel("yourmt3_ymt3plus", Family.YMT3PLUS),
)
TOKEN_MODELS: Mapping[str, TokenModel] = MappingProxyType(
    {model.id: model for model in _TOKEN_MODELS}
)
