"""The look: colours, fonts, the style sheet and the icons, dark and light.

Widgets ask `palette()` for colours while they paint, so that a change of the system's colour scheme
reaches them with the `QEvent.PaletteChange` that Qt sends to every widget.
"""

from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from string import Template

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtGui import QPalette as QtPalette
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

GRID_PX = 4  # every margin, gap and height is a multiple
ICON_PX = 16
FONT_PX = 13
SMALL_FONT_PX = 11
# A style sheet takes pictures from files only.
ICON_FOLDER = Path(__file__).resolve().parents[2] / "resources" / "icons"
CHEVRON_FILE = ICON_FOLDER / "chevron_down.svg"
ROW_PX = 24  # a button, a field, a line of a list


@dataclass(frozen=True, slots=True)
class Palette:
    """Every colour of the window as #rrggbb. `tracks` are eight hues, used in order."""

    background: str
    panel: str
    raised: str
    line: str
    text: str
    dim_text: str
    disabled_text: str
    accent: str
    warning: str
    error: str
    row_black_key: str
    row_line: str
    beat_line: str
    bar_line: str
    white_key: str
    black_key: str
    ghost: str
    tracks: tuple[str, ...]

    def track(self, colour_index: int) -> QColor:
        """Return the colour of a track; the ninth track has the colour of the first."""
        return _colour(self.tracks[colour_index % len(self.tracks)])


# Eight hues in OKLCH, found by search: the least distance of any two (in OKLab, 0.02 is just seen)
# is 0.128 in normal sight and 0.071 under simulated protanopia, deuteranopia and tritanopia
# (Machado 2009). Strictly equal lightness allows no more than 0.045, so each may stray 0.05 from
# 0.74. Lightness and depth of colour stay free to show velocity. The order puts the most distant
# first. L, C, h as written; in the light theme L is 0.15 lower and C as the gamut allows.
DARK_TRACKS = (
    "#0aa6f5",  # blue   0.694 0.160 241
    "#c98f00",  # amber  0.690 0.143  80
    "#38d6be",  # aqua   0.790 0.131 180
    "#b8c333",  # lime   0.784 0.160 114
    "#e1ae8c",  # peach  0.790 0.076  55
    "#a1b6ed",  # lilac  0.781 0.082 268
    "#f37171",  # coral  0.704 0.160  22
    "#7ba699",  # sage   0.690 0.050 174
)
LIGHT_TRACKS = (
    "#0077b3",
    "#916600",
    "#00a38f",
    "#8a9300",
    "#b1805f",
    "#7488bc",
    "#be4246",
    "#4f786c",
)
DARK = Palette(
    background="#16181b",
    panel="#1d2024",
    raised="#212529",
    line="#2b2f35",
    text="#d6d9dd",
    dim_text="#8b9199",
    disabled_text="#5d636b",
    accent="#5aa9ff",
    warning="#e0a23c",
    error="#e5605e",
    row_black_key="#131517",
    row_line="#1c1f22",
    beat_line="#212429",
    bar_line="#363b42",
    white_key="#a9aeb5",
    black_key="#222529",
    ghost="#3a3f46",
    tracks=DARK_TRACKS,
)
LIGHT = Palette(
    background="#fafbfc",
    panel="#f0f1f3",
    raised="#ffffff",
    line="#d3d6da",
    text="#1f2328",
    dim_text="#5f666e",
    disabled_text="#a3a9b0",
    accent="#0b69d0",
    warning="#8a5a00",
    error="#c02f2d",
    row_black_key="#f1f3f5",
    row_line="#eceef0",
    beat_line="#e4e6e9",
    bar_line="#c4c8cd",
    white_key="#ffffff",
    black_key="#4a4f56",
    ghost="#c9ced4",
    tracks=LIGHT_TRACKS,
)


def palette() -> Palette:
    """Return the colours that `apply_theme` has dressed the application in."""
    is_dark = QGuiApplication.palette().window().color().lightness() < 128
    return DARK if is_dark else LIGHT


def apply_theme(application: QApplication, scheme: Qt.ColorScheme = Qt.ColorScheme.Unknown) -> None:
    """Dress the application, dark or light; `Unknown` follows the system from then on.

    A system that names no scheme gets the dark one. May be called again with another scheme.
    """
    hints = QGuiApplication.styleHints()
    hints.setColorScheme(scheme)
    application.setStyle("Fusion")
    application.setFont(ui_font())
    if scheme == Qt.ColorScheme.Unknown:
        _dress(application, hints.colorScheme())
        hints.colorSchemeChanged.connect(partial(_dress, application))
    else:
        _dress(application, scheme)


def ui_font(pixel_size: int = FONT_PX) -> QFont:
    """Return the system's font at the given size."""
    font = QFont(QGuiApplication.font())
    font.setPixelSize(pixel_size)
    return font


def number_font(pixel_size: int = FONT_PX) -> QFont:
    """Return the system's font with digits of equal width, so that a running time stands still."""
    font = ui_font(pixel_size)
    font.setFeature(QFont.Tag("tnum"), 1)
    if not _has_even_digits(font):
        font.setStyleHint(QFont.StyleHint.Monospace)
    return font


def icon(name: str, colour: str | None = None) -> QIcon:
    """Return an outline icon in the text colour, or in `colour` (#rrggbb).

    `ICON_NAMES` lists the names: play, pause, stop, loop, export, drag, cancel, add and so on.
    """
    colours = palette()
    drawn = QIcon()
    for scale in (1, 2, 3):
        drawn.addPixmap(_icon_pixmap(name, colour or colours.text, ICON_PX * scale))
        drawn.addPixmap(
            _icon_pixmap(name, colours.disabled_text, ICON_PX * scale), QIcon.Mode.Disabled
        )
    return drawn


@lru_cache(maxsize=256)
def _icon_pixmap(name: str, colour: str, size_px: int) -> QPixmap:
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="none" stroke="{colour}"'
        f' stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round">'
        f"{_ICON_SHAPES[name].replace('FILL', colour)}</svg>"
    )
    pixmap = QPixmap(QSize(size_px, size_px))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, size_px, size_px))
    painter.end()
    return pixmap


_ICON_SHAPES = {
    "play": '<path d="M4.5 3v10l8-5z" fill="FILL"/>',
    "pause": '<path d="M5 3.5v9M11 3.5v9" stroke-width="2.5"/>',
    "stop": '<path d="M4 4h8v8H4z" fill="FILL"/>',
    "loop": '<path d="M11 2l2.5 2.5L11 7M13.5 4.5h-8A3 3 0 0 0 2.5 7.5M5 14l-2.5-2.5L5 9'
    'M2.5 11.5h8a3 3 0 0 0 3-3"/>',
    "export": '<path d="M8 10V2.5M5 5l3-3 3 3M3 9.5v3a1 1 0 0 0 1 1h8a1 1 0 0 0 1-1v-3"/>',
    "drag": '<g fill="FILL" stroke="none"><circle cx="6" cy="4" r="1.2"/><circle cx="10" cy="4"'
    ' r="1.2"/><circle cx="6" cy="8" r="1.2"/><circle cx="10" cy="8" r="1.2"/>'
    '<circle cx="6" cy="12" r="1.2"/><circle cx="10" cy="12" r="1.2"/></g>',
    "cancel": '<path d="M4 4l8 8M12 4l-8 8"/>',
    "add": '<path d="M8 3v10M3 8h10"/>',
    "folder": '<path d="M2.5 12.5v-9H6.5L8 5h5.5v7.5z"/>',
    "search": '<circle cx="7" cy="7" r="4"/><path d="M10 10l3.5 3.5"/>',
    "settings": '<path d="M2.5 5h4M10.5 5h3M2.5 11h3M9.5 11h4"/><circle cx="8.5" cy="5" r="1.75"/>'
    '<circle cx="7.5" cy="11" r="1.75"/>',
    "undo": '<path d="M5.5 3L2.5 6l3 3M2.5 6H10a3.5 3.5 0 0 1 0 7H6.5"/>',
    "redo": '<path d="M10.5 3l3 3-3 3M13.5 6H6a3.5 3.5 0 0 0 0 7h3.5"/>',
    "retry": '<path d="M13 8a5 5 0 1 1-1.5-3.5L13 6M13 2.5V6H9.5"/>',
    "warning": '<path d="M8 2.5L14 13H2zM8 6.5v3M8 11.25v.01"/>',
    "done": '<path d="M3 8.5l3.5 3.5L13 4.5"/>',
    "reveal": '<path d="M6.5 3.5h-3v9h9v-3M9 2.5h4.5V7M13.5 2.5L7.5 8.5"/>',
    "solo": '<path d="M8 2.5l1.7 3.6 3.8.5-2.8 2.7.7 3.9L8 11.3l-3.4 1.9.7-3.9L2.5 6.6l3.8-.5z"/>',
    "mute": '<path d="M2.5 6v4H5l3.5 3V3L5 6zM11 6l3 4M14 6l-3 4"/>',
    "follow": '<path d="M2.5 8h8M8 5l3 3-3 3M13.5 3v10"/>',
    "chevron_down": '<path d="M4 6l4 4 4-4"/>',
    "chevron_right": '<path d="M6 4l4 4-4 4"/>',
    "metronome": '<path d="M6 2.5h4l2.5 11h-9zM8 10l4.5-6"/>',
    "models": '<path d="M8 2.5L14 5.5 8 8.5 2 5.5zM2 8.5l6 3 6-3M2 11l6 3 6-3"/>',
}
ICON_NAMES = tuple(_ICON_SHAPES)


@lru_cache(maxsize=64)
def _colour(hex_rgb: str) -> QColor:
    return QColor(hex_rgb)


def _has_even_digits(font: QFont) -> bool:
    metrics = QFontMetricsF(font)
    return len({round(metrics.horizontalAdvance(digit), 2) for digit in "0123456789"}) == 1


def _dress(application: QApplication, scheme: Qt.ColorScheme) -> None:
    colours = LIGHT if scheme == Qt.ColorScheme.Light else DARK
    application.setPalette(_qt_palette(colours))
    application.setStyleSheet(style_sheet(colours))


def _qt_palette(colours: Palette) -> QtPalette:
    role = QtPalette.ColorRole
    dressed = QtPalette()
    for colour_role, colour in (
        (role.Window, colours.panel),
        (role.WindowText, colours.text),
        (role.Base, colours.background),
        (role.AlternateBase, colours.panel),
        (role.Text, colours.text),
        (role.PlaceholderText, colours.dim_text),
        (role.Button, colours.raised),
        (role.ButtonText, colours.text),
        (role.ToolTipBase, colours.raised),
        (role.ToolTipText, colours.text),
        (role.Highlight, colours.accent),
        (role.HighlightedText, colours.background),
        (role.Accent, colours.accent),
        (role.Link, colours.accent),
        (role.Mid, colours.line),
        (role.Dark, colours.line),
        (role.Light, colours.raised),
    ):
        dressed.setColor(colour_role, QColor(colour))
    for colour_role in (role.WindowText, role.Text, role.ButtonText):
        dressed.setColor(QtPalette.ColorGroup.Disabled, colour_role, QColor(colours.disabled_text))
    return dressed


def style_sheet(colours: Palette) -> str:
    """Return the style sheet of the whole application in the given colours."""
    named = {name: getattr(colours, name) for name in Palette.__slots__ if name != "tracks"}
    is_dark = QColor(colours.background).lightness() < 128
    check = ICON_FOLDER / ("check_dark.svg" if is_dark else "check_light.svg")
    return _STYLE_SHEET.substitute(named, chevron=CHEVRON_FILE.as_posix(), check=check.as_posix())


_STYLE_SHEET = Template("""
QWidget { color: $text; }
QMainWindow, QDialog, QScrollArea, QStackedWidget { background: $panel; border: 0; }
QMainWindow::separator, QSplitter::handle { background: $line; }
QMainWindow::separator, QSplitter::handle:horizontal { width: 1px; }
QMainWindow::separator, QSplitter::handle:vertical { height: 1px; }
QSplitter::handle:hover { background: $accent; }
QLabel { background: transparent; }
QLabel[dim="true"] { color: $dim_text; }
QLabel[heading="true"] { color: $dim_text; font-size: 11px; font-weight: 600; }
QLabel[warning="true"] { color: $warning; }
QLabel[error="true"] { color: $error; }
QLabel:disabled { color: $disabled_text; }

QPushButton, QToolButton {
    background: $raised; border: 1px solid $line; border-radius: 3px;
    padding: 0 8px; min-height: 22px;
}
QToolButton { padding: 0 4px; min-width: 14px; }
QToolButton[flat="true"], QPushButton[flat="true"] {
    background: transparent; border-color: transparent;
}
QToolButton[flat="true"]:hover, QPushButton[flat="true"]:hover { background: $raised; }
QPushButton:hover, QToolButton:hover { border-color: $disabled_text; }
QPushButton:pressed, QToolButton:pressed { background: $line; }
QPushButton:checked, QToolButton:checked { color: $accent; border-color: $accent; }
QPushButton:focus, QToolButton:focus { border-color: $accent; }
QPushButton:default { border-color: $accent; }
QPushButton:disabled, QToolButton:disabled { color: $disabled_text; background: transparent; }
QToolButton::menu-indicator { image: none; }
QToolButton[popupMode="1"] { padding-right: 16px; }
QToolButton::menu-button { border: 0; width: 14px; }

QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox, QPlainTextEdit, QTextEdit {
    background: $background; border: 1px solid $line; border-radius: 3px;
    padding: 0 4px; min-height: 22px;
    selection-background-color: $accent; selection-color: $background;
}
QLineEdit:hover, QSpinBox:hover, QDoubleSpinBox:hover, QComboBox:hover {
    border-color: $disabled_text;
}
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus, QPlainTextEdit:focus {
    border-color: $accent;
}
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled {
    color: $disabled_text; background: transparent;
}
QComboBox::drop-down { border: 0; width: 18px; }
QComboBox::down-arrow { image: url("$chevron"); width: 12px; height: 12px; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { border: 0; width: 0; }
QCheckBox::indicator, QRadioButton::indicator, QMenu::indicator, QAbstractItemView::indicator {
    width: 10px; height: 10px; border: 1px solid $disabled_text; background: $background;
}
QCheckBox::indicator, QAbstractItemView::indicator { border-radius: 2px; }
QRadioButton::indicator, QMenu::indicator:exclusive { border-radius: 6px; }
QMenu::indicator { margin-left: 8px; }
QCheckBox::indicator:hover, QRadioButton::indicator:hover { border-color: $text; }
QCheckBox::indicator:checked, QRadioButton::indicator:checked, QMenu::indicator:checked,
QAbstractItemView::indicator:checked { background: $accent; border-color: $accent; }
QCheckBox::indicator { width: 12px; height: 12px; }
QCheckBox::indicator:checked { image: url("$check"); }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled { border-color: $line; }
QCheckBox::indicator:checked:disabled { background: $disabled_text; border-color: $line; }
QCheckBox:disabled, QRadioButton:disabled { color: $disabled_text; }
QCheckBox:focus, QRadioButton:focus { color: $accent; }
QComboBox QAbstractItemView {
    background: $raised; border: 1px solid $line; selection-background-color: $line;
    selection-color: $text; outline: 0;
}

QMenuBar { background: $panel; }
QMenuBar::item { padding: 4px 8px; background: transparent; }
QMenuBar::item:selected { background: $raised; }
QMenu { background: $raised; border: 1px solid $line; padding: 4px 0; }
QMenu::item { padding: 4px 24px 4px 12px; }
QMenu::icon { padding-left: 8px; }
QMenu::item:selected { background: $line; }
QMenu::item:disabled { color: $disabled_text; }
QMenu::separator { height: 1px; background: $line; margin: 4px 0; }
QToolTip { background: $raised; color: $text; border: 1px solid $line; padding: 4px; }

QListView, QTreeView, QTableView {
    background: $panel; border: 0; outline: 0; alternate-background-color: $panel;
}
QListView::item, QTreeView::item { padding: 4px; border: 0; }
QListView::item:hover, QTreeView::item:hover { background: $raised; }
QListView::item:selected, QTreeView::item:selected { background: $line; color: $text; }
QHeaderView::section { background: $panel; color: $dim_text; border: 0; padding: 4px; }

QSlider { min-height: 20px; }
QSlider::groove:horizontal { height: 2px; background: $line; }
QSlider::sub-page:horizontal { height: 2px; background: $accent; }
QSlider::sub-page:horizontal:disabled { background: $disabled_text; }
QSlider::handle:horizontal {
    width: 8px; height: 14px; margin: -6px 0; background: $text; border-radius: 2px;
}
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus { background: $accent; }
QSlider::handle:horizontal:disabled { background: $disabled_text; }

QScrollBar:horizontal { background: $background; height: 10px; margin: 0; }
QScrollBar:vertical { background: $background; width: 10px; margin: 0; }
QScrollBar::handle { background: $line; border: 2px solid $background; border-radius: 5px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:hover { background: $disabled_text; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QProgressBar { background: $line; border: 0; max-height: 4px; min-height: 4px; color: transparent; }
QProgressBar::chunk { background: $accent; }
QStatusBar { background: $panel; border-top: 1px solid $line; }
QStatusBar::item { border: 0; }
QToolBar {
    background: $panel; border: 0; border-bottom: 1px solid $line; spacing: 4px; padding: 4px;
}
QDockWidget::title { background: $panel; padding: 4px; }
QTabBar::tab { background: transparent; color: $dim_text; padding: 4px 12px; border: 0; }
QTabBar::tab:selected { color: $text; border-bottom: 2px solid $accent; }
QTabWidget::pane { border: 0; border-top: 1px solid $line; }
QGroupBox { border: 0; border-top: 1px solid $line; margin-top: 12px; padding-top: 8px; }
QGroupBox::title { subcontrol-origin: margin; color: $dim_text; }
""")
