"""What must happen before Django reads its settings: the Python version and the data folder with its keys.

Called by manage.py only. Must not import Django, and must stay readable by an old Python, so that the
sentence about the old Python can be printed at all.
"""

import base64
import os
import secrets
import sys

BASE_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MINIMUM_PYTHON = (3, 11)


def require_python() -> None:
    """Leave with one sentence when this Python is too old."""
    if sys.version_info[:2] < MINIMUM_PYTHON:
        sys.exit(
            "This product needs Python %d.%d or newer, and this is Python %d.%d: install a newer one "
            "or run it through uv, which brings its own." % (MINIMUM_PYTHON + tuple(sys.version_info[:2]))
        )


def data_folder() -> str:
    """The folder of database, keys and media: ALWRITY_DATA_DIR, or var/ beside manage.py."""
    return os.path.abspath(os.environ.get("ALWRITY_DATA_DIR") or os.path.join(BASE_DIR, "var"))


def sign_in_apps(environment) -> dict:  # type: ignore[no-untyped-def, type-arg]
    """Platform -> (client id, client secret) of the pairs ALWRITY_APP_<PLATFORM>_ID and ALWRITY_APP_<PLATFORM>_SECRET."""
    found = {}
    for name, value in environment.items():
        if name.startswith("ALWRITY_APP_") and name.endswith("_ID") and value.strip():
            stem = name[: -len("_ID")]
            secret = environment.get(stem + "_SECRET", "")
            found[stem[len("ALWRITY_APP_") :].lower()] = (value.strip(), secret.strip())
    return found


def prepare_data_folder() -> None:
    """Make the data folder (mode 0700) and its keys. What exists is left as it is."""
    folder = data_folder()
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        os.chmod(folder, 0o700)
        os.makedirs(os.path.join(folder, "media"), exist_ok=True)
        _write_keys(os.path.join(folder, "keys.env"))
    except OSError as error:
        sys.exit(
            "The data folder %s cannot be written (%s): give this user the right to write there, "
            "or name another folder in ALWRITY_DATA_DIR." % (folder, error.strerror or error)
        )


def _write_keys(path: str) -> None:
    probe = path + ".probe"
    with open(probe, "w"):
        pass
    os.remove(probe)
    try:
        # O_EXCL: two first runs at once must not both believe in their own keys.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w") as file:
        file.write(
            "# Generated once. Whoever has this file can read the accounts' credentials: keep it, and keep it secret.\n"
        )
        file.write("SECRET_KEY=%s\n" % secrets.token_urlsafe(48))
        file.write("ENCRYPTION_KEYS=%s\n" % base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
