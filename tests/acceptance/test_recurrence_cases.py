"""The shared yardstick: rows of cron and RFC 5545 from other projects, asked as `next_runs --stdin` is asked.

Rows that ask for something the product does not offer are counted by reason, so that none falls out unseen.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from schedules.domain.next_runs import answer_line

REPOSITORY = Path(__file__).resolve().parents[2]
CASES = REPOSITORY.parent / "shared" / "cases"

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"the shared cases are not at {CASES}")

Row = dict[str, Any]
FIELD_NAMES = ("minute: ", "hour: ", "day-of-month: ", "month: ", "day-of-week: ")

# One project's own idea, in the words of the cases' README.
FOREIGN_TAGS = {
    "extension-fugit": "fugit's own syntax",
    "cron-bug": "copies a bug of another cron",
    "dom-dow-and": "both day fields must match (APScheduler)",
    "range-a-to-a-means-all": "croniter reads sun-sun as every day",
    "extension-byeaster": "BYEASTER is dateutil's own, not of RFC 5545",
}
# A rule of ours says otherwise; the row is shown here by what it asks.
DISPUTED = {
    "* * */10 * Sun": "Vixie: both day fields must match where one begins with a star",
    "30 23 1-7 JAN MON-FRI#1": "croniter only: # after a range, and both day fields must match",
    "0 0 1 Apr-Mar/2 *": "croniter steps through a wrapped range in two pieces",
    "00 24 * * *": "fugit only: hour 24",
    "FREQ=YEARLY;BYMONTHDAY=-1": "ical.js only: RFC 5545's table lets BYMONTHDAY expand the whole year",
}


@cache
def rows(name: str) -> list[Row]:
    if not CASES.is_dir():
        return []
    return [json.loads(line) for line in (CASES / name).read_text(encoding="utf-8").splitlines() if line.strip()]


def why_not(row: Row) -> str | None:
    """Why a row does not apply to the product; None if it does."""
    expression = row.get("expression") or row.get("rrule") or ""
    for tag in row.get("tags", ()):
        if tag in FOREIGN_TAGS:
            return FOREIGN_TAGS[tag]
    if "expression" in row and row["expect"] != "invalid" and len(expression.split()) in (6, 7):
        return "a field for seconds or the year"
    return DISPUTED.get(expression)


def cron_rows(*expectations: str) -> list[Any]:
    chosen = [row for row in rows("cron_cases.jsonl") if row["expect"] in expectations and not why_not(row)]
    return [pytest.param(row, id=row["id"]) for row in chosen]


def rule_rows() -> list[Any]:
    chosen = [row for row in rows("rrule_cases.jsonl") if row["expect"] != "invalid" and not why_not(row)]
    return [pytest.param(row, id=row["id"]) for row in chosen]


def answer(row: Row, count: int) -> Row:
    reply: Row = json.loads(answer_line(json.dumps({**row, "count": count})))
    return reply


@pytest.mark.parametrize("row", cron_rows("times"))
def test_a_cron_row_fires_as_expected(row: Row) -> None:
    assert answer(row, len(row["expected"])).get("times") == row["expected"]


@pytest.mark.parametrize("row", cron_rows("none"))
def test_a_cron_row_that_never_fires_has_no_times(row: Row) -> None:
    assert answer(row, 3).get("times") == []


@pytest.mark.parametrize("row", cron_rows("not"))
def test_a_cron_row_does_not_fire_when_it_must_not(row: Row) -> None:
    forbidden = row["not_expected"] if isinstance(row["not_expected"], list) else [row["not_expected"]]
    assert answer(row, 1)["times"][0] not in forbidden


@pytest.mark.parametrize("row", cron_rows("invalid"))
def test_an_invalid_cron_row_is_refused_by_name(row: Row) -> None:
    error = answer({**row, "start": "2026-01-01T00:00:00"}, 1).get("error", "")

    if len(row["expression"].split()) == 5:
        assert error.startswith(FIELD_NAMES)
    else:
        assert error.startswith("expression: has ")


@pytest.mark.parametrize("row", rule_rows())
def test_a_calendar_rule_gives_the_expected_times(row: Row) -> None:
    instants = row.get("expected_utc")
    expected = instants or row["expected"]
    is_whole = row["complete"] or row["expect"] == "none"

    times = answer(row, len(expected) + is_whole)["times"]

    if instants:
        times = [f"{datetime.fromisoformat(time).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for time in times]
    elif row["tzid"]:
        times = [time[: len("1997-09-02T09:00:00")] for time in times]
    assert times == expected


def test_every_row_is_asked_or_left_out_for_a_known_reason() -> None:
    cron_left_out = Counter(filter(None, map(why_not, rows("cron_cases.jsonl"))))
    rules_left_out = Counter(filter(None, map(why_not, rows("rrule_cases.jsonl"))))

    asked = len(cron_rows("times", "none", "not", "invalid"))
    assert asked + cron_left_out.total() == len(rows("cron_cases.jsonl"))
    refused = [row for row in rows("rrule_cases.jsonl") if row["expect"] == "invalid" and not why_not(row)]
    assert all("error" in answer(row, 1) for row in refused)
    assert len(rule_rows()) + len(refused) + rules_left_out.total() == len(rows("rrule_cases.jsonl"))
    print(f"{asked} cron rows asked, left out: {dict(cron_left_out)}")
    print(f"{len(rule_rows()) + len(refused)} calendar rows asked, left out: {dict(rules_left_out)}")
    # At most so many hundredths of the rows are left out: a parser that refuses more must not pass unseen.
    assert cron_left_out.total() * 100 <= 25 * len(rows("cron_cases.jsonl"))
    assert rules_left_out.total() * 100 <= 5 * len(rows("rrule_cases.jsonl"))


def gated(row: Row) -> bool:
    """The gate the cases' README proposes for a product."""
    source = row["source"]["project"]
    return (
        row["expect"] != "invalid"
        and len(row["expression"].split()) in (1, 5)
        and row.get("policy") in (None, "debian")
        and not set(row["tags"]) & FOREIGN_TAGS.keys()
        and (source.startswith(("cronsim", "derived from Debian")) or bool(row.get("portable")))
    )


def test_no_row_of_the_gate_is_left_out() -> None:
    """R6: every row of policy debian and of rfc5545 is asked."""
    gate = [row for row in rows("cron_cases.jsonl") if gated(row)]
    standard = [row for row in rows("rrule_cases.jsonl") if row["id"].startswith("rfc5545")]

    assert gate
    assert standard
    assert [row["id"] for row in (*gate, *standard) if why_not(row)] == []


def matrix() -> list[Row]:
    path = CASES / "dst_matrix.json"
    return json.loads(path.read_text(encoding="utf-8"))["rows"] if path.is_file() else []


@pytest.mark.parametrize("row", [pytest.param(row, id=row["scenario"]) for row in matrix()])
def test_changes_of_clocks_are_met_as_debians_cron_meets_them(row: Row) -> None:
    expected = row["fires_utc"]["cronsim"]

    times = answer(row, len(expected))["times"]

    assert [f"{datetime.fromisoformat(time).astimezone(UTC):%m-%dT%H:%MZ}" for time in times] == expected


@pytest.mark.processes
def test_a_row_file_can_be_piped_through_the_command_without_database_or_secret() -> None:
    sent = [row for row in rows("rrule_cases.jsonl") if not why_not(row)][:25]
    environment = {name: value for name, value in os.environ.items() if name not in ("SECRET_KEY", "DATABASE_URL")}

    done = subprocess.run(
        [sys.executable, "manage.py", "next_runs", "--stdin"],
        input="".join(json.dumps(row) + "\n" for row in sent) + "rubbish\n",
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    replies = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert [reply["id"] for reply in replies] == [*(row["id"] for row in sent), None]
    assert all("times" in reply for reply in replies[:-1])
