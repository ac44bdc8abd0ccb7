"""Sizes, rates and waiting times as text, short enough for a row."""

_UNITS = ("B", "kB", "MB", "GB", "TB")


def size_text(size_bytes: float) -> str:
    """Return a size in decimal units, as disks and downloads are sold: 172 MB, 1.4 GB."""
    value, unit = float(size_bytes), _UNITS[0]
    for unit in _UNITS:
        if value < 999.5 or unit == _UNITS[-1]:
            break
        value /= 1000
    is_short = value < 9.95 and unit in ("GB", "TB")
    return f"{value:.1f} {unit}" if is_short else f"{value:.0f} {unit}"


def rate_text(bytes_per_s: float) -> str:
    """Return a rate of transfer: 3.2 MB/s, 640 kB/s."""
    if bytes_per_s >= 999_500:
        return f"{bytes_per_s / 1e6:.1f} MB/s"
    return f"{bytes_per_s / 1e3:.0f} kB/s"


def wait_text(seconds: float) -> str:
    """Return a time to wait in the one unit that matters: 40 s, 3 min, 2 h."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    if seconds < 3600:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h".replace(".0 h", " h")
