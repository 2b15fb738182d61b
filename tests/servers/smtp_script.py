"""A mail server that says what a test wrote down."""

from __future__ import annotations

import socket
import threading


class Script(threading.Thread):
    """A mail server that answers each line it gets with the next of its lines, and remembers what it got. `None` hangs up; a
    number of seconds says nothing for as long as the client waits."""

    def __init__(self, *answers):
        super().__init__(daemon=True)
        self.answers, self.lines, self.mails, self.calls = list(answers), [], [], 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.start()

    def run(self):
        while self.answers:
            link, _ = self._listening.accept()
            self.calls += 1
            with link, link.makefile("rwb") as file:
                self._talk(link, file)

    def _talk(self, link, file):
        if not self._say(link, file):
            return
        while line := file.readline():
            self.lines.append(line.decode().strip())
            if self.lines[-1] == "QUIT" or not self._say(link, file):
                return
            if self._last.startswith("354"):
                body = b""
                while not body.endswith(b"\r\n.\r\n"):
                    body += file.readline()
                self.mails.append(body)
                if not self._say(link, file):
                    return

    def _say(self, link, file):
        answer = self.answers.pop(0) if self.answers else None
        if answer is None:
            link.shutdown(socket.SHUT_RDWR)
            return False
        self._last = answer
        file.write(answer.encode() + b"\r\n")
        file.flush()
        return True

    def close(self):
        self._listening.close()


GREETING = ("220 hello", "250-hi\r\n250 SIZE 100000")
TAKEN = ("250 sender", "250 recipient", "354 go on", "250 queued")
