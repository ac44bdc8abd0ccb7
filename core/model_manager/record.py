"""What the store writes down beside its models: what was verified, when, and where it came from."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HASHED_BYTES = 1 << 20  # between two looks at whether the user has cancelled

OnBytes = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Record:
    """The files of an installed model as they were verified, by name within its folder."""

    origin: str
    installed: str  # date and time in UTC, ISO 8601
    size_bytes: Mapping[str, int]
    sha256: Mapping[str, str]


def write_record(path: Path, model_id: str, sha256: Mapping[str, str], origin: str) -> None:
    """Write the record of the verified files that lie beside it."""
    folder = path.parent
    content = {
        "model": model_id,
        "origin": origin,
        "installed": datetime.now(UTC).isoformat(timespec="seconds"),
        "size_bytes": {name: (folder / name).stat().st_size for name in sha256},
        "sha256": dict(sha256),
    }
    write_json(path, content)


def read_record(path: Path) -> Record | None:
    """Return a record, None where there is none that can be read."""
    content = read_json(path)
    sizes, digests = content.get("size_bytes"), content.get("sha256")
    if not isinstance(sizes, dict) or not isinstance(digests, dict):
        return None
    return Record(
        origin=str(content.get("origin", "")),
        installed=str(content.get("installed", "")),
        size_bytes=sizes,
        sha256=digests,
    )


def sha256_of(path: Path, on_bytes: OnBytes | None = None) -> str:
    """Return the hexadecimal SHA-256 of a file; `on_bytes` hears how many bytes are new."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(HASHED_BYTES):
            digest.update(block)
            if on_bytes is not None:
                on_bytes(len(block))
    return digest.hexdigest()


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a small file so that it is there whole or not at all, even if the power fails."""
    draft = path.with_name(f"{path.name}.draft")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """Return what a small file holds; what is not there or not readable holds nothing."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
