"""What comes before what: rings, order, the critical path, and posts that stand too early. Pure.

`waits` maps a post to those it is meant to go out after; posts are any numbers. `times` maps a post to its first time
(aware), where it has one. Nothing here holds a post back: the engine publishes by time, and these are warnings.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

Waits = Mapping[int, Collection[int]]


def ring(waits: Waits, post: int, waits_for: int) -> list[int]:
    """The ring that `post` waiting for `waits_for` would close, from `post` round to itself; empty when there is none."""
    came_from: dict[int, int] = {waits_for: post}
    to_see = [waits_for]
    while to_see:
        at = to_see.pop()
        if at == post:
            return _walk(came_from, post)
        for before in waits.get(at, ()):
            if before not in came_from:
                came_from[before] = at
                to_see.append(before)
    return []


def _walk(came_from: Mapping[int, int], post: int) -> list[int]:
    way = [post]
    while (before := came_from[way[-1]]) != post:
        way.append(before)
    return [*reversed([*way, post])]


def ordered(waits: Waits) -> list[int]:
    """Every post after all that it waits for. What stands in a ring, or behind one, is left out."""
    left = {post: set(befores) for post, befores in waits.items()}
    after: dict[int, list[int]] = {}
    for post, befores in waits.items():
        for before in befores:
            left.setdefault(before, set())
            after.setdefault(before, []).append(post)
    free = sorted(post for post, befores in left.items() if not befores)
    order = []
    while free:
        post = free.pop(0)
        order.append(post)
        for later in sorted(after.get(post, ())):
            left[later].discard(post)
            if not left[later]:
                free.append(later)
    return order


def critical_path(waits: Waits, times: Mapping[int, datetime]) -> list[int]:
    """The chain that decides when the last post can go out, first to last; empty where nothing waits.

    From the latest post that waits for something, back each time to what it waits for that goes out last: the step with the
    least time to spare. Posts without a time cannot be on it.
    """
    chain: dict[int, list[int]] = {}
    for post in ordered(waits):
        if post not in times:
            continue
        befores = [before for before in waits.get(post, ()) if before in chain]
        driver = max(befores, key=lambda before: (times[before], before), default=None)
        chain[post] = [*(chain[driver] if driver is not None else []), post]
    ends = [post for post, way in chain.items() if len(way) > 1]
    last = max(ends, key=lambda post: (times[post], len(chain[post]), post), default=None)
    return chain[last] if last is not None else []


def critical_paths(waits: Waits, times: Mapping[int, datetime]) -> list[list[int]]:
    """The critical path of each group of posts that hang together, the group with the latest end last."""
    groups = ({post: waits[post] for post in group if post in waits} for group in _groups(waits))
    paths = [path for group in groups if (path := critical_path(group, times))]
    return sorted(paths, key=lambda path: (times[path[-1]], path))


def _groups(waits: Waits) -> list[set[int]]:
    near: dict[int, set[int]] = {}
    for post, befores in waits.items():
        near.setdefault(post, set()).update(befores)
        for before in befores:
            near.setdefault(before, set()).add(post)
    groups, seen = [], set[int]()
    for start in sorted(near):
        if start in seen:
            continue
        group, to_see = set[int](), [start]
        while to_see:
            post = to_see.pop()
            if post not in group:
                group.add(post)
                to_see.extend(near[post] - group)
        seen |= group
        groups.append(group)
    return groups


def too_early(waits: Waits, times: Mapping[int, datetime], out: Collection[int] = ()) -> list[tuple[int, int]]:
    """The pairs (post, what it waits for) in which the post stands at the same time or before. Both out: it is past mending."""
    return [
        (post, before)
        for post, befores in waits.items()
        for before in befores
        if post in times and before in times and times[post] <= times[before] and not (post in out and before in out)
    ]
