"""Turn the settings of a remote engine into an address that may be asked, and the key it wants."""

import os
import stat
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from fimserver.errors import SettingsError
from fimserver.files import config_folder
from fimserver.settings import EngineSettings


def checked_url(settings: EngineSettings) -> str:
    """Return the server's address. Raises SettingsError where it is none, or would send text over an open network."""
    try:
        url = urlsplit(settings.url)
        sound = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:  # a port that is no number, brackets that do not match
        sound = False
    if not sound:
        raise SettingsError(f"engine.url must be an address such as http://127.0.0.1:8080, not {settings.url!r}.")
    if url.scheme == "http" and not is_loopback(settings.url) and not settings.allow_plain_http:
        raise SettingsError(
            f"engine.url {settings.url} would send your text unencrypted to another machine. "
            f"Use https://, or set engine.allow_plain_http if you trust the network."
        )
    return settings.url.rstrip("/").removesuffix("/v1")


def is_loopback(url: str) -> bool:
    """Tell whether an address is this machine's own."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def key_file() -> Path:
    """Return where a key may stand instead of in the environment."""
    return config_folder() / "api-key"


def api_key(settings: EngineSettings, environment: Mapping[str, str]) -> str:
    """Return the server's key: from the environment, else from the user's key file, empty where there is none.

    Raises SettingsError where others can read that file.
    """
    if key := environment.get(settings.api_key_variable, "").strip():
        return key
    path = key_file()
    try:
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SettingsError(f"{path} can be read by others. Run: chmod 600 {path}")
        return path.read_text("utf-8").strip()
    except OSError:
        return ""
