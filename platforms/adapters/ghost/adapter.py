"""Ghost: posts and newsletters by its Admin API. README.md says more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.addresses import Allowed
from platforms.adapters.ghost import answers, content
from platforms.adapters.ghost.site import FIELDS, KEY, Site, cannot_tell
from platforms.base import FieldSpec, SettingsProblem
from platforms.contracts import (
    Accepted,
    AccountHealth,
    AccountRef,
    Capabilities,
    MediaRule,
    Metrics,
    Publication,
    Published,
    TextRule,
    TypeRule,
)
from platforms.errors import PlatformError, Rejected, UnknownOutcome
from platforms.problems import ContentLike, ContentProblem, error, warning
from platforms.validation import is_http_url

LONGEST_TITLE = 255
LONGEST_EXCERPT = 300
MOST_MISSES = 12
IDS_AT_ONCE = 20
_MEDIA = {
    "image": MediaRule(mimes=frozenset({"image/jpeg", "image/png", "image/webp"})),
    "gif": MediaRule(mimes=frozenset({"image/gif"})),
    "video": MediaRule(mimes=frozenset({"video/mp4"})),
    "audio": MediaRule(mimes=frozenset({"audio/mp4"})),
    "document": MediaRule(mimes=frozenset({"application/pdf"})),
}


class GhostAdapter:
    key: str = "ghost"
    label: str = "Ghost"
    description: str = "Posts on a Ghost site, and as its newsletter."
    credential_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="admin_api_key",
            label="Admin API key",
            help="Make a custom integration under <site>/ghost/#/settings/integrations and copy its Admin API key.",
            required=True,
            secret=True,
        ),
    )
    option_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="site_url",
            label="Address",
            help="The API URL that the integration shows: where /ghost/ opens.",
            required=True,
            kind="url",
        ),
        FieldSpec(
            name="default_status",
            label="State of new posts",
            help="Where a post does not say it.",
            kind="choice",
            choices=content.STATUSES,
            default="published",
        ),
        FieldSpec(name="default_tags", label="Tags", help="Where a post names none. Names, separated by commas."),
    )
    post_fields: tuple[FieldSpec, ...] = content.POST_FIELDS

    def capabilities(self, account: AccountRef) -> Capabilities:
        return Capabilities(
            content_types=frozenset({"post", "article", "newsletter", "image", "carousel", "video"}),
            media_mimes=frozenset().union(*(rule.mimes for rule in _MEDIA.values())),
            max_media=50,
            can_find=True,
            replays=False,
            consistency_delay_seconds=5.0,
            max_title=LONGEST_TITLE,
            title_required=True,
            title=TextRule(max=LONGEST_TITLE),
            media=_MEDIA,  # type: ignore[arg-type]
            types={
                "image": TypeRule(min_media=1, kinds=frozenset({"image", "gif"}), title_required=True),
                "carousel": TypeRule(min_media=2, kinds=frozenset({"image", "gif"}), title_required=True),
                "video": TypeRule(min_media=1, title_required=True),
            },
            link_in_text=True,
        )

    def check_settings(self, options: Mapping[str, Any], credentials: Mapping[str, str]) -> list[SettingsProblem]:
        problems: list[SettingsProblem] = []
        url = str(options.get("site_url") or "")
        parts = urlsplit(url) if is_http_url(url) else None
        if parts is None:
            problems.append(("site_url", "Write the whole address, like https://blog.example.com."))
        elif parts.username or parts.query or "/ghost" in parts.path:
            problems.append(("site_url", "Write the address alone, up to the part before /ghost/."))
        elif parts.scheme == "http" and not _is_named(parts.hostname or ""):
            words = "Write https://. In a private network, name the host in OUTBOUND_ALLOW."
            problems.append(("site_url", words))
        if KEY.fullmatch(str(credentials.get("admin_api_key") or "").strip()) is None:
            problems.append(("admin_api_key", "Copy the Admin API key whole: 24 letters, a colon and 64 letters."))
        return problems

    def check(self, content_: ContentLike, account: AccountRef) -> Sequence[ContentProblem]:
        return list(_problems(content_))

    def service_of(self, account: AccountRef) -> str:
        return urlsplit(str(account.options.get("site_url") or "")).netloc.rsplit("@", 1)[-1].lower()

    def publish(self, publication: Publication, *, timeout: float) -> Published | Accepted:
        """Look first: Ghost has no key of its own, and would make a second post with the slug `<slug>-2`. A newsletter is made as a
        draft and sent by the step after it, because Ghost mails only when a post that is there becomes published."""
        site = Site(publication.account, timeout)
        slug, tag = content.slug_of(publication), content.tag_of(publication.key)
        there = site.post_with(slug, tag)
        if there is not None:
            return _found(there, publication)
        addresses = [site.uploaded(item) for item in publication.media]
        row = content.row_of(publication, addresses)
        name, _, email_only = content.newsletter_of(publication)
        row |= {"slug": slug, "status": "draft" if name or content.is_draft(publication) else "published"}
        if email_only:
            row["email_only"] = True
        made = site.send("POST", "posts/", row, source="html")
        if not name:
            return _first(site, made, slug, tag)
        return _mailed(site, made, _state(made, publication))

    def find(self, publication: Publication, *, timeout: float) -> Published | Accepted | None:
        site = Site(publication.account, timeout)
        try:
            row = site.post_with(content.slug_of(publication), content.tag_of(publication.key))
        except PlatformError as problem:
            raise cannot_tell(problem) from problem
        return None if row is None else _found(row, publication)

    def poll(self, account: AccountRef, remote_state: Mapping[str, Any], *, timeout: float) -> Published | Accepted:
        """The post is there as a draft; publishing it is what sends the mail. Look first, because that may have happened."""
        site = Site(account, timeout)
        try:
            row = site.post(str(remote_state["id"]))
        except PlatformError as problem:
            return _missed(remote_state, problem)
        if row is None:
            raise Rejected("Somebody deleted the draft before it was sent.")
        if row.get("status") in answers.OUT:
            return answers.published(row)
        return _mailed(site, row, remote_state)

    def edit(self, publication: Publication, remote_id: str, *, timeout: float) -> Published:
        """Everything but the address and the state. Ghost wants to be told which version is changed: when somebody was faster, the
        newest is taken, once."""
        site = Site(publication.account, timeout)
        addresses = [site.uploaded(item) for item in publication.media]
        row = content.row_of(publication, addresses)
        for is_last in (False, True):
            there = site.post(_checked(remote_id))
            if there is None:
                raise Rejected("The post is not there any more.", status_code=404)
            try:
                made = site.send("PUT", f"posts/{remote_id}/", row | {"updated_at": there["updated_at"]}, source="html")
            except Rejected as problem:
                if problem.status_code != 409 or is_last:
                    raise
            else:
                return answers.published(made)
        raise AssertionError  # the second turn returned or raised

    def delete(self, account: AccountRef, remote_id: str, *, timeout: float) -> None:
        site = Site(account, timeout)
        answer = site.request("DELETE", f"posts/{_checked(remote_id)}/")
        if answer.status >= 300 and not (answer.status == 404 and answers.first_error(answer)):
            raise answers.error_of(answer, clock.now(), sending=True)

    def metrics(self, account: AccountRef, remote_ids: Sequence[str], *, timeout: float) -> Sequence[Metrics]:
        """Figures of the mail (recipients, opens), clicks and positive feedback; without a mail only the latter two."""
        asked = [remote_id for remote_id in remote_ids[:100] if _is_id(remote_id)]
        site, found = Site(account, timeout), []
        for start in range(0, len(asked), IDS_AT_ONCE):
            wanted = {
                "filter": f"id:[{','.join(asked[start : start + IDS_AT_ONCE])}]",
                "include": "email,count.clicks,count.positive_feedback",
                "formats": "plaintext",  # the shortest of the forms that the whole text comes in
                "limit": IDS_AT_ONCE,
            }
            rows = answers.posts_of(site.ask("GET", "posts/", params=wanted)) or []
            found += [Metrics(remote_id=row["id"], values=_values(row)) for row in rows if row["id"] in asked]
        return found

    def verify(self, account: AccountRef, *, timeout: float) -> AccountHealth:
        """One look at the posts, which needs the key; the site's name needs none."""
        site = Site(account, timeout)
        try:
            site.ask("GET", "posts/", params={"limit": 1, "fields": "id"})
        except PlatformError as problem:
            return AccountHealth(ok=False, message=problem.message_for_people)
        try:
            data = site.ask("GET", "site/").json()
        except PlatformError:
            data = None
        about = data.get("site") if isinstance(data, dict) else None
        title = str(about.get("title") or "") if isinstance(about, dict) else ""
        name = title or self.service_of(account)
        return AccountHealth(ok=True, message=f"Ghost knows the key for {name}.", identity=name)


ADAPTER = GhostAdapter()


def _state(row: Mapping[str, Any], publication: Publication) -> dict[str, Any]:
    """All that the step after the draft needs."""
    name, segment, _ = content.newsletter_of(publication)
    return {"id": row["id"], "newsletter": name, "segment": segment}


def _found(row: Mapping[str, Any], publication: Publication) -> Published | Accepted:
    """A post that an earlier call has left: finished, or a draft whose mail is still to be sent."""
    if row.get("status") == "draft" and content.newsletter_of(publication)[0]:
        return Accepted(remote_state=_state(row, publication), poll_after_seconds=1.0)
    return answers.published(row, already=True)


def _mailed(site: Site, row: Mapping[str, Any], state: Mapping[str, Any]) -> Published | Accepted:
    """Publish the draft, which sends the mail. Whatever is in doubt is looked up by the next poll: doing it twice sends once, as
    Ghost mails only what becomes published, and refuses a change of a version that is not the newest."""
    change = {"status": "published", "updated_at": row["updated_at"]}
    options = {"newsletter": str(state["newsletter"]), "email_segment": str(state["segment"])}
    try:
        return answers.published(site.send("PUT", f"posts/{row['id']}/", change, **options))
    except Rejected as problem:
        if problem.status_code == 409:
            return _missed(state, problem)
        raise Rejected(
            f"{problem} The draft is there: {row.get('url') or row['id']}.",
            status_code=problem.status_code,
            platform_message=problem.platform_message,
        ) from problem
    except PlatformError as problem:
        return _missed(state, problem)


def _missed(state: Mapping[str, Any], problem: PlatformError) -> Accepted:
    """Ask again, each time later; after 12 misses in a row nobody can tell."""
    misses = int(state.get("misses") or 0) + 1
    if misses >= MOST_MISSES:
        raise UnknownOutcome(
            f"The draft is there, and Ghost did not say {misses} times whether it was sent. {problem}",
            status_code=problem.status_code,
            platform_message=problem.platform_message,
        )
    pause = min(5.0 * 2 ** (misses - 1), 600.0)
    wait = problem.retry_after_seconds or 0.0
    return Accepted(
        remote_state={**state, "misses": misses},
        poll_after_seconds=max(pause, wait),
        response={"missed": str(problem)},
    )


def _first(site: Site, row: Mapping[str, Any], slug: str, tag: str) -> Published:
    """The post just made, unless an earlier request of the same key was slower than we thought and made one as well: then ours has
    another slug, goes again, and the earlier one counts."""
    if row.get("slug") == slug:
        return answers.published(row)
    try:
        wanted = {"filter": f"slug:{slug}", "fields": FIELDS, "limit": 1}
        found = answers.posts_of(site.ask("GET", "posts/", params=wanted))
        if found and found[0]["id"] != row["id"]:
            if site.request("DELETE", f"posts/{row['id']}/").status < 300:
                return answers.published(found[0], already=True)
            words = f"An earlier request of this post arrived after all: look for a second one with the tag #{tag}."
            return answers.published(row, notes=(words,))
    except PlatformError:
        pass  # the slug may be another for other reasons
    return answers.published(row)


def _values(row: Mapping[str, Any]) -> dict[str, int]:
    mail = row.get("email") if isinstance(row.get("email"), dict) else {}
    count = row.get("count") if isinstance(row.get("count"), dict) else {}
    told = {
        "recipients": (mail or {}).get("email_count"),
        "opens": (mail or {}).get("opened_count"),
        "clicks": (count or {}).get("clicks"),
        "likes": (count or {}).get("positive_feedback"),
    }
    return {name: value for name, value in told.items() if isinstance(value, int) and not isinstance(value, bool)}


def _is_named(host: str) -> bool:
    """A host of a private network that the operator has named."""
    allowed = Allowed.of(settings.OUTBOUND_ALLOW)
    return allowed.is_allowed(host, host) and not Allowed.of(()).is_allowed(host, host)


def _is_id(remote_id: str) -> bool:
    return len(remote_id) == 24 and remote_id.isalnum() and remote_id.isascii()


def _checked(remote_id: str) -> str:
    if not _is_id(remote_id):
        raise Rejected(f"{remote_id!r} is not the id of a Ghost post.")
    return remote_id


def _problems(content_: ContentLike) -> list[ContentProblem]:
    found, options = [], content_.options
    excerpt = str(options.get("excerpt") or "")
    if len(excerpt) > LONGEST_EXCERPT:
        words = f"The excerpt has {len(excerpt)} characters; Ghost takes {LONGEST_EXCERPT}."
        found.append(error("excerpt_too_long", "options.excerpt", words, "Shorten it."))
    if options.get("canonical_url") and not is_http_url(str(options["canonical_url"])):
        words = "The canonical address is not a web address."
        found.append(error("canonical_url", "options.canonical_url", words, "Write it in full, or leave it empty."))
    featured = options.get("featured_image")
    try:
        number = 0.0 if featured in (None, "") else float(featured)
    except (TypeError, ValueError):
        number = -1
    if number != int(number) or not 0 <= number <= max(len(content_.media), 1):
        words = "The feature image is the number of one of the post's files, or 0."
        found.append(error("featured_image", "options.featured_image", words, "Choose 0 or the number of an image."))
    elif 0 < number <= len(content_.media) or (featured in (None, "") and content_.media):
        alt = content_.media[max(int(number) - 1, 0)].alt
        if len(alt) > content.LONGEST_ALT:
            words = f"Ghost keeps {content.LONGEST_ALT} characters of a feature image's alternative text; it has {len(alt)}."
            found.append(warning("alt_too_long", "media", words, "Shorten it; the rest is left out."))
    if options.get("email_only") is True and not str(options.get("newsletter") or "").strip():
        words = "“By mail only” needs a newsletter."
        found.append(error("newsletter_missing", "options.newsletter", words, "Name one of the site's newsletters."))
    if content_.content_type == "newsletter" and not str(options.get("newsletter") or "").strip():
        words = "A newsletter needs the slug of one of the site's newsletters."
        found.append(error("newsletter_missing", "options.newsletter", words, "Write it, like default-newsletter."))
    return found
