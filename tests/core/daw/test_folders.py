import sys
from pathlib import Path

import pytest

from core.daw.folders import FL_STUDIO_DATA, Daw, Machine, daw_named, find_daws, this_machine
from core.errors import DeliveryError

SYSTEMS = ["windows", "macos", "linux"]


@pytest.fixture
def machine(tmp_path, request):
    """A machine where nothing is installed; Documents is named after the system's language."""
    home = tmp_path / "home"
    documents = home / "Documents"
    documents.mkdir(parents=True)
    return Machine(request.param, home, documents)


def make_folders(home, *folders):
    for folder in (".", *folders):
        (home / folder).mkdir(parents=True, exist_ok=True)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def found(machine, daw):
    return next((each for each in find_daws(machine) if each.daw is daw), None)


def everything_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


on_windows = pytest.mark.parametrize("machine", ["windows"], indirect=True)
on_macos = pytest.mark.parametrize("machine", ["macos"], indirect=True)
on_linux = pytest.mark.parametrize("machine", ["linux"], indirect=True)
everywhere = pytest.mark.parametrize("machine", SYSTEMS, indirect=True)

DEFAULT_FOLDERS = [
    ("windows", Daw.ABLETON_LIVE, "Documents/Ableton/User Library", "Clips/Notewright"),
    ("windows", Daw.REAPER, "Documents/REAPER Media", "Notewright"),
    ("windows", Daw.FL_STUDIO, "Documents/Image-Line/FL Studio", "Projects/Notewright"),
    ("windows", Daw.CUBASE, "Documents/Cubase Projects", "Notewright"),
    ("windows", Daw.NUENDO, "Documents/Nuendo Projects", "Notewright"),
    ("windows", Daw.BITWIG, "Documents/Bitwig Studio", "Library/Clips/Notewright"),
    ("windows", Daw.STUDIO_ONE, "Documents/Studio One", "Notewright"),
    ("windows", Daw.STUDIO_ONE, "Documents/Studio Pro", "Notewright"),
    ("windows", Daw.PRO_TOOLS, "Documents/Pro Tools", "Notewright"),
    ("windows", Daw.LMMS, "Documents/lmms", "projects/Notewright"),
    ("windows", Daw.REASON, "Documents/Reason Studios", "Notewright"),
    ("windows", Daw.REASON, "Documents/Propellerhead", "Notewright"),
    ("macos", Daw.ABLETON_LIVE, "Music/Ableton/User Library", "Clips/Notewright"),
    ("macos", Daw.LOGIC, "Music/Logic", "Notewright MIDI"),
    ("macos", Daw.GARAGEBAND, "Music/GarageBand", "Notewright MIDI"),
    ("macos", Daw.REAPER, "Documents/REAPER Media", "Notewright"),
    ("macos", Daw.FL_STUDIO, "Documents/Image-Line/FL Studio", "Projects/Notewright"),
    ("macos", Daw.CUBASE, "Documents/Cubase Projects", "Notewright"),
    ("macos", Daw.NUENDO, "Documents/Nuendo Projects", "Notewright"),
    ("macos", Daw.BITWIG, "Documents/Bitwig Studio", "Library/Clips/Notewright"),
    ("macos", Daw.STUDIO_ONE, "Documents/Studio One", "Notewright"),
    ("macos", Daw.PRO_TOOLS, "Documents/Pro Tools", "Notewright"),
    ("macos", Daw.LMMS, "Documents/lmms", "projects/Notewright"),
    ("linux", Daw.REAPER, "Documents/REAPER Media", "Notewright"),
    ("linux", Daw.BITWIG, "Bitwig Studio", "Library/Clips/Notewright"),
    ("linux", Daw.STUDIO_ONE, "Documents/Studio One", "Notewright"),
    ("linux", Daw.LMMS, "Documents/lmms", "projects/Notewright"),
]


@pytest.mark.parametrize(("machine", "daw", "root", "below"), DEFAULT_FOLDERS, indirect=["machine"])
def test_daw_is_found_by_its_default_folder(machine, daw, root, below):
    make_folders(machine.home, root)
    (only,) = find_daws(machine)
    assert only.daw is daw
    assert only.root == machine.home / root
    assert only.folder == machine.home / root / below
    assert only.found_by == "default folder"


@everywhere
def test_nothing_is_found_where_nothing_is_installed(machine):
    assert find_daws(machine) == ()


@everywhere
def test_nothing_is_found_where_documents_itself_is_missing(machine):
    machine.documents.rmdir()
    assert find_daws(machine) == ()


@pytest.mark.parametrize(("machine", "daw", "root", "below"), DEFAULT_FOLDERS, indirect=["machine"])
def test_looking_creates_nothing(machine, daw, root, below):
    make_folders(machine.home, root)
    before = everything_below(machine.home)
    find_daws(machine)
    assert everything_below(machine.home) == before


@on_windows
@pytest.mark.parametrize("daw_folder", ["Ableton/User Library", "Cubase Projects", "lmms"])
def test_documents_moved_to_onedrive_is_where_we_look(machine, daw_folder, tmp_path):
    moved = Machine("windows", machine.home, tmp_path / "OneDrive - Band" / "Dokumente")
    make_folders(moved.documents, daw_folder)
    (only,) = find_daws(moved)
    assert only.root == moved.documents / daw_folder


@on_windows
def test_folder_in_the_old_documents_does_not_count(machine, tmp_path):
    make_folders(machine.documents, "Cubase Projects")
    moved = Machine("windows", machine.home, tmp_path / "OneDrive" / "Documents")
    assert find_daws(moved) == ()


@on_macos
def test_daws_come_in_the_order_of_the_table_and_once_each(machine):
    make_folders(machine.home, "Music/Logic", "Documents/lmms", "lmms/projects")
    make_folders(machine.home, "Documents/Studio One", "Documents/Studio Pro")
    daws = [each.daw for each in find_daws(machine)]
    assert daws == [Daw.LOGIC, Daw.STUDIO_ONE, Daw.LMMS]


@on_macos
def test_file_in_place_of_a_folder_does_not_count(machine):
    write(machine.home / "Music" / "Logic", "not a folder")
    assert find_daws(machine) == ()


LIVE_CONFIGS = [
    ("macos", "Library/Preferences/Ableton/Live {}/Library.cfg"),
    ("windows", "AppData/Roaming/Ableton/Live {}/Preferences/Library.cfg"),
]


def library_cfg(parent, name="User Library"):
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Ableton MajorVersion="5"><ContentLibrary>'
        f'<UserLibrary><LibraryProject Id="1"><ProjectLocation /><ProjectName Value="{name}" />'
        f'<ProjectPath Value="{parent}" /></LibraryProject></UserLibrary>'
        '<Other><LibraryProject><ProjectName Value="Decoy" /><ProjectPath Value="/" />'
        "</LibraryProject></Other></ContentLibrary></Ableton>"
    )


@pytest.mark.parametrize(("machine", "config"), LIVE_CONFIGS, indirect=["machine"])
def test_moved_user_library_of_live_comes_before_the_default(machine, config, tmp_path):
    library = tmp_path / "Big & Fast" / "User Library"
    make_folders(library)
    make_folders(machine.home, "Documents/Ableton/User Library", "Music/Ableton/User Library")
    text = library_cfg(str(library.parent).replace("&", "&amp;"))
    write(machine.home / config.format("12.1.5"), text)
    live = found(machine, Daw.ABLETON_LIVE)
    assert live.root == library
    assert live.folder == library / "Clips" / "Notewright"
    assert live.found_by == "preferences: Live 12.1.5, Library.cfg"


@pytest.mark.parametrize(("machine", "config"), LIVE_CONFIGS, indirect=["machine"])
def test_newest_version_of_live_decides(machine, config, tmp_path):
    for version in ("9.7.7", "12.0.10", "12.0.9"):
        make_folders(tmp_path / version / "User Library")
        write(machine.home / config.format(version), library_cfg(tmp_path / version))
    assert found(machine, Daw.ABLETON_LIVE).root == tmp_path / "12.0.10" / "User Library"


@pytest.mark.parametrize(("machine", "config"), LIVE_CONFIGS, indirect=["machine"])
def test_unplugged_user_library_falls_back_to_the_default(machine, config, tmp_path):
    make_folders(machine.home, "Documents/Ableton/User Library", "Music/Ableton/User Library")
    write(machine.home / config.format("12"), library_cfg(tmp_path / "gone"))
    assert found(machine, Daw.ABLETON_LIVE).found_by == "default folder"


@on_windows
def test_appdata_variable_says_where_preferences_are(machine, tmp_path):
    media, roaming = tmp_path / "Takes", tmp_path / "Roaming"
    make_folders(media)
    write(roaming / "REAPER" / "reaper.ini", f"[REAPER]\ndefrecpath={media}\n")
    elsewhere = Machine("windows", machine.home, machine.documents, {"APPDATA": str(roaming)})
    assert found(elsewhere, Daw.REAPER).root == media


@on_linux
def test_config_home_that_is_not_absolute_is_ignored(machine, tmp_path):
    media = tmp_path / "Takes"
    make_folders(media)
    write(machine.home / ".config/REAPER/reaper.ini", f"[REAPER]\ndefrecpath={media}\n")
    odd = Machine("linux", machine.home, machine.documents, {"XDG_CONFIG_HOME": "config"})
    assert found(odd, Daw.REAPER).root == media


REAPER_INIS = [
    ("windows", "AppData/Roaming/REAPER/reaper.ini"),
    ("macos", "Library/Application Support/REAPER/reaper.ini"),
    ("linux", ".config/REAPER/reaper.ini"),
]


@pytest.mark.parametrize(("machine", "ini"), REAPER_INIS, indirect=["machine"])
def test_project_folder_of_reaper_comes_before_its_recording_folder(machine, ini, tmp_path):
    make_folders(tmp_path, "Projects", "Recordings")
    make_folders(machine.documents, "REAPER Media")
    text = f"[REAPER]\ndefrecpath={tmp_path}/Recordings\ndefsavepath={tmp_path}/Projects\n"
    write(machine.home / ini, text)
    reaper = found(machine, Daw.REAPER)
    assert reaper.root == tmp_path / "Projects"
    assert reaper.found_by == "preferences: reaper.ini"


@pytest.mark.parametrize(("machine", "ini"), REAPER_INIS, indirect=["machine"])
def test_missing_project_folder_of_reaper_gives_way_to_the_recording_folder(machine, ini, tmp_path):
    make_folders(tmp_path, "Recordings")
    text = f"[REAPER]\ndefsavepath={tmp_path}/gone\ndefrecpath={tmp_path}/Recordings\n"
    write(machine.home / ini, text)
    assert found(machine, Daw.REAPER).root == tmp_path / "Recordings"


@pytest.mark.parametrize(("machine", "ini"), REAPER_INIS, indirect=["machine"])
def test_reaper_that_never_recorded_uses_documents(machine, ini):
    write(machine.home / ini, "[REAPER]\nlastproject=\n")
    reaper = found(machine, Daw.REAPER)
    assert reaper.folder == machine.documents / "Notewright"
    assert reaper.found_by == "its settings in reaper.ini"


FLATPAKS = [
    (
        Daw.REAPER,
        ".var/app/fm.reaper.Reaper/config/REAPER/reaper.ini",
        "[REAPER]\ndefsavepath={}\n",
    ),
    (
        Daw.ARDOUR,
        ".var/app/org.ardour.Ardour/config/ardour8/config",
        '<Ardour><Option name="default-session-parent-dir" value="{}"/></Ardour>',
    ),
]


@on_linux
@pytest.mark.parametrize(("daw", "preferences", "text"), FLATPAKS)
def test_daw_installed_as_a_flatpak_is_found(machine, daw, preferences, text, tmp_path):
    make_folders(tmp_path, "Songs")
    write(machine.home / preferences, text.format(tmp_path / "Songs"))
    assert found(machine, daw).root == tmp_path / "Songs"


@everywhere
def test_working_folder_of_lmms_comes_from_its_preferences(machine, tmp_path):
    make_folders(tmp_path, "Beats")
    make_folders(machine.documents, "lmms")
    text = f'<!DOCTYPE lmms-config-file>\n<lmms><paths workingdir="{tmp_path}/Beats/"/></lmms>'
    write(machine.home / ".lmmsrc.xml", text)
    lmms = found(machine, Daw.LMMS)
    assert lmms.folder == tmp_path / "Beats" / "projects" / "Notewright"
    assert lmms.found_by == "preferences: .lmmsrc.xml"


@on_linux
def test_old_folder_of_lmms_counts_only_with_projects_in_it(machine):
    make_folders(machine.home, "lmms")
    assert find_daws(machine) == ()
    make_folders(machine.home, "lmms/projects")
    assert found(machine, Daw.LMMS).root == machine.home / "lmms"


ARDOUR_CONFIGS = [
    ("windows", "AppData/Local/Ardour8/config", "Documents"),
    ("macos", "Library/Preferences/Ardour8/config", "Music"),
    ("linux", ".config/ardour8/config", "."),
    ("linux", ".config/mixbus10/config", "."),
]


def ardour_config(folder):
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Ardour><Config>'
        f'<Option name="default-session-parent-dir" value="{folder}"/></Config></Ardour>'
    )


@pytest.mark.parametrize(("machine", "config", "default"), ARDOUR_CONFIGS, indirect=["machine"])
def test_session_folder_of_ardour_comes_from_its_preferences(machine, config, default):
    make_folders(machine.home, "Sessions")
    write(machine.home / config, ardour_config("~/Sessions"))
    ardour = found(machine, Daw.ARDOUR)
    assert ardour.folder == machine.home / "Sessions" / "Notewright"
    assert ardour.found_by == f"preferences: {Path(config).parent.name}, config"


@pytest.mark.parametrize(("machine", "config", "default"), ARDOUR_CONFIGS, indirect=["machine"])
def test_ardour_without_a_chosen_folder_uses_its_default(machine, config, default):
    make_folders(machine.home, "Music")
    write(machine.home / config, "<Ardour/>")
    assert found(machine, Daw.ARDOUR).root == machine.home / default


@on_windows
def test_user_data_folder_of_fl_studio_comes_from_the_registry(machine, tmp_path):
    make_folders(tmp_path, "Samples/FL Studio")
    registry = {FL_STUDIO_DATA: str(tmp_path / "Samples")}
    moved = Machine("windows", machine.home, machine.documents, registry=registry)
    assert found(moved, Daw.FL_STUDIO).root == tmp_path / "Samples" / "FL Studio"


@on_windows
@pytest.mark.parametrize("shared", ["", "relative", r"\\server\share"])
def test_unusable_registry_value_gives_way_to_the_default(machine, shared):
    make_folders(machine.documents, "Image-Line/FL Studio")
    odd = Machine("windows", machine.home, machine.documents, registry={FL_STUDIO_DATA: shared})
    assert found(odd, Daw.FL_STUDIO).found_by == "default folder"


REASON_TRACES = [
    ("windows", "AppData/Roaming/Propellerhead Software/Reason"),
    ("macos", "Library/Application Support/Propellerhead Software/Reason"),
]


@pytest.mark.parametrize(("machine", "trace"), REASON_TRACES, indirect=["machine"])
def test_reason_without_a_folder_of_its_own_uses_documents(machine, trace):
    make_folders(machine.home, trace)
    assert found(machine, Daw.REASON).folder == machine.documents / "Notewright"


@on_macos
@pytest.mark.parametrize("bundle", ["Song.logicx", "Song.band", "Song.LOGICX/Media"])
def test_folder_within_a_bundle_is_never_offered(machine, bundle, tmp_path):
    make_folders(tmp_path, bundle)
    text = f'<lmms><paths workingdir="{tmp_path / bundle}"/></lmms>'
    write(machine.home / ".lmmsrc.xml", text)
    assert find_daws(machine) == ()


@pytest.mark.parametrize(
    ("text", "daw"),
    [
        ("live", Daw.ABLETON_LIVE),
        ("Ableton", Daw.ABLETON_LIVE),
        ("ABLETON LIVE", Daw.ABLETON_LIVE),
        ("ableton-live", Daw.ABLETON_LIVE),
        ("Logic Pro", Daw.LOGIC),
        ("logic", Daw.LOGIC),
        ("garage", Daw.GARAGEBAND),
        ("reaper", Daw.REAPER),
        ("flstudio", Daw.FL_STUDIO),
        ("FL", Daw.FL_STUDIO),
        ("FL Studio", Daw.FL_STUDIO),
        ("Bitwig", Daw.BITWIG),
        ("studioone", Daw.STUDIO_ONE),
        ("Studio Pro", Daw.STUDIO_ONE),
        ("ProTools", Daw.PRO_TOOLS),
        ("mixbus", Daw.ARDOUR),
        ("lmms", Daw.LMMS),
    ],
)
def test_daw_is_known_by_what_musicians_call_it(text, daw):
    assert daw_named(text) is daw


@pytest.mark.parametrize("text", ["", "re", "-", "cakewalk", "rea"])
def test_unknown_or_ambiguous_name_lists_the_choices(text):
    with pytest.raises(DeliveryError) as caught:
        daw_named(text)
    assert "ableton-live" in str(caught.value)
    assert "reason" in str(caught.value)


def test_this_machine_asks_the_system_for_documents(tmp_path, monkeypatch):
    if sys.platform != "linux":
        pytest.skip("moves Documents by the variable that Linux desktops use")
    monkeypatch.setenv("XDG_DOCUMENTS_DIR", str(tmp_path / "Dokumente"))
    machine = this_machine()
    assert machine.system == "linux"
    assert machine.documents == tmp_path / "Dokumente"
