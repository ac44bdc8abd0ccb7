import pytest

from core.models.parameter_names import FAMILIES
from core.models.yourmt3.config import CONFIGS, YourMt3Config
from tests.core.models.yourmt3.small import small_config


@pytest.mark.parametrize("family", CONFIGS)
def test_every_architecture_has_a_family_of_checkpoints(family: str) -> None:
    assert CONFIGS[family]().vocab_size == 596
    assert family in FAMILIES


@pytest.mark.parametrize(
    ("family", "channels", "max_steps", "frames", "bins"),
    [
        ("ymt3plus", 1, 1024, 256, 512),
        ("yptf_single", 1, 1024, 110, 1024),
        ("yptf_multi", 13, 256, 110, 1024),
        ("yptf_moe_multi", 13, 256, 110, 1024),
    ],
)
def test_published_sizes(
    family: str, channels: int, max_steps: int, frames: int, bins: int
) -> None:
    config = CONFIGS[family]()
    found = (config.channels, config.max_steps, config.input_frames, config.input_bins)
    assert found == (channels, max_steps, frames, bins)


@pytest.mark.parametrize("family", CONFIGS)
def test_a_configuration_survives_being_written(family: str) -> None:
    config = CONFIGS[family]()
    again = YourMt3Config.from_dict(config.to_dict())
    assert again.to_dict() == config.to_dict()


@pytest.mark.parametrize(
    ("sizes", "complaint"),
    [
        ({"encoder": "lstm"}, "encoder must be one of"),
        ({"positions": "learnt"}, "positions must be one of"),
        ({"norm": "batch"}, "norm must be one of"),
        ({"latents": 0}, "latents must be a positive whole number, not 0"),
        ({"d_model": 1.5}, "d_model must be a positive whole number, not 1.5"),
        ({"experts": 4, "chosen_experts": 5}, "5 experts of 4 cannot be chosen"),
        ({"experts": 4, "chosen_experts": 0}, "0 experts of 4 cannot be chosen"),
        ({"experts": 0, "chosen_experts": 2}, "2 experts of 0 cannot be chosen"),
        ({"max_steps": 1035}, "1034 positions, not 1035"),
        ({"latents": 7}, "7 latents cannot be shared by 3 channels"),
        ({"latent_heads": 3}, "3 heads cannot share 8 dimensions"),
        ({"d_latent": 6, "input_bins": 48}, "3 dimensions of a head are no pairs"),
        ({"rotated_pairs": 3}, "fewer dimensions than 3 pairs"),
        ({"input_bins": 60}, "three halvings"),
        ({"positions": "trainable", "input_frames": 121}, "120 frames, not 121"),
        ({"encoder": "t5"}, "one channel and hears d_model bins"),
        ({"encoder": "t5", "channels": 1, "input_bins": 16, "input_frames": 1035}, "1034 frames"),
    ],
)
def test_sizes_that_cannot_be_are_refused(sizes: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        small_config(**sizes)
