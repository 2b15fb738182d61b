"""`manage.py mcp`: the tools for assistants (Model Context Protocol), on this process's own pipes or over HTTP."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

INSTALL = "The MCP server needs the extra `mcp`: install it with `uv sync --extra mcp` or `pip install 'mcp>=2.2,<3'`."


class Command(BaseCommand):
    help = (
        "Serve the tools for assistants (MCP). Without options on stdin and stdout, for the API token in ALWRITY_TOKEN; "
        "with --http for whoever shows a token."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--token", help="The API token (alw_…) to act by. Better in the environment, as ALWRITY_TOKEN."
        )
        parser.add_argument("--http", action="store_true", help="Serve streamable HTTP instead, at /mcp.")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8765)
        parser.add_argument(
            "--url",
            default=os.environ.get("MCP_URL", ""),
            help="Where clients find it, if not at host and port (MCP_URL).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if find_spec("mcp") is None:
            raise CommandError(INSTALL)
        if options["http"]:
            self._http(options["host"], options["port"], options["url"])
        else:
            self._stdio(options["token"] or os.environ.get("ALWRITY_TOKEN", ""))

    def _stdio(self, secret: str) -> None:
        from schedules.assistants import server

        if not secret:
            raise CommandError(
                "Say by which token: ALWRITY_TOKEN=alw_… (manage.py create_token makes one), or --token."
            )
        # nothing but messages may be written to stdout
        server.over_stdio(secret).run("stdio")

    def _http(self, host: str, port: int, url: str) -> None:
        import uvicorn

        from schedules.assistants import server

        where = url or f"http://{host}:{port}{server.PATH}"
        self.stderr.write(f"Assistants find the tools at {where}.")
        uvicorn.run(server.http_app(where), host=host, port=port, log_config=None)
