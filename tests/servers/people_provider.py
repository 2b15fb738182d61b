"""A company's OpenID provider: the real one of `../shared/servers/oidc_provider`, with addresses (people_provider.mjs)."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import real

SECRET = "company-secret"
CLIENT = "alwrity"


@contextmanager
def running(redirect_uri: str) -> Iterator[str]:
    """Its issuer while it runs. It takes people back to this address only."""
    real.start("oidc_provider")  # installs what both run
    home = real.SCRATCH / "npm" / "oidc"
    script = home / "people_provider.mjs"
    shutil.copyfile(Path(__file__).with_suffix(".mjs"), script)
    node = real.SCRATCH / "npm" / "node22" / "node_modules" / "node" / "bin" / "node"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(node), str(script), str(port), redirect_uri]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            # it warns before it is ready
            while (line := process.stdout.readline()) and "ready" not in line:
                pass
            assert line, "the provider ended before it was ready"
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
