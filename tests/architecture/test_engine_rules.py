"""Each rule of the engine (R1 to R44) is named by at least one test: in its name ("test_r17_…") or its docstring ("R17")."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
RULES = {
    "R1": "one row for each time, one job for each time and account",
    "R2": "planning goes on from where it ended",
    "R3": "rows stand a bounded horizon ahead",
    "R4": "a clock set back or forward repeats nothing",
    "R5": "an edit changes only what has not begun",
    "R6": "the truth is wall clock, zone and rule",
    "R7": "a fixed time fires once a local day",
    "R8": "hourly rules follow elapsed time",
    "R9": "a single time in a gap or a fold",
    "R10": "new zone rules move what has not begun",
    "R11": "one instant and account, one job",
    "R12": "punctual on an idle machine",
    "R13": "never early",
    "R14": "the poll does not meet history",
    "R14b": "jobs that cannot run leave the due index",
    "R15": "the poll alone is enough",
    "R16": "one account in order and one at a time, the others beside it",
    "R17": "a job is claimed by exactly one",
    "R18": "no call without a committed attempt",
    "R18b": "the attempt's commit is durable",
    "R19": "later writes carry the token",
    "R20": "the lease is renewed beside the call",
    "R21": "no transaction is open during a call",
    "R22": "what each outcome means",
    "R23": "an unknown outcome is never sent again blindly",
    "R24": "the key is not of the attempt",
    "R25": "killed at any moment",
    "R26": "frozen longer than the lease",
    "R27": "what is done with missed runs",
    "R28": "a backlog drains in order and within limits",
    "R29": "the decision on a late post is taken once",
    "R30": "how long a retry waits",
    "R31": "a lost sign-in pauses the account",
    "R32": "limits hold across processes",
    "R33": "pauses and their end",
    "R34": "cancelling before, at and after the call",
    "R35": "failed for good, with its history",
    "R36": "backfill and publish now",
    "R37": "stopping in good order",
    "R38": "several schedulers on one database",
    "R39": "what cannot be loaded fails and stays",
    "R40": "the engine's figures can be asked for",
    "R41": "history is only added to, and pruned in batches",
    "R42": "the busy tables are vacuumed",
    "R43": "a result is kept until it is written",
    "R44": "one source of time for each decision",
}


def named(text: str) -> set[str]:
    """The rules a text names: R17, r17, _r14b_, R16-R24."""
    found = {
        f"R{number}{letter.lower()}"
        for number, letter in re.findall(r"(?<![A-Za-z0-9])[Rr](\d+)([bB]?)(?![A-Za-z0-9])", text)
    }
    for first, last in re.findall(r"\bR(\d+)\s*(?:-|to)\s*R(\d+)\b", text):
        found |= {f"R{number}" for number in range(int(first), int(last) + 1)}
    return found


def every_test() -> Iterator[ast.FunctionDef]:
    for path in sorted(TESTS.rglob("test_*.py")):
        if path == Path(__file__):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield node


@pytest.fixture(scope="module")
def named_somewhere() -> set[str]:
    return {
        rule
        for test in every_test()
        for rule in named(f"{test.name.replace('_', ' ')} {ast.get_docstring(test) or ''}")
    }


def test_the_list_is_whole():
    assert list(RULES) == sorted(
        [*(f"R{number}" for number in range(1, 45)), "R14b", "R18b"], key=lambda rule: (int(rule.strip("Rb")), rule)
    )


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_is_named_by_a_test(rule: str, named_somewhere: set[str]):
    assert rule in named_somewhere, f"no test says that it proves {rule}: {RULES[rule]}"


def test_a_name_is_read_as_the_rule_it_names_and_no_other():
    assert named("test r14b one look") == {"R14b"}
    assert named("R14b, and (R2).") == {"R14b", "R2"}
    assert named("R18-R20") == {"R18", "R19", "R20"}
    assert named("for 3 rows; R2D2; tr4; error 12") == set()
