"""One post, or a thread, on Bluesky: blobs up, then record by record under keys that follow from the post's own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from alwrity_scheduler.core import clock
from platforms import rates
from platforms.adapters.bluesky import records
from platforms.adapters.bluesky.client import BlueskyClient, before_posting
from platforms.chains import Deadline, State
from platforms.contracts import AccountRef
from platforms.errors import Rejected, Unavailable, UnknownOutcome
from platforms.uploads import Files, handed_over


class BlueskySteps:
    consistency_seconds = 1.0

    def __init__(self, account: AccountRef, deadline: Deadline) -> None:
        self.client = BlueskyClient(account, deadline)
        self._files = Files()

    def prepare(self, state: State) -> float | None:
        for file in state["files"]:
            if not file.get("blob"):
                left = self.client.deadline.left()
                content = self._files.read(file, left)
                answer, _ = self.client.procedure("com.atproto.repo.uploadBlob", content=content, mime=file["mime"])
                if not isinstance(answer.get("blob"), dict):
                    raise Unavailable("Bluesky took a file but did not say as what.")
                file["blob"] = answer["blob"]
                handed_over(file)
        return None

    def look(self, state: State, number: int) -> dict[str, Any] | None:
        """The record under the part's key. Only RecordNotFound proves that there is none."""
        session = self.client.session()
        rkey = records.record_key(state["key"], number)
        try:
            found = self.client.query(
                "com.atproto.repo.getRecord", {"repo": session.did, "collection": records.COLLECTION, "rkey": rkey}
            )
        except Rejected as error:
            if error.response.get("error") == "RecordNotFound":
                return None
            raise UnknownOutcome(
                f"The look-up told nothing. {error}",
                status_code=error.status_code,
                platform_message=error.platform_message,
            ) from error
        if not (found.get("uri") and found.get("cid")):
            raise UnknownOutcome("The look-up told nothing.")
        return self._known(found, rkey)

    def send(self, state: State, number: int) -> dict[str, Any]:
        session = self.client.session()
        rkey = records.record_key(state["key"], number)
        text = state["parts"][number]
        body = {
            "repo": session.did,
            "collection": records.COLLECTION,
            "rkey": rkey,
            "record": records.post(
                text,
                at=state["at"],
                langs=state["langs"],
                labels=state["labels"],
                dids=self._dids(text),
                embed=self._embed(state) if number == 0 else None,
                root=_reference(state["done"][0]) if number else None,
                parent=_reference(state["done"][-1]) if number else None,
            ),
        }
        made, answer = self.client.procedure("com.atproto.repo.putRecord", body)
        if not (made.get("uri") and made.get("cid")):
            raise UnknownOutcome(
                "Bluesky took the post but did not say under which address.", status_code=answer.status
            )
        return {**self._known(made, rkey), "rate": rates.rate_of(answer.headers, clock.now())}

    def _embed(self, state: State) -> dict[str, Any] | None:
        made = records.media_embed(state["files"])
        if made is None and state["card"]:
            made = {"$type": "app.bsky.embed.external", "external": dict(state["card"])}
        return made

    def _dids(self, text: str) -> dict[str, str]:
        """Handle -> DID of those that are mentioned. One that does not resolve stays plain text."""
        found = {}
        for handle in records.mentioned(text):
            if did := before_posting(partial(self._did, handle)):
                found[handle] = did
        return found

    def _did(self, handle: str) -> str:
        try:
            found = str(self.client.query("com.atproto.identity.resolveHandle", {"handle": handle}).get("did") or "")
        except Rejected:
            return ""
        return found if found.startswith("did:") else ""

    def _known(self, record: Mapping[str, Any], rkey: str) -> dict[str, Any]:
        session = self.client.session()
        # the handle may change, the DID does not
        return {
            "id": str(record["uri"]),
            "url": f"https://bsky.app/profile/{session.did}/post/{rkey}",
            "cid": str(record["cid"]),
        }

    def delete(self, remote_id: str) -> None:
        repo, _, rest = remote_id.removeprefix("at://").partition("/")
        collection, _, rkey = rest.partition("/")
        if not (repo.startswith("did:") and collection == records.COLLECTION and rkey):
            raise Rejected("This is not the address of a Bluesky post.")
        self.client.procedure("com.atproto.repo.deleteRecord", {"repo": repo, "collection": collection, "rkey": rkey})


def _reference(part: Mapping[str, Any]) -> dict[str, str]:
    return {"uri": part["id"], "cid": part["cid"]}
