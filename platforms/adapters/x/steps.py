"""One post, or a thread, on X: files up, then post by post. Source: docs.x.com (openapi 2.167), API v2."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from alwrity_scheduler.core import clock
from platforms.adapters.x import timeline
from platforms.adapters.x.errors import Duplicate
from platforms.chains import Deadline, State
from platforms.contracts import AccountRef
from platforms.errors import PlatformError, Rejected, Unavailable, UnknownOutcome
from platforms.outbound import MEBIBYTE
from platforms.uploads import Files, handed_over

CHUNK = 4 * MEBIBYTE
MOST_PAGES = 5
EARLIER = timedelta(seconds=60)
FIELDS = "attachments,created_at,entities,note_tweet,public_metrics,referenced_tweets"
# the names of the newest document, for a server that knows only those
NEW_FIELDS = {
    "post.fields": "attachments,created_at,entities,note_post,public_metrics",
    "expansions": "referenced_posts",
}


class XSteps:
    consistency_seconds = 10.0

    def __init__(self, account: AccountRef, deadline: Deadline) -> None:
        self._account, self._deadline = account, deadline
        from platforms.adapters.x.client import XClient  # tweepy is loaded when X is first called

        self._client = XClient(account, deadline)
        self._files = Files()
        self._recent: dict[str, list[dict[str, Any]]] = {}

    # files

    def prepare(self, state: State) -> float | None:
        waits = [wait for file in state["files"] if (wait := self._take_up(file, state)) is not None]
        return max(waits, default=None)

    def _take_up(self, file: State, state: State) -> float | None:
        if not file.get("ready"):
            if file["mime"].startswith("image/") and not file["animated"]:
                self._in_one(file)
            elif (wait := self._in_chunks(file)) is not None:
                return wait
            file["ready"] = True
        if file["alt"] and not file.get("told") and not file["mime"].startswith("video/"):
            body = {"id": file["id"], "metadata": {"alt_text": {"text": file["alt"][:1000]}}}
            try:
                self._client.request("POST", "/2/media/metadata", json=body)
            except Rejected as error:
                note = f"X did not take an alternative text: {error.platform_message or error}"
                state.setdefault("notes", []).append(note)
            file["told"] = True
        return None

    def _in_one(self, file: State) -> None:
        content = self._files.read(file, self._deadline.left())
        answer = self._client.upload("/2/media/upload", {"media_category": "tweet_image"}, content, file["mime"])
        file["id"] = _media_id(answer)
        handed_over(file)

    def _in_chunks(self, file: State) -> float | None:
        """Begin, append, finish, wait: each where the last call left off."""
        if not file.get("id"):
            file["total"] = self._files.size(file, self._deadline.left())
            category = "tweet_gif" if file["mime"] == "image/gif" else "tweet_video"
            body = {"media_type": file["mime"], "total_bytes": file["total"], "media_category": category}
            file["id"] = _media_id(self._client.request("POST", "/2/media/upload/initialize", json=body))
        while (segment := int(file.get("segment", 0))) * CHUNK < file["total"]:
            piece = self._files.read(file, self._deadline.left(), segment * CHUNK, CHUNK)
            route = f"/2/media/upload/{file['id']}/append"
            self._client.upload(route, {"segment_index": str(segment)}, piece, "application/octet-stream")
            file["segment"] = segment + 1
        if not file.get("finished"):
            answer = self._client.request("POST", f"/2/media/upload/{file['id']}/finalize")
            file["finished"] = True
            handed_over(file)
        else:
            answer = self._client.request(
                "GET", "/2/media/upload", params={"media_id": file["id"], "command": "STATUS"}
            )
        return _processing(answer)

    # posts

    def send(self, state: State, number: int) -> dict[str, Any]:
        body: dict[str, Any] = {}
        if text := state["parts"][number]:
            body["text"] = text
        if number == 0:
            body |= state["first"]
            if state["files"]:
                body["media"] = {"media_ids": [file["id"] for file in state["files"]]}
        else:
            body["reply"] = {"in_reply_to_tweet_id": state["done"][-1]["id"]}
            body |= {
                name: state["first"][name] for name in ("made_with_ai", "paid_partnership") if name in state["first"]
            }
        try:
            answer = self._client.request("POST", "/2/tweets", json=body)
        except Duplicate:
            self._recent.clear()
            there = self.look(state, number)
            if there is None:
                raise
            return {**there, "already": True}
        made = answer.get("data")
        if not isinstance(made, dict) or not made.get("id"):
            raise UnknownOutcome("X took the post but did not say under which id.", status_code=201)
        return {**self._known(str(made["id"])), "rate": answer.get("rate")}

    def look(self, state: State, number: int) -> dict[str, Any] | None:
        parent = (
            state["done"][-1]["id"]
            if number
            else str((state["first"].get("reply") or {}).get("in_reply_to_tweet_id", ""))
        )
        since = datetime.fromisoformat(state["since"])
        taken = {part["id"] for part in state["done"]}
        matches = [
            post
            for post in self._posts(since)
            if str(post.get("id")) not in taken
            and timeline.same(
                post,
                text=state["parts"][number],
                since=since,
                parent=parent,
                quoted=str(state["first"].get("quote_tweet_id", "")) if number == 0 else "",
                media=len(state["files"]) if number == 0 else 0,
            )
        ]
        # the oldest: a person who wrote the same by hand afterwards did not send ours
        return self._known(str(matches[-1]["id"])) if matches else None

    def _posts(self, since: datetime) -> list[dict[str, Any]]:
        """The account's own posts since then, newest first. Raises UnknownOutcome when they cannot be read, or are too many."""
        start = (
            min(since, clock.now() - timedelta(minutes=1))
            .astimezone(UTC)
            .isoformat(timespec="seconds")
            .replace("+00:00", "Z")
        )
        if start not in self._recent:
            try:
                self._recent[start] = self._listed(start)
            except UnknownOutcome:
                raise
            except PlatformError as error:
                raise UnknownOutcome(
                    f"X does not show the account's posts now. {error}",
                    status_code=error.status_code,
                    platform_message=error.platform_message,
                    rate=error.rate,
                ) from error
        return self._recent[start]

    def _listed(self, start: str) -> list[dict[str, Any]]:
        user = self.user_id()
        found: list[dict[str, Any]] = []
        params: dict[str, Any] = {
            "max_results": 100,
            "start_time": start,
            "exclude": "retweets",
            "tweet.fields": FIELDS,
        }
        for _ in range(MOST_PAGES):
            answer = self._read(f"/2/users/{user}/tweets", params)
            found += [post for post in _list(answer.get("data")) if isinstance(post, dict)]
            token = (answer.get("meta") or {}).get("next_token")
            if not token:
                return found
            params = {**params, "pagination_token": token}
        raise UnknownOutcome("The account has posted so much since then that the post cannot be told from the others.")

    def _read(self, route: str, params: dict[str, Any]) -> dict[str, Any]:
        """A list of posts with what `FIELDS` asks; by the newest names where the server does not know the usual ones."""
        newer = {name: value for name, value in params.items() if name != "tweet.fields"} | NEW_FIELDS
        try:
            answer = self._client.request("GET", route, params=params)
        except Rejected as error:
            if error.status_code != 400:
                raise
            return self._client.request("GET", route, params=newer)
        posts = _list(answer.get("data"))
        if posts and isinstance(posts[0], dict) and "created_at" not in posts[0]:
            return self._client.request("GET", route, params=newer)
        return answer

    def user_id(self) -> str:
        """The account's own number: stored at sign-in, in front of an OAuth 1.0a token, or asked for."""
        known = str(self._account.options.get("user_id") or "")
        head = self._account.credentials.get("access_token", "").partition("-")[0]
        if not known and self._account.credentials.get("access_token_secret") and head.isascii() and head.isdigit():
            known = head
        return known or str(self.me().get("id") or "")

    def me(self) -> dict[str, Any]:
        found = self._client.request("GET", "/2/users/me").get("data")
        if not isinstance(found, dict) or not found.get("id"):
            raise UnknownOutcome("X did not say whose sign-in this is.")
        return found

    # single posts

    def delete(self, remote_id: str) -> None:
        try:
            self._client.request("DELETE", f"/2/tweets/{remote_id}")
        except Rejected as error:
            if error.status_code != 404:
                raise

    def edit(self, state: State, remote_id: str) -> dict[str, Any]:
        """A new version, with an id of its own. One that says so already is left as it is."""
        newest = self._newest(remote_id)
        if newest and timeline.said(newest, str(state["first"].get("quote_tweet_id", ""))) == timeline.plain(
            state["parts"][0]
        ):
            return {**self._known(str(newest["id"])), "already": True}
        before = str(newest["id"]) if newest else remote_id
        state = {**state, "first": {**state["first"], "edit_options": {"previous_post_id": before}}}
        return self.send(state, 0)

    def _newest(self, remote_id: str) -> dict[str, Any] | None:
        """The latest version of a post, as far as X shows it."""
        fields = {"tweet.fields": f"{FIELDS},edit_controls"}
        data: Any = self._client.request("GET", f"/2/tweets/{remote_id}", params=fields).get("data")
        if not isinstance(data, dict):
            return None
        history = [str(item) for item in data.get("edit_history_tweet_ids") or data.get("edit_history_post_ids") or []]
        latest = max(history, key=int, default=remote_id) if all(item.isdigit() for item in history) else remote_id
        if latest == remote_id:
            return data
        newer: Any = self._client.request("GET", f"/2/tweets/{latest}", params=fields).get("data")
        return newer if isinstance(newer, dict) else data

    def metrics(self, ids: list[str]) -> list[dict[str, Any]]:
        params = {"ids": ",".join(ids), "tweet.fields": FIELDS}
        return [post for post in _list(self._read("/2/tweets", params).get("data")) if isinstance(post, dict)]

    def _known(self, post_id: str) -> dict[str, Any]:
        handle = self._account.handle.lstrip("@")
        whose = handle if 0 < len(handle) <= 15 and handle.isascii() and handle.replace("_", "a").isalnum() else "i/web"
        return {"id": post_id, "url": f"https://x.com/{whose}/status/{post_id}"}


def _media_id(answer: Mapping[str, Any]) -> str:
    data = answer.get("data")
    found = data.get("id") if isinstance(data, dict) else None
    if not found:
        raise Unavailable("X took a file but did not say under which id.")
    return str(found)


def _processing(answer: Mapping[str, Any]) -> float | None:
    """None: the file is ready. Else in how many seconds to ask again."""
    data = answer.get("data")
    told = data.get("processing_info") if isinstance(data, dict) else None
    info: dict[str, Any] = told if isinstance(told, dict) else {}
    state = info.get("state")
    if state in ("pending", "in_progress"):
        return max(1.0, float(info.get("check_after_secs") or 5))
    if state == "failed":
        error = info.get("error")
        said: dict[str, Any] = error if isinstance(error, dict) else {}
        raise Rejected(
            "X could not use the file.", platform_message=str(said.get("message") or said.get("name") or "failed")
        )
    return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
