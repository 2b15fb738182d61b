"""Approval: what waits, the verbs on one post, links for people from outside, and who has to look at what."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.core.events import Actor
from alwrity_scheduler.workspaces.models import User
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import PlatformAccount
from schedules.models import ReviewComment, ReviewLink, Schedule
from schedules.reads import reviews, runs
from schedules.services import approval as service
from schedules.services.materialise import rule_of
from schedules.web.context import shell_of
from schedules.web.forms import PolicyForm, ReviewForm, ReviewLinkForm
from schedules.web.gate import Visit, done, leave, next_url, refused, screen, show
from schedules.web.views.composer import WITH_PARTS
from schedules.web.views.detail import stored_cards

Verb = tuple[Callable[..., Any], Any]
# verb -> what is called and what is said
VERBS: dict[str, Verb] = {
    "submit": (service.submit, gettext_lazy("“%(name)s” waits for approval. The reviewers hear of it.")),
    "approve": (service.approve, gettext_lazy("Approved “%(name)s”.")),
    "request-changes": (service.request_changes, gettext_lazy("Sent “%(name)s” back with your comment.")),
    "withdraw": (service.withdraw, gettext_lazy("Took “%(name)s” back; nobody need look at it now.")),
    "comment": (service.comment, gettext_lazy("Added your comment.")),
}
OUTSIDE_VERBS = ("approve", "request-changes", "comment")


@screen(outside=True)
def review_board(request: HttpRequest, visit: Visit) -> HttpResponse:
    context = {
        "title": _("Review"),
        "board": reviews.board(visit.person, visit.workspace),
        "now": visit.now,
        "may_rule": visit.may(Action.ACCOUNTS),
        "is_outside": shell_of(request).is_outside,
        "any_rule": any(row.policy and row.policy.required for row in reviews.policies(visit.workspace)),
    }
    return show(request, "reviews/board.html", "reviews/partials/_board.html", context)


@screen(outside=True)
def review_page(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """One post under review, by its schedule, for whoever sees nothing else of the workspace."""
    return _review_page(request, visit, _find(visit, public_id), ReviewForm())


def _review_page(
    request: HttpRequest, visit: Visit, row: Schedule, form: ReviewForm, status: int = 200
) -> HttpResponse:
    schedule = Schedule.objects.select_related("workspace", "content").prefetch_related(*WITH_PARTS).get(pk=row.pk)
    desk = reviews.desk(schedule, visit.person, visit.now)
    context = {
        "title": str(schedule),
        "schedule": schedule,
        "review": desk.waiting or desk.last,
        "desk": desk,
        "form": form,
        "cards": stored_cards(schedule, visit.now),
        "comments": desk.comments,
        "words": runs.words_of(rule_of(schedule)),
        "coming": runs.next_runs(rule_of(schedule), now=visit.now, count=3),
        "open": desk.may_decide,
        "now": visit.now,
    }
    return show(request, "reviews/inside.html", "reviews/partials/_inside.html", context, status=status)


@screen("POST", outside=True)
def act(request: HttpRequest, visit: Visit, public_id: UUID, verb: str) -> HttpResponse:
    """One verb on one post. Whether this person may decide is the service's to say: reviewers need not have a role for it."""
    if verb not in VERBS:
        raise Http404
    schedule = _find(visit, public_id)
    if verb in ("submit", "withdraw"):
        visit.require(Action.WRITE, schedule.workspace)
    to = "web:review" if shell_of(request).is_outside else "web:schedule"
    back = next_url(request, reverse(to, args=[public_id]))
    call, words = VERBS[verb]
    name, text = str(schedule), request.POST.get("comment", "")
    given = {"text": text} if verb == "comment" else {} if verb == "withdraw" else {"comment": text}
    try:
        call(schedule=schedule, actor=visit.actor, now=visit.now, **given)
    except Refused as error:
        return refused(request, error, back)
    if verb == "approve":
        schedule.refresh_from_db()
        if schedule.state == "draft":
            words = _("Approved “%(name)s”, but its time has gone by: choose another and schedule it.")
    return done(request, str(words) % {"name": name}, back)


def _find(visit: Visit, public_id: UUID) -> Schedule:
    rows = Schedule.objects.visible_to(visit.person).select_related("workspace", "content")
    row: Schedule = get_object_or_404(rows, public_id=public_id)
    return row


@screen("POST")
def make_link(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    schedule = _find(visit, public_id)
    visit.require(Action.WRITE, schedule.workspace)
    back = reverse("web:schedule", args=[public_id])
    form = ReviewLinkForm(request.POST)
    if not form.is_valid():
        words = " ".join(f"{form.fields[name].label}: {' '.join(map(str, form.errors[name]))}" for name in form.errors)
        return done(request, words, back, level=40)
    data = form.cleaned_data
    try:
        link = service.make_link(
            schedule=schedule, label=data["label"], may_decide=data["may_decide"], life=timedelta(days=data["days"]),
            actor=visit.actor, now=visit.now,
        )  # fmt: skip
    except Refused as error:
        return refused(request, error, back)
    return done(request, _("Made a link for %(name)s. Copy it from the list.") % {"name": link.label}, back)


@screen("POST")
def revoke_link(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    rows = ReviewLink.objects.visible_to(visit.person).select_related(
        "review__schedule__workspace", "review__schedule__content"
    )
    link: ReviewLink = get_object_or_404(rows, public_id=public_id)
    visit.require(Action.WRITE, link.review.schedule.workspace)
    service.revoke_link(link=link, actor=visit.actor, now=visit.now)
    back = reverse("web:schedule", args=[link.review.schedule.public_id])
    return done(request, _("The link of %(name)s works no more.") % {"name": link.label}, back)


@screen("GET", "HEAD", "POST")
def policies(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Who has to look at what: the workspace's rule, and those of single accounts."""
    visit.require(Action.ACCOUNTS)
    people = list(
        User.objects.filter(memberships__workspace=visit.workspace, is_active=True)
        .exclude(memberships__workspace=visit.workspace, memberships__role="viewer")
        .order_by("username")
        .distinct()
    )
    bad: PolicyForm | None = None
    if request.method == "POST":
        form = PolicyForm(request.POST, people=people)
        if form.is_valid():
            try:
                return _set_policy(request, visit, form, people)
            except Refused as error:
                form.refuse(error.problems)
        bad = form
    rows = [(row, _policy_form(row, people)) for row in reviews.policies(visit.workspace)]
    if bad is not None:
        asked = str(bad.data.get("account") or "")
        rows = [
            (row, bad if str(row.account.public_id if row.account else "") == asked else form) for row, form in rows
        ]
    context = {"title": _("Rules of approval"), "rows": rows, "now": visit.now, "bad": bad}
    status = 422 if bad is not None else 200
    return show(request, "reviews/policies.html", "reviews/partials/_policies.html", context, status=status)


def _policy_form(row: reviews.PolicyRow, people: list[User]) -> PolicyForm:
    policy = row.policy
    initial: dict[str, Any] = {"account": row.account.public_id if row.account else None, "remind_after_hours": 24}
    if policy is not None:
        initial |= {
            "required": policy.required,
            "allow_own": policy.allow_own,
            "remind_after_hours": policy.remind_after_hours,
            "reviewers": [str(person.pk) for person in policy.reviewers.all()],
        }
    return PolicyForm(
        initial=initial, people=people, auto_id=f"id_{row.account.public_id if row.account else 'all'}_%s"
    )


def _set_policy(request: HttpRequest, visit: Visit, form: PolicyForm, people: list[User]) -> HttpResponse:
    data = form.cleaned_data
    account = None
    if data["account"]:
        rows = PlatformAccount.objects.visible_to(visit.person).filter(workspace=visit.workspace)
        account = get_object_or_404(rows, public_id=data["account"])
    back = reverse("web:review_policies")
    if account is not None and request.POST.get("action") == "follow":
        service.drop_policy(account=account, actor=visit.actor, now=visit.now)
        return leave(request, _("%(name)s follows the workspace's rule.") % {"name": account.name}, back)
    chosen = [person for person in people if str(person.pk) in data["reviewers"]]
    service.set_policy(
        workspace=visit.workspace, account=account, required=data["required"], allow_own=data["allow_own"], reviewers=chosen,
        remind_after_hours=data["remind_after_hours"], actor=visit.actor, now=visit.now,
    )  # fmt: skip
    return leave(
        request, _("Saved the rule of %(name)s.") % {"name": account.name if account else visit.workspace.name}, back
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def outside(request: HttpRequest, token: str) -> HttpResponse:
    """One post for somebody who is not signed in, as long as their link works. Shows nothing else of the workspace."""
    now = clock.now()
    link = service.link_of(token, now)
    if link is None:
        gone = {"title": _("This link does not work any more")}
        return _private(render(request, "reviews/gone.html", gone, status=404))
    schedule: Schedule = (
        Schedule.objects.select_related("workspace", "content")
        .prefetch_related(*WITH_PARTS)
        .get(pk=link.review.schedule_id)
    )
    form, said = ReviewForm(), ""
    if request.method == "POST":
        form = ReviewForm(request.POST)
        verb = request.POST.get("verb", "")
        if form.is_valid() and verb in OUTSIDE_VERBS:
            try:
                return _act_outside(schedule, link, verb, form, now, token)
            except Refused as error:
                form.refuse(error.problems)
                said = " ".join(problem.message for problem in error.problems)
    elif request.method == "GET":
        service.opened(link=link, now=now)
    context = {
        "title": str(schedule),
        "schedule": schedule,
        "review": link.review,
        "link": link,
        "form": form,
        "said": said,
        "cards": stored_cards(schedule, now),
        "comments": list(ReviewComment.objects.filter(schedule=schedule)[:200]),
        "words": runs.words_of(rule_of(schedule)),
        "coming": runs.next_runs(rule_of(schedule), now=now, count=3),
        "open": link.may_decide and link.review.state == "waiting",
        "now": now,
    }
    # who is not signed in reads times on the team's clocks, as the post's own are
    own = timezone.get_current_timezone() if request.user.is_authenticated else None
    with timezone.override(own or zoneinfo.ZoneInfo(schedule.workspace.timezone)):
        return _private(render(request, "reviews/outside.html", context, status=422 if said else 200))


def _act_outside(
    schedule: Schedule, link: ReviewLink, verb: str, form: ReviewForm, now: Any, token: str
) -> HttpResponseRedirect:
    who = Actor(kind="link", label=f"{link.label} (outside)", id=str(link.public_id))
    text = form.cleaned_data["comment"]
    if verb == "comment":
        service.comment(schedule=schedule, text=text, actor=who, now=now, link=link)
    else:
        call = service.approve if verb == "approve" else service.request_changes
        call(schedule=schedule, comment=text, actor=who, now=now, link=link)
    return HttpResponseRedirect(reverse("outside_review", args=[token]))


def _private(response: HttpResponse) -> HttpResponse:
    """The address is the key: it goes into no referrer and no search engine."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
