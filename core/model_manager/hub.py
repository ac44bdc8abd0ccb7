"""HuggingFace's listing of a repository: where a file lies that is not where it was."""

import re
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

from core.model_manager.connection import Connection

_ADDRESS = re.compile(
    r"(?P<host>https?://[^/]+)/(?P<kind>spaces/|datasets/)?(?P<repository>[^/]+/[^/]+)"
    r"/resolve/(?P<revision>[^/]+)/(?P<path>.+)"
)


def address_in_listing(connection: Connection, url: str) -> str | None:
    """Return where the file of this name lies in the repository of `url`.

    None if the address is none of HuggingFace's form, or if no file or several have the name.
    """
    address = _ADDRESS.fullmatch(url)
    if address is None:
        return None
    kind, revision = address["kind"] or "models/", address["revision"]
    repository = f"{kind}{address['repository']}"
    listed = connection.listing(
        f"{address['host']}/api/{repository}/tree/{revision}?recursive=true"
    )
    name = PurePosixPath(unquote(address["path"])).name
    paths = [path for path in _paths(listed) if PurePosixPath(path).name == name]
    if len(paths) != 1:
        return None
    before = url.removesuffix(address["path"])
    return f"{before}{quote(paths[0], safe='/=')}"


def _paths(listed: object) -> list[str]:
    files = listed if isinstance(listed, list) else []
    paths = [file.get("path") for file in files if isinstance(file, dict)]
    return [path for path in paths if isinstance(path, str)]
