"""The example of a platform from another package, on a folder."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

from platforms.contracts import AccountRef, Publication
from tests.contract.networks import Network
from tests.plugin_example.alwrity_noticeboard import NoticeboardAdapter


def network(request: Any) -> Network:
    folder: Path = request.getfixturevalue("tmp_path")
    monkeypatch = request.getfixturevalue("monkeypatch")
    account = AccountRef(
        id=1,
        public_id="a",
        platform="noticeboard",
        name="Board",
        handle="board",
        timezone="UTC",
        options={"folder": str(folder)},
    )
    opened = Path.open

    def misbehave(kind: str) -> None:
        def once(path: Path, *args: Any, **values: Any) -> Any:
            monkeypatch.setattr(Path, "open", opened)
            if kind == "auth":
                raise PermissionError(errno.EACCES, "Permission denied")
            with opened(path, *args, **values) as file:
                file.write(f"Guten Morgen – 早上好 {kind and 'lost'}\n")
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(Path, "open", once)

    def posts(publication: Publication) -> int:
        return sum(publication.text in path.read_text() for path in folder.glob("*.txt"))

    return Network(
        adapter=NoticeboardAdapter(),
        account=account,
        posts=posts,
        misbehave=misbehave,
        unreachable=replace(account, options={"folder": str(folder / "gone")}),
        kinds=("auth",),  # a folder refuses no text and knows no limit
    )
