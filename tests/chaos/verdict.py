"""The database's story against the platform's: what was lost, doubled, left open, early, or told wrongly. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

SLACK_SECONDS = 30.0  # beyond the lease, nothing may be running (R25)
EARLY_SECONDS = 0.002  # two clocks are read one after the other
SKEW_WINDOW = 6.0  # a call may arrive so long after the clock was put right by which it was claimed


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that must not be, and the job it happened to (0: none)."""

    what: str
    job: int = 0


@dataclass(slots=True)
class Outcome:
    name: str
    report: dict[str, Any]
    faults: list[Fault] = field(default_factory=list)
    histogram: Counter[str] = field(default_factory=Counter)
    platform: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.faults


def judge(name: str, report: dict[str, Any], platform: dict[str, Any], *, lease: float) -> Outcome:
    """`platform` is the recorder's /log?ids=1."""
    outcome = Outcome(name, report, platform=platform)
    posts: dict[str, list[str]] = platform["posts"]
    for job in report["jobs"]:
        made = posts.get(job["idempotency_key"], []) if job["idempotency_key"] else []
        outcome.histogram["2+" if len(made) > 1 else str(len(made))] += 1
        outcome.faults += _about(job, made)
        outcome.faults += _early(job, platform["arrivals"], report["offsets"])
    outcome.faults += _about_all(report, platform, lease)
    return outcome


def _about(job: dict[str, Any], made: list[str]) -> list[Fault]:
    pk, state = job["id"], job["state"]
    faults = []
    if len(made) > 1:
        faults.append(Fault(f"DOUBLED: {len(made)} posts ({', '.join(made)})", pk))
    if state != "completed":
        word = "LOST" if not made else "NOT ENDED"
        faults.append(Fault(f"{word}: it is {state} ({job['reason']}) and {len(made)} posts were made", pk))
    elif not made:
        faults.append(Fault("LOST: it is completed and no post was made", pk))
    elif not any(job["remote_id"] == post or job["remote_id"].endswith(f"/{post}") for post in made):
        faults.append(Fault(f"WRONG: it names {job['remote_id']} and the platform made {', '.join(made)}", pk))
    return faults


def _early(job: dict[str, Any], arrivals: dict[str, list[float]], offsets: list[list[float]]) -> list[Fault]:
    """Compared by the platform's clock, plus what the scheduler's clock was wrong by at about that time."""
    times = arrivals.get(job["idempotency_key"], [])
    if not times:
        return []
    first = min(times)
    wrong = [seconds for _, seconds in _in_force(first, offsets)]
    if first + max(wrong) + EARLY_SECONDS >= job["scheduled_for"]:
        return []
    return [Fault(f"EARLY: {job['scheduled_for'] - first:.3f} s before its time", job["id"])]


def _in_force(moment: float, offsets: list[list[float]]) -> list[list[float]]:
    began = [entry for entry in offsets if entry[0] <= moment + 0.1]
    still = [entry for entry, after in pairwise(began) if after[0] >= moment - SKEW_WINDOW]
    return [*still, began[-1]]


def _about_all(report: dict[str, Any], platform: dict[str, Any], lease: float) -> list[Fault]:
    keys = {job["idempotency_key"] for job in report["jobs"]}
    longest, which = report["longest"], report["which"]
    faults = [Fault(f"UNKNOWN: a post for the key {key}, which no job has") for key in platform["posts"].keys() - keys]
    faults += [Fault(f"FORGOTTEN: schedule {name} was acknowledged and is not there") for name in report["forgotten"]]
    faults += [Fault("OPEN: an attempt has no end", pk) for pk in report["open"]]
    faults += [Fault("EARLY: an attempt began before its time", pk) for pk in report["early"]]
    faults += [Fault(f"AUDIT: {text}") for text in report["breaks"]]
    faults += [Fault(f"EXIT: {text}") for text in report["bad exits"]]
    if longest["job"] > lease + SLACK_SECONDS:
        faults.append(Fault(f"STUCK: running for {longest['job']:.1f} s", which["job"]))
    return faults


def table(outcomes: list[Outcome]) -> str:
    """One column a configuration."""
    columns = [_column(outcome) for outcome in outcomes]
    names = list(dict.fromkeys(name for column in columns for name in column))
    rows = [(name, [column.get(name, "0") for column in columns]) for name in names]
    width = [max(len(cells[n]) for _, cells in rows) for n in range(len(columns))]
    return "\n".join(
        f"{name:26}" + "  ".join(cell.rjust(width[n]) for n, cell in enumerate(cells)) for name, cells in rows
    )


def _column(outcome: Outcome) -> dict[str, str]:
    report = outcome.report
    column = {"": outcome.name}
    column |= {name: str(count) for name, count in report["counts"].items()}
    column["platform's faults"] = str(sum(outcome.platform["faults"].values()))
    column["jobs"] = str(len(report["jobs"]))
    column["  by end state"] = _counted(Counter(job["state"] for job in report["jobs"]))
    column |= {f"  with {number} posts": str(outcome.histogram[number]) for number in ("0", "1", "2+")}
    column["settled by a person"] = _counted(report["settled"])
    column["lost workers' calls"] = str(report["lost workers"])
    column["longest running (s)"] = f"{report['longest']['job']:.1f}"
    for purpose, title in (("publish", "calls"), ("check", "look-ups")):
        column |= {f"{title}: {name or 'open'}": str(n) for name, n in sorted(report["attempts"][purpose].items())}
    column["audit chain"] = f"{'broken' if report['breaks'] else 'whole'}, {report['audit rows']} rows"
    column |= {name: f"{report[name]:.0f}" for name in ("fire seconds", "settle seconds")}
    column["verdict"] = "0 lost, 0 doubled" if outcome.ok else f"{len(outcome.faults)} faults"
    return column


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"


def complaints(outcome: Outcome, most: int = 20) -> str:
    """Each fault with the job's attempts and what arrived at the platform."""
    lines = [f"{outcome.name}: {len(outcome.faults)} faults"]
    keys = {job["id"]: job for job in outcome.report["jobs"]}
    for fault in outcome.faults[:most]:
        lines.append(f"- {fault.what}" + (f" (job {fault.job})" if fault.job else ""))
        if not (job := keys.get(fault.job)):
            continue
        key = job["idempotency_key"]
        lines.append(f"    {job['account__name']}, {key}, scheduled for {job['scheduled_for']:.3f}")
        lines.append(
            f"    arrivals {outcome.platform['arrivals'].get(key, [])}, posts {outcome.platform['posts'].get(key, [])}"
        )
        lines += [
            f"    {row['purpose']} {row['no']} {row['started_at']} to {row['finished_at']}: {row['outcome'] or 'open'}"
            f" {row['status_code'] or ''} {row['message'][:90]} [{row['worker']}]"
            for row in outcome.report["histories"].get(str(fault.job), [])
        ]
    return "\n".join(lines)
