"""Every sound the models may hear, with its licence; the release weights hear `RELEASE` only."""

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

_log = logging.getLogger(__name__)

SOUNDFONT_FOLDER = Path("/usr/share/sounds/sf2")  # where Debian's packages put them
DRUMKIT_FOLDER = Path("/usr/share/hydrogen/data/drumkits")
SONIC_PI_FOLDER = Path("/usr/share/sonic-pi/samples")
# Where the repositories of recorded notes are cloned.
RECORDED_FOLDER = Path(os.environ.get("NOTEWRIGHT_SAMPLES", "~/notewright-samples")).expanduser()
SFZ_INSTRUMENTS = "https://github.com/sfzinstruments"


class Use(Enum):
    """Whether weights that hear a source may be published under MIT."""

    RELEASE = "release"  # MIT, CC0 or public domain, for written notes BSD too
    TEST_ONLY = "test only"  # copyleft or attribution licences: measured with, never trained on


@dataclass(frozen=True, slots=True)
class SoundSource:
    """One collection of sounds; `path` is None for our own synthesisers.

    It comes with a Debian package or from a repository.
    """

    name: str
    path: Path | None
    licence: str
    attribution: str
    debian_package: str
    use: Use
    repository: str = ""

    @property
    def way_to_get(self) -> str:
        """The command that puts it where it is looked for."""
        if self.repository:  # some ask git to change line ends, of recordings too
            return (
                f"git clone --depth 1 --no-checkout {self.repository} '{self.path}'"
                f" && echo '* -text' >'{self.path}/.git/info/attributes'"
                f" && git -C '{self.path}' checkout"
            )
        return f"apt-get install {self.debian_package}"


SOURCES = (
    SoundSource(
        "own",
        None,
        "MIT",
        "procedural synthesisers of this project (synth.py, drum_synth.py)",
        "",
        Use.RELEASE,
    ),
    SoundSource(
        "fluid",
        SOUNDFONT_FOLDER / "FluidR3_GM.sf2",
        "MIT",
        "Fluid (R3) GM SoundFont, Copyright 2000-2002, 2008 Frank Wen",
        "fluid-soundfont-gm",
        Use.RELEASE,
    ),
    SoundSource(
        "muse",
        SOUNDFONT_FOLDER / "MuseScore_General_Full.sf2",
        "MIT (parts CC0 or public domain)",
        "MuseScore_General, Copyright 2018-2021 S. Christian Collins; Fluid (R3) Mono, Copyright "
        "2014-2017 Michael Cowgill; Temple Blocks, Copyright 2002 Ethan Winer; Drumline Cymbals, "
        "Copyright 2016 Michael Schorsch; Fluid (R3), Copyright 2000-2002, 2008 Frank Wen",
        "musescore-general-soundfont-lossless",
        Use.RELEASE,
    ),
    SoundSource(
        "csound",
        SOUNDFONT_FOLDER / "sf_GMbank.sf2",
        "public domain",
        "sf_GMbank of Csound",
        "csound-soundfont",
        Use.RELEASE,
    ),
    SoundSource(
        "Audiophob",
        DRUMKIT_FOLDER / "Audiophob",
        "CC0-1.0",
        "Hydrogen drum kit by soundcloud.com/audiophobdubstep",
        "hydrogen-drumkits",
        Use.RELEASE,
    ),
    SoundSource(
        "sonic-pi",
        SONIC_PI_FOLDER,
        "CC0-1.0",
        "samples of Sonic Pi, drums among others by menegass, Zajo and looppool of freesound.org",
        "sonic-pi-samples",
        Use.RELEASE,
    ),
    *(
        SoundSource(
            name,
            RECORDED_FOLDER / name,
            licence,
            attribution,
            "",
            Use.RELEASE,
            f"{owner}/{repository}",
        )
        for name, licence, attribution, owner, repository in (
            (
                "splendid-grand",
                "public domain",
                "Splendid Grand Piano, samples by AKAI",
                SFZ_INSTRUMENTS,
                "SplendidGrandPiano",
            ),
            (
                "black-and-green-guitars",
                "CC0-1.0",
                "Black And Green Guitars by Karoryfer Lecolds, recorded by Brian Wood",
                "https://github.com/kmturley",
                "karoryfer.black-and-green-guitars",
            ),
            *(
                (
                    name,
                    "CC0-1.0",
                    f"{title} by Karoryfer Lecolds",
                    SFZ_INSTRUMENTS,
                    f"karoryfer.{name}",
                )
                for name, title in (
                    ("emilyguitar", "Emilyguitar"),
                    ("shinyguitar", "Shinyguitar"),
                    ("growlybass", "Growlybass"),
                    ("meatbass", "Meatbass"),
                    ("pastabass", "Pastabass, recorded by spacecoyote,"),
                    ("weresax", "Weresax"),
                    ("bear-sax", "Bear Sax"),
                )
            ),
            (
                "double-bass",
                "CC0-1.0",
                "Rubner double bass by D. Smolken",
                SFZ_INSTRUMENTS,
                "dsmolken.double-bass",
            ),
            (
                "bigcat-cello",
                "CC0-1.0",
                "Bigcat Cello by Bigcat Instruments and Karoryfer Lecolds",
                SFZ_INSTRUMENTS,
                "karoryfer-bigcat.cello",
            ),
            (
                "war-tuba",
                "CC0-1.0",
                "War Tuba by Karoryfer Lecolds, played by Jakub Lewicki",
                SFZ_INSTRUMENTS,
                "karoryfer.war-tuba",
            ),
            (
                "spectmorph",
                "public domain (voices CC0)",
                "instruments of SpectMorph: recordings of the University of Iowa, singers' voices",
                "https://github.com/swesterfeld",
                "spectmorph-instruments",
            ),
            *(
                (name, "CC0-1.0", attribution, "https://github.com/freepats", repository)
                for name, attribution, repository in (
                    ("upright-piano-kw", "Upright piano KW of FreePats", "upright-piano-KW"),
                    (
                        "spanish-guitar",
                        "Spanish classical guitar by roberto@zenvoid.org of FreePats",
                        "spanish-classical-guitar",
                    ),
                    (
                        "accordion-hn",
                        "Button accordion HN by Jeff Stauffer of FreePats",
                        "button-accordion-HN",
                    ),
                )
            ),
        )
    ),
    SoundSource(
        "opl3",
        SOUNDFONT_FOLDER / "OPL-3_FM_128M.sf2",
        "CC-BY-SA-4.0",
        "OPL-3 FM 128M",
        "opl3-soundfont",
        Use.TEST_ONLY,
    ),
    SoundSource(
        "tim",
        SOUNDFONT_FOLDER / "TimGM6mb.sf2",
        "GPL-2",
        "TimGM6mb, Copyright 2004 Tim Brechbill",
        "timgm6mb-soundfont",
        Use.TEST_ONLY,
    ),
    *(
        SoundSource(kit, DRUMKIT_FOLDER / kit, licence, author, "hydrogen-drumkits", Use.TEST_ONLY)
        for kit, licence, author in (
            ("BJA_Pacific", "CC-BY-SA-3.0-us", "Luc Tunguay"),
            ("ColomboAcousticDrumkit", "GPL-2+", "Marcos Guglielmetti"),
            ("ElectricEmpireKit", "GPL-2+", "Artemiy Pavlov"),
            ("ForzeeStereo", "GPL-2", "Vladimir Sadovnikov, Alexander Belokurov"),
            ("Millo_MultiLayered3", "GPL-2", "Emiliano Grilli"),
            ("The Black Pearl 1.0", "GPL-2", "Glen MacArthur"),
            ("rumpf_kit_z01_h2", "CC-BY-3.0", "Emanuel Rumpf"),
        )
    ),
)

# Recorded drums; as the notes above, but not on keys.
SNARES = (
    SoundSource(
        "frankensnare",
        RECORDED_FOLDER / "frankensnare",
        "CC0-1.0",
        "Frankensnare by Karoryfer Lecolds",
        "",
        Use.RELEASE,
        f"{SFZ_INSTRUMENTS}/karoryfer.frankensnare",
    ),
)
KITS = (
    SoundSource(
        "gogodze",
        RECORDED_FOLDER / "gogodze",
        "CC0-1.0",
        "Gogodze Phu Vol II by Karoryfer Lecolds",
        "",
        Use.RELEASE,
        f"{SFZ_INSTRUMENTS}/karoryfer.gogodze-phu-vol-ii",
    ),
)
GAME_FOLDER = Path("/usr/share/games/doom")
# Songs whose notes are played on the sounds above.
ARRANGEMENTS = tuple(
    SoundSource(
        name,
        GAME_FOLDER / f"{name}.wad",
        "BSD-3-Clause",
        "music of Freedoom, Copyright 2001-2012 Contributors to the Freedoom project",
        package,
        Use.RELEASE,
    )
    for name, package in (
        ("freedoom1", "freedoom"),
        ("freedoom2", "freedoom"),
        ("freedm", "freedm"),
    )
)


def sources_for(use: Use) -> tuple[SoundSource, ...]:
    """Return every source of one use."""
    return tuple(source for source in SOURCES if source.use is use)


def at_hand(sources: Iterable[SoundSource]) -> list[SoundSource]:
    """Return which are there; the log says what is missing and how to get it."""
    found = []
    for source in sources:
        if source.path is None or source.path.exists():
            found.append(source)
        else:
            _log.warning("goes without '%s'; to hear it: %s", source.name, source.way_to_get)
    return found


def source_named(name: str) -> SoundSource:
    """Return the source of this name."""
    return next(source for source in SOURCES if source.name == name)
