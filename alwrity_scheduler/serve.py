"""The web server of the embedded product: waitress with a pool of threads. `python -m alwrity_scheduler.serve`.

A live stream holds a thread for minutes. So the pool grows by one with each stream and shrinks when it ends: as many threads as
asked for are always there for everything else.
"""

from __future__ import annotations

import argparse
import signal
import sys
from typing import Any

from waitress.task import ThreadedTaskDispatcher


class Crew(ThreadedTaskDispatcher):  # type: ignore[misc]
    """Waitress's pool with room for streams. Its threads give their database connections back when they go."""

    def __init__(self, threads: int) -> None:
        super().__init__()
        self.resident = threads
        self.closing = False
        self.set_thread_count(threads)

    def make_room(self, streams: int) -> None:
        # streams that end because everything ends must not bring new threads
        if not self.closing:
            self.set_thread_count(self.resident + streams)

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:
        self.closing = True
        ended: bool = super().shutdown(cancel_pending, timeout)
        return ended

    def handler_thread(self, thread_no: int) -> None:
        from django.db import connections

        try:
            super().handler_thread(thread_no)
        finally:
            connections.close_all()


def make_server(application: Any, *, host: str, port: int, threads: int) -> Any:
    """A waitress server that makes room for streams. Its `run` returns after `close`."""
    import waitress
    from django.conf import settings

    from schedules.events.hub import hub

    crew = Crew(threads)
    hub.on_count.append(crew.make_room)
    # lookahead: the server hears of clients that go away while their stream is open
    return waitress.create_server(
        application,
        host=host,
        port=port,
        threads=threads,
        ident=None,
        connection_limit=100 + settings.STREAM["most"],
        channel_request_lookahead=1,
        _dispatcher=crew,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve the product.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--threads", type=int, default=8)
    options = parser.parse_args()

    from alwrity_scheduler.wsgi import application
    from schedules.events.hub import hub

    def leave(*_: object) -> None:
        hub.stop()
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)
    server = make_server(application, host=options.host, port=options.port, threads=options.threads)
    server.print_listen("Serving on http://{}:{}")
    server.run()


if __name__ == "__main__":
    main()
