"""What the tests of the views share: an application dressed in the theme, undressed afterwards."""

import pytest
from PySide6.QtGui import QGuiApplication

from desktop.views.theme import apply_theme


@pytest.fixture
def themed(qapp):
    """The application in the dark theme; other tests find it as it was."""
    before = (qapp.palette(), qapp.styleSheet(), qapp.font(), qapp.style().name())
    apply_theme(qapp)
    yield qapp
    qapp.setStyleSheet(before[1])
    qapp.setStyle(before[3])
    qapp.setPalette(before[0])
    qapp.setFont(before[2])
    QGuiApplication.styleHints().unsetColorScheme()
