"""The commands of `python -m core.training`."""

from pathlib import Path

import pytest

from core.training import __main__ as commands
from tests.core.training.test_curves import LOG


def test_curve_draws_the_log_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "curve.csv").write_text(LOG)
    monkeypatch.setattr("torch.set_num_threads", lambda _threads: None)
    monkeypatch.setattr("sys.argv", ["core.training", "curve", str(tmp_path)])
    commands.main()
    assert (tmp_path / "curve.svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    "given",
    [
        ["make", "--out", "folder"],
        ["make", "--out", "folder", "--size", "gpu", "--minutes", "25", "--workers", "8"],
        ["evaluate", "--unheard", "--conditions"],
        ["evaluate", "--clips", "folder", "--conditions", "mp3", "bleed at -15 dB"],
        ["ablate", "--out", "folder", "--clips", "folder", "--only", "no-harmonics"],
        ["ablate", "--out", "folder", "--clips", "folder", "--only", "drums-ghosts"],
        ["pictures", "--clips", "folder", "--out", "folder", "--only", "bass_hymmj_a"],
    ],
)
def test_commands_are_understood(given: list[str]) -> None:
    assert callable(commands._parser().parse_args(given).run)


def test_unknown_conditions_are_refused() -> None:
    with pytest.raises(SystemExit):
        commands._parser().parse_args(["evaluate", "--unheard", "--conditions", "in space"])
