"""The web server of the embedded product: waitress with a pool of threads. `python -m alwrity_scheduler.serve`."""

from __future__ import annotations

import argparse
import signal
import sys


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve the product.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--threads", type=int, default=8)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    import waitress

    from alwrity_scheduler.wsgi import application

    waitress.serve(application, host=options.host, port=options.port, threads=options.threads, ident=None)


if __name__ == "__main__":
    main()
