from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QSettings

from core.codec.bends import Bends
from core.engine.options import Device
from core.score.instruments import StemKind
from desktop.session.settings import Settings

CHOICES = {
    "last_folder": Path("/music/takes"),
    "last_export_folder": Path("/music/midi"),
    "last_destination": "reaper",
    "profile": "logic",
    "layout": "per-track",
    "device": Device.CPU,
    "last_model_folder": Path("/models"),
    "idle_minutes": 30,
    "bend_range": 12,
    "exports_mpe": True,
    "follows_playhead": False,
    "shows_inspector": False,
    "geometry": QByteArray(b"\x01\x02"),
    "splitter": QByteArray(b"\x03"),
}


@pytest.mark.parametrize(("name", "value"), CHOICES.items())
def test_a_choice_is_there_at_the_next_start(tmp_path, name, value):
    file = str(tmp_path / "window.ini")
    first = QSettings(file, QSettings.Format.IniFormat)
    setattr(Settings(first), name, value)
    first.sync()
    again = Settings(QSettings(file, QSettings.Format.IniFormat))
    assert getattr(again, name) == value


def test_a_daw_folder_is_kept_per_daw_and_can_be_forgotten(settings):
    settings.set_daw_folder("reaper", Path("/projects"))
    assert settings.daw_folder("reaper") == Path("/projects")
    assert settings.daw_folder("bitwig") is None
    settings.set_daw_folder("reaper", None)
    assert settings.daw_folder("reaper") is None


def test_unusable_values_are_the_defaults(tmp_path):
    file = tmp_path / "window.ini"
    file.write_text("[transcription]\ndevice=abacus\n[window]\ngeometry=17\n")
    settings = Settings(QSettings(str(file), QSettings.Format.IniFormat))
    assert settings.device is Device.AUTO
    assert settings.geometry.isEmpty()


@pytest.mark.parametrize("value", ["0", "-5", "soon", "100000"])
def test_an_unusable_idle_time_is_ten_minutes(tmp_path, value):
    file = tmp_path / "window.ini"
    file.write_text(f"[transcription]\nidle_minutes={value}\n")
    assert Settings(QSettings(str(file), QSettings.Format.IniFormat)).idle_minutes == 10


@pytest.mark.parametrize("value", ["0", "25", "wide"])
def test_an_unusable_bend_range_is_that_of_most_synths(tmp_path, value):
    file = tmp_path / "window.ini"
    file.write_text(f"[export]\nbend_range={value}\n[bends]\nbass=wobbly\n")
    settings = Settings(QSettings(str(file), QSettings.Format.IniFormat))
    assert settings.bend_range is None
    assert settings.usual_bends(StemKind.BASS) is Bends.OFF


def test_the_usual_bends_are_kept_per_kind(settings):
    settings.set_usual_bends(StemKind.WINDS, Bends.CONTINUOUS)
    assert settings.usual_bends(StemKind.WINDS) is Bends.CONTINUOUS
    assert settings.usual_bends(StemKind.BASS) is Bends.OFF


def test_the_usual_model_is_kept_per_kind(settings):
    settings.set_usual_model(StemKind.GUITAR, "mt3_magenta")
    assert settings.usual_model(StemKind.GUITAR) == "mt3_magenta"
    assert settings.usual_model(StemKind.BASS) == "auto"
