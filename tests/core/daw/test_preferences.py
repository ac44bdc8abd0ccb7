from pathlib import Path

import pytest

from core.daw.preferences import (
    MAX_PREFERENCES_BYTES,
    ardour_session_folder,
    live_user_library,
    lmms_working_folder,
    reaper_folders,
)

BILLION_LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol">'
    + "".join(
        f'<!ENTITY {n} "{f"&{p};" * 10}">' for p, n in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + ']><lmms><paths workingdir="/music"/><x>&i;</x></lmms>'
)
OUTSIDE_FILE = (
    '<!DOCTYPE lmms [<!ENTITY passwords SYSTEM "file:///etc/passwd">]>'
    '<lmms><paths workingdir="/music"/><x>&passwords;</x></lmms>'
)
GOOD = '<lmms><paths workingdir="/music/lmms/"/></lmms>'


def written(folder, content):
    path = folder / "preferences"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        BILLION_LAUGHS,
        OUTSIDE_FILE,
        b"",
        b"\x00\xff\xfe binary \x80\x81",
        b"\xff\xfe",
        "<lmms><paths/></lmms>",
        '<lmms><paths workingdir=""/></lmms>',
        '<lmms><paths workingdir="relative/folder"/></lmms>',
        '<lmms><paths workingdir="//server/share"/></lmms>',
        r'<lmms><paths workingdir="\\server\share"/></lmms>',
        '<lmms><paths workingdir="/music&#10;/x"/></lmms>',
        "<a>" * 100_000 + GOOD,
        "<!-- " + "x" * MAX_PREFERENCES_BYTES + " -->" + GOOD,
    ],
    ids=[
        "billion laughs", "outside file", "empty", "binary", "half a mark", "no path",
        "empty path", "relative", "network", "windows network", "line break", "deep", "huge",
    ],
)  # fmt: skip
def test_hostile_or_broken_xml_names_no_folder(tmp_path, content):
    assert lmms_working_folder(written(tmp_path, content)) is None


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        "\ufeff" + GOOD,
        '<?xml version="1.0" encoding="UTF-8"?>' + GOOD,
        '<?xml version="1.0"?>\n<!DOCTYPE lmms-config-file>\n' + GOOD,
        GOOD.encode("utf-16"),
        GOOD.removesuffix("</lmms>"),
    ],
    ids=["plain", "byte order mark", "declaration", "doctype", "utf-16", "cut off"],
)
def test_working_folder_of_lmms_is_read(tmp_path, content):
    assert lmms_working_folder(written(tmp_path, content)) == Path("/music/lmms")


@pytest.mark.parametrize(
    "reader",
    [live_user_library, lmms_working_folder, lambda path: ardour_session_folder(path, path)],
)
def test_missing_preferences_name_no_folder(tmp_path, reader):
    assert reader(tmp_path / "none") is None


def test_folder_in_place_of_preferences_names_no_folder(tmp_path):
    assert reaper_folders(tmp_path) == ()


def test_only_the_user_library_of_live_counts(tmp_path):
    text = (
        '<Ableton><Packs><ProjectPath Value="/packs"/></Packs><UserLibrary><LibraryProject>'
        '<ProjectName Value="Mine"/><ProjectPath Value="/music/Ableton/"/>'
        '</LibraryProject><LibraryProject><ProjectName Value="Second"/>'
        '<ProjectPath Value="/second"/></LibraryProject></UserLibrary></Ableton>'
    )
    assert live_user_library(written(tmp_path, text)) == Path("/music/Ableton/Mine")


@pytest.mark.parametrize("name", ["", "../../other", "/other"])
def test_library_name_cannot_lead_out_of_its_folder(tmp_path, name):
    text = (
        f'<Ableton><UserLibrary><ProjectName Value="{name}"/><ProjectPath Value="/music"/>'
        "</UserLibrary></Ableton>"
    )
    assert live_user_library(written(tmp_path, text)) == Path("/music")


def test_live_without_a_path_names_no_folder(tmp_path):
    text = '<Ableton><UserLibrary><ProjectName Value="User Library"/></UserLibrary></Ableton>'
    assert live_user_library(written(tmp_path, text)) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[REAPER]\ndefsavepath=/a\ndefrecpath=/b\n", ["/a", "/b"]),
        ("[reaper]\r\nDefRecPath=/b\r\n", ["/b"]),
        ("[other]\ndefrecpath=/x\n[REAPER]\ndefrecpath = /b \n", ["/b"]),
        ('[REAPER]\ndefrecpath="/b c"\n', ["/b c"]),
        ("[REAPER]\ndefrecpath=/100%_%(x)s=y\n", ["/100%_%(x)s=y"]),
        ("defrecpath=/no/section\n", []),
        ("[REAPER]\ndefrecpath=\ndefsavepath=relative\n", []),
        ("[REAPER]\nno equals sign\ndefrecpath=/b\n", ["/b"]),
        ("[REAPER]\ndefrecpath=/Lieder/Größe\n", ["/Lieder/Größe"]),
    ],
)
def test_folders_of_reaper_are_read(tmp_path, text, expected):
    assert [str(path) for path in reaper_folders(written(tmp_path, text))] == expected


def test_ini_with_a_null_character_names_no_folder(tmp_path):
    assert reaper_folders(written(tmp_path, b"[REAPER]\ndefrecpath=/b\x00c\n")) == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("~", "/home/ann"),
        ("~/Sessions", "/home/ann/Sessions"),
        ("~\\Documents", "/home/ann/Documents"),
        ("~//etc", "/home/ann/etc"),
        ("/srv/audio", "/srv/audio"),
    ],
)
def test_tilde_of_ardour_is_the_home_folder(tmp_path, value, expected):
    text = f'<Ardour><Option name="default-session-parent-dir" value="{value}"/></Ardour>'
    assert ardour_session_folder(written(tmp_path, text), Path("/home/ann")) == Path(expected)


def test_unreadable_preferences_name_no_folder(tmp_path, monkeypatch):
    path = written(tmp_path, "[REAPER]\ndefrecpath=/b\n")

    def refused(*_args, **_kwargs):
        raise PermissionError

    monkeypatch.setattr(Path, "open", refused)
    assert reaper_folders(path) == ()
