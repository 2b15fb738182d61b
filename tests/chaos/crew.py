"""The engine's processes during a campaign: started, watched, killed, frozen, and started again as systemd would."""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.points import POINTS
from tests.installation import ROOT, Installation

CHILD_ALONE = 0.7
MINE_SECONDS = 4.0
STANDING_LIVES = 2.0
AGAIN_SECONDS = 5.0
EARS_SECONDS = 15.0  # on a busy machine Python takes that long to start
RESTART_SECONDS = 0.3  # after an end of its own, as a watcher would wait


def _hears(pid: int) -> bool:
    """Has the process a handler for SIGTERM yet (proc(5), SigCgt)? One that is gone hears nothing more, and is not waited for."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True
    caught = next((line for line in status.splitlines() if line.startswith("SigCgt:")), "SigCgt: 0")
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


@dataclass(eq=False)
class Slot:
    """A place for one process of the engine. `words` is its command; empty for a scheduler that the nursery forks."""

    name: str
    words: tuple[str, ...] = ()
    pid: int = 0
    process: subprocess.Popen[bytes] | None = None
    born_at: float = 0.0
    hurt_at: float = 0.0  # when one of its children was killed
    frozen_until: float = 0.0
    not_before: float = 0.0
    expected: bool = False  # its death is the harness' own doing
    is_mined: bool = False  # it will kill itself at a chosen place
    claims: bool = True
    children: bool = False  # it runs worker children, which die with it

    @property
    def is_up(self) -> bool:
        return bool(self.pid) and not self.frozen_until

    @property
    def start_seconds(self) -> float:
        """About how long it takes to stand."""
        return 4.0 if self.children else 2.0 if self.words else 0.5

    @property
    def age(self) -> float:
        return time.monotonic() - max(self.born_at, self.hurt_at)

    @property
    def lives(self) -> float:
        """Its age, counted in the time it takes to stand."""
        return self.age / self.start_seconds


@dataclass
class Nursery:
    """tests/chaos/nursery.py and the conversation with it."""

    installation: Installation
    process: subprocess.Popen[bytes] = field(init=False)
    _rest: bytes = b""

    def __post_init__(self) -> None:
        with (self.installation.folder / "scheduler.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.nursery"], cwd=ROOT, env=self.installation.environment,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        self.installation.processes.append(self.process)
        self.expect("ready")

    def bear(self, point: str, nth: int) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write((json.dumps({"point": point, "nth": nth}) + "\n").encode())
        self.process.stdin.flush()
        return int(self.expect("born")["born"])

    def expect(self, word: str, seconds: float = 60.0) -> dict[str, Any]:
        """Wait for that line; the deaths told meanwhile are kept for `news`."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            lines = self._lines(0.05)
            self._kept += [line for line in lines if word not in line]
            if answers := [line for line in lines if word in line]:
                return answers[0]
        raise RuntimeError(f"the nursery did not say {word}")

    _kept: list[dict[str, Any]] = field(default_factory=list)

    def news(self) -> list[dict[str, Any]]:
        """Deaths since the last call."""
        found, self._kept = self._kept + self._lines(0.0), []
        return [line for line in found if "died" in line]

    def _lines(self, seconds: float) -> list[dict[str, Any]]:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        if not ready:
            return []
        data = os.read(self.process.stdout.fileno(), 65536)
        if not data:
            raise RuntimeError("the nursery ended; see scheduler.log")
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def close(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(10)
        if self.process.stdout:
            self.process.stdout.close()


class Crew:
    """All slots. `kills` counts SIGKILLs, the harness' own and those at chosen places."""

    def __init__(self, installation: Installation, slots: list[Slot], dice: random.Random, *, mined: float) -> None:
        self.installation, self.slots, self.dice, self.mined = installation, slots, dice, mined
        self.nursery = Nursery(installation) if any(not slot.words for slot in slots) else None
        self.kills = self.stops = self.ends = self.points = 0
        self.bad_exits: list[str] = []

    def tend(self) -> None:
        """Notice the dead, wake the frozen whose time has come, and fill the empty slots."""
        now = time.monotonic()
        for line in self.nursery.news() if self.nursery else []:
            for slot in self.slots:
                if slot.pid == line["died"] and not slot.words:
                    self._buried(slot, os.waitstatus_to_exitcode(line["status"]))
        for slot in self.slots:
            if slot.process and slot.process.poll() is not None and slot.pid:
                self._buried(slot, slot.process.returncode)
            if slot.frozen_until and now >= slot.frozen_until:
                self.thaw(slot)
            if not slot.pid and now >= slot.not_before:
                self.start(slot)

    def _buried(self, slot: Slot, code: int) -> None:
        if not slot.expected:
            at_a_point = code == -signal.SIGKILL
            self.kills += at_a_point
            self.points += at_a_point
            self.ends += not at_a_point
            slot.not_before = 0.0 if at_a_point else time.monotonic() + RESTART_SECONDS
        slot.pid, slot.process, slot.frozen_until, slot.expected = 0, None, 0.0, False

    def start(self, slot: Slot) -> None:
        slot.born_at = time.monotonic()
        if not slot.words:
            assert self.nursery is not None
            point = self.dice.choice(list(POINTS)) if self.dice.random() < self.mined else ""
            slot.is_mined = bool(point)
            slot.pid = self.nursery.bear(point, self.dice.randint(1, 6))
            return
        with (self.installation.folder / "scheduler.log").open("ab") as log:
            slot.process = subprocess.Popen(
                [sys.executable, *slot.words], cwd=ROOT, env=self.installation.environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=slot.children,
            )  # fmt: skip
        self.installation.processes.append(slot.process)
        slot.pid = slot.process.pid

    def choose(self, least_lives: float) -> Slot | None:
        """One of those that have stood for so many times the time it takes them to stand, if it is not the last to stand.

        Where nobody lives long enough to work, nothing is under way that a kill could hit.
        """
        standing = [slot for slot in self.slots if slot.claims and slot.is_up and slot.lives >= STANDING_LIVES]
        up = [slot for slot in self.slots if slot.is_up and not slot.expected and slot.lives >= least_lives]
        up = [slot for slot in up if standing != [slot] and (standing or not slot.claims)]
        # who carries a mine is left to it for a while
        up = [slot for slot in up if not slot.is_mined or slot.age > MINE_SECONDS]
        return self.dice.choice(up) if up else None

    def kill(self) -> None:
        """SIGKILL to one of them, whatever it is doing; of a worker with children often to a child alone."""
        slot = self.choose(self.dice.uniform(0.7, 4))
        if slot is None:
            return
        if slot.children and self.dice.random() < CHILD_ALONE and (child := self._child_of(slot)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            self.kills += 1
            slot.hurt_at = time.monotonic()
            return
        self._kill(slot)

    def kill_all(self) -> None:
        """All at once, as when the power fails."""
        for slot in self.slots:
            if slot.is_up and not slot.expected:
                self._kill(slot)

    def _kill(self, slot: Slot) -> None:
        slot.expected = True
        self.signal(slot, signal.SIGKILL)
        self.kills += 1

    def _child_of(self, slot: Slot) -> int:
        with contextlib.suppress(OSError):
            if found := Path(f"/proc/{slot.pid}/task/{slot.pid}/children").read_text().split():
                return int(self.dice.choice(found))
        return 0

    def signal(self, slot: Slot, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if slot.children else os.kill)(slot.pid, number)

    def freeze(self, seconds: float) -> bool:
        """SIGSTOP to one; `tend` continues it. One always stays awake. False when there is none to spare."""
        if (slot := self.choose(1.0)) is None:
            return False
        self.signal(slot, signal.SIGSTOP)
        slot.frozen_until = time.monotonic() + seconds
        self.stops += 1
        return True

    def thaw(self, slot: Slot) -> None:
        slot.frozen_until = 0.0
        self.signal(slot, signal.SIGCONT)

    def pardon(self) -> None:
        """From now on nobody dies: wake everybody, and replace those that carry a mine."""
        self.mined = 0.0
        for slot in self.slots:
            if slot.frozen_until:
                self.thaw(slot)
            if slot.pid and not slot.words:
                slot.expected = True
                self.signal(slot, signal.SIGKILL)

    def _await_ears(self) -> None:
        ready = time.monotonic() + EARS_SECONDS
        while time.monotonic() < ready and not all(_hears(slot.pid) for slot in self.slots if slot.pid):
            time.sleep(0.05)

    def dismiss(self, seconds: float) -> None:
        """SIGTERM to all that listen to it already: each must end in time with exit code 0 (R37)."""
        self._await_ears()
        for slot in self.slots:
            if slot.pid:
                slot.expected = True
                self.signal(slot, signal.SIGTERM) if not slot.children else os.kill(slot.pid, signal.SIGTERM)
        until = time.monotonic() + seconds
        again = time.monotonic() + AGAIN_SECONDS
        left = {slot.pid: slot for slot in self.slots if slot.pid}
        while left and time.monotonic() < until:
            for line in self.nursery.news() if self.nursery else []:
                self._dismissed(left.pop(line["died"], None), os.waitstatus_to_exitcode(line["status"]))
            for pid, slot in list(left.items()):
                if slot.process and slot.process.poll() is not None:
                    self._dismissed(left.pop(pid), slot.process.returncode)
            if time.monotonic() > again:
                again += AGAIN_SECONDS
                for slot in left.values():
                    if not slot.claims:  # beat loses a signal that comes while it starts; it holds nothing
                        self.signal(slot, signal.SIGTERM)
            time.sleep(0.02)
        for slot in left.values():
            self.bad_exits.append(f"{slot.name} ({slot.pid}) did not end within {seconds:.0f} s of SIGTERM")
            if not slot.words:
                self.signal(slot, signal.SIGUSR1)  # writes what its threads are doing to scheduler.log
                time.sleep(0.5)
            self.signal(slot, signal.SIGKILL)

    def _dismissed(self, slot: Slot | None, code: int) -> None:
        if slot is None:
            return
        slot.pid = 0
        if code == -signal.SIGTERM and slot.lives < STANDING_LIVES:
            return  # it was not far enough to listen to signals, and had begun nothing
        if code:
            self.bad_exits.append(f"{slot.name} ended with {code} after SIGTERM")

    def close(self) -> None:
        for slot in self.slots:
            if slot.pid:
                self.signal(slot, signal.SIGKILL)
        if self.nursery:
            self.nursery.close()
