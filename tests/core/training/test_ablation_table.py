"""The table of ablations, row by row."""

from pathlib import Path

from core.training.ablation_table import AblationTable


def table_in(folder: Path) -> AblationTable:
    for name in ("base", "other"):
        (folder / name).mkdir(exist_ok=True)
    return AblationTable(folder, "rows", ["base", "other"], ("On", "Off"))


def test_rows_stand_in_order_whichever_came_first(tmp_path: Path) -> None:
    table = table_in(tmp_path)
    table.add("other", "this, that", 0.25, [0.8, 0.6, 0.5, None])
    table_in(tmp_path).add("base", "nothing", 0.5, [0.825, 0.6, 0.5, 0.25])
    assert table.path.read_text() == (
        "| changed | hours | On / Off | unheard On / Off |\n"
        "|---|---|---|---|\n"
        "| nothing | 0.50 | 82.5 / 60.0 | 50.0 / 25.0 |\n"
        "| this, that | 0.25 | 80.0 / 60.0 | 50.0 /  |\n"
    )
    assert (tmp_path / "rows.csv").read_text().splitlines() == [
        "name,changed,hours,dev_on,dev_off,unheard_on,unheard_off",
        "base,nothing,0.50,82.5,60.0,50.0,25.0",
        'other,"this, that",0.25,80.0,60.0,50.0,',
    ]


def test_a_kept_row_is_not_made_again(tmp_path: Path) -> None:
    table = table_in(tmp_path)
    assert table.lacks("base", only=None)
    table.add("base", "nothing", 0.5, [0.8, 0.6, 0.5, 0.4])
    assert not table.lacks("base", only="base")
    assert table.lacks("other", only=None)
    assert not table.lacks("other", only="base")
