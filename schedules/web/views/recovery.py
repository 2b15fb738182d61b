"""The recovery desk: posts that need a person, what each button will do, and the same for many at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import PlatformAccount
from schedules.domain.recovery import Cause, Verb, bulk_effect
from schedules.models import AuditLog, Job
from schedules.querysets.jobs import JobQuerySet
from schedules.reads import recovery as desk
from schedules.services import jobs as job_service
from schedules.services import recovery
from schedules.web.forms import BulkForm, ConfirmForm, RecoveryFilter, RefusableForm, ReslotForm
from schedules.web.gate import Visit, done, next_url, refused, screen, show

PER_PAGE = 25
REASONS_SHOWN = 3


class _Counted(Paginator[Job]):
    """Pages of a list whose length is known already."""

    def __init__(self, rows: Any, number: int) -> None:
        super().__init__(rows, PER_PAGE)
        self._number = number

    @cached_property
    def count(self) -> int:
        return self._number


@dataclass(frozen=True, slots=True)
class Wish:
    """What of the desk is looked at: the query of its address, and what that means."""

    query: QueryDict
    cause: str
    account: str
    words: str

    @property
    def address(self) -> str:
        return reverse("web:recovery") + (f"?{self.query.urlencode()}" if self.query else "")

    @property
    def filtered(self) -> bool:
        return bool(self.account or self.words)

    def of(self, jobs: JobQuerySet[Job]) -> JobQuerySet[Job]:
        return desk.on_desk(jobs, cause=self.cause, account=self.account, words=self.words)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A form that was not accepted: that of one post's verb, or (`job` is None) the one for many."""

    form: RefusableForm
    job: UUID | None = None
    verb: str = ""


@screen()
def recovery_desk(request: HttpRequest, visit: Visit) -> HttpResponse:
    return _show(request, visit, request.GET)


def _accounts(visit: Visit) -> list[PlatformAccount]:
    return list(PlatformAccount.objects.within(visit.workspace).order_by("platform", "name", "id"))


def _wish(query: QueryDict, form: RecoveryFilter) -> Wish:
    wanted = form.wanted()
    return Wish(query, wanted["cause"], wanted["account"], wanted["q"])


def _show(request: HttpRequest, visit: Visit, query: QueryDict, refusal: Refusal | None = None) -> HttpResponse:
    form = RecoveryFilter(query, accounts=_accounts(visit))
    wish = _wish(query, form)
    mine = Job.objects.within(visit.workspace)
    of_all = Wish(query, "", wish.account, wish.words).of(mine)
    counts = desk.counts(of_all)
    total = sum(counts.values())
    number = counts[Cause(wish.cause)] if wish.cause else total
    found = desk.with_cases(wish.of(mine)).order_by("-run_at", "-id")
    page = _Counted(found, number).get_page(query.get("page"))
    needing = total if not wish.filtered else mine.needing_a_person().count()
    context = {
        "title": _("Recovery desk (%(n)d)") % {"n": needing} if needing else _("Recovery desk"),
        "form": form,
        "wish": wish,
        "query": query,
        "chips": [(cause, number) for cause, number in counts.items()],
        "total": total,
        "needing": needing,
        "page": page,
        "rows": desk.rows(page),
        "now": visit.now,
        "may_operate": visit.may(Action.OPERATE),
        "bulk": refusal.form if refusal and refusal.job is None else BulkForm(),
        "effects": {verb.value.replace("-", "_"): bulk_effect(verb) for verb in _BULK},
        "most": recovery.MOST_AT_ONCE,
        "refusal": refusal,
        "picked": _picked(refusal),
    }
    status = 422 if refusal else 200
    return show(request, "schedules/recovery.html", "schedules/partials/_recovery.html", context, status=status)


def _picked(refusal: Refusal | None) -> list[str]:
    """The ticks of a refused form, so that nobody ticks twice."""
    given = refusal.form.cleaned_data.get("job") if refusal and refusal.job is None else None
    return [str(one) for one in given or ()]


def _back(request: HttpRequest) -> QueryDict:
    """The query of the desk's address from which the form came."""
    wanted = urlsplit(request.POST.get("next", ""))
    return QueryDict(wanted.query if wanted.path == reverse("web:recovery") else "")


# ---- one post

Call = Callable[..., Job]
VERBS: dict[Verb, tuple[Call, Any]] = {
    Verb.RETRY: (job_service.retry, gettext_lazy("“%(name)s” on %(account)s is tried again at once.")),
    Verb.PUBLISH_NOW: (recovery.publish_now, gettext_lazy("“%(name)s” goes out on %(account)s now.")),
    Verb.PUBLISH_AGAIN: (job_service.publish_again, gettext_lazy("“%(name)s” is published on %(account)s again.")),
    Verb.LOOK_AGAIN: (recovery.look_again, gettext_lazy("%(account)s is asked again about “%(name)s”.")),
    Verb.DISCARD: (recovery.discard, gettext_lazy("Discarded “%(name)s” on %(account)s.")),
    Verb.RESLOT: (recovery.reslot, gettext_lazy("“%(name)s” goes out on %(account)s at its new time.")),
    Verb.CONFIRM: (job_service.confirm, gettext_lazy("Marked “%(name)s” on %(account)s as published.")),
}
FORMS: dict[Verb, type[RefusableForm]] = {Verb.RESLOT: ReslotForm, Verb.CONFIRM: ConfirmForm}
NOT_UNDOABLE = (Verb.LOOK_AGAIN, Verb.CONFIRM)


@screen("POST")
def act(request: HttpRequest, visit: Visit, public_id: UUID, verb: str) -> HttpResponse:
    """One verb on one post; then the desk again, as it was narrowed."""
    if verb not in list(VERBS):
        raise Http404
    wanted, query = Verb(verb), _back(request)
    job: Job = get_object_or_404(Job.objects.visible_to(visit.person).with_names(), public_id=public_id)
    visit.require(Action.OPERATE, job.workspace)
    form = FORMS[wanted](request.POST) if wanted in FORMS else None
    if form and not form.is_valid():
        return _show(request, visit, query, Refusal(form, public_id, verb))
    call, words = VERBS[wanted]
    try:
        call(job=job, actor=visit.actor, now=visit.now, **_values(form, job, visit.now))
    except Refused as error:
        if form is None:
            return refused(request, error, _address(query))
        form.refuse(error.problems)
        return _show(request, visit, query, Refusal(form, public_id, verb))
    undo = "" if wanted in NOT_UNDOABLE else reverse("web:recovery_undo", args=[public_id])
    return done(request, str(words) % {"name": job.schedule, "account": job.account.name}, _address(query), undo=undo)


def _values(form: RefusableForm | None, job: Job, now: datetime) -> dict[str, Any]:
    """What the verb's form says, as the service takes it. A new time is of the schedule's own zone."""
    if form is None:
        return {}
    given = form.cleaned_data
    if isinstance(form, ConfirmForm):
        return {"remote_url": given["remote_url"]}
    at = recovery.slot(to_local=given["at"], timezone=job.schedule.timezone, now=now)
    return {"at": at, "seen_absent": given["seen_absent"]}


def _address(query: QueryDict) -> str:
    return reverse("web:recovery") + (f"?{query.urlencode()}" if query else "")


@screen("POST")
def undo(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    job: Job = get_object_or_404(Job.objects.visible_to(visit.person).with_names(), public_id=public_id)
    visit.require(Action.OPERATE, job.workspace)
    back = next_url(request, reverse("web:recovery"))
    try:
        recovery.undo(job=job, actor=visit.actor, now=visit.now)
    except Refused as error:
        return refused(request, error, back)
    return done(request, _("“%(name)s” is as it was before.") % {"name": job.schedule}, back)


# ---- many posts

_BULK: dict[Verb, Any] = {
    Verb.RETRY: gettext_lazy("tried again at once"),
    Verb.PUBLISH_NOW: gettext_lazy("going out now"),
    Verb.RESLOT: gettext_lazy("given new times"),
    Verb.LOOK_AGAIN: gettext_lazy("being looked up"),
    Verb.PUBLISH_AGAIN: gettext_lazy("published again"),
    Verb.DISCARD: gettext_lazy("discarded"),
}


@screen("POST")
def act_on_many(request: HttpRequest, visit: Visit) -> HttpResponse:
    """One verb on the ticked posts, or on all that match."""
    visit.require(Action.OPERATE)
    query = _back(request)
    form = BulkForm(request.POST)
    if not form.is_valid():
        return _show(request, visit, query, Refusal(form))
    mine = Job.objects.within(visit.workspace)
    if request.POST.get("all"):
        chosen = _wish(query, RecoveryFilter(query, accounts=_accounts(visit))).of(mine)
    else:
        chosen = mine.needing_a_person().filter(public_id__in=form.cleaned_data["job"])
    newest = AuditLog.objects.visible_to(visit.person).values_list("pk", flat=True).order_by("-pk").first() or 0
    try:
        result = recovery.many(order=form.order(visit.now), chosen=chosen, actor=visit.actor, now=visit.now)
    except Refused as error:
        form.refuse(error.problems)
        return _show(request, visit, query, Refusal(form))
    undo = ""
    if result.done_count and result.verb is not Verb.LOOK_AGAIN:
        undo = reverse("web:recovery_undo_many", args=[visit.actor.request_id, newest])
    return done(request, _said(result), _address(query), undo=undo, level=_level(result))


def _level(result: recovery.Result) -> int:
    return messages.SUCCESS if result.done_count == result.matched_count else messages.WARNING


def _said(result: recovery.Result) -> str:
    """How many of how many, and why not the others, the commonest reason first."""
    counted = ngettext(
        "%(done)d of %(all)d post %(what)s.", "%(done)d of %(all)d posts %(what)s.", result.matched_count
    )
    said = [counted % {"done": result.done_count, "all": result.matched_count, "what": _BULK[result.verb]}]
    said += _reasons(result)
    if result.left_count:
        said.append(_("%(n)d more were too many for one go: do it again for them.") % {"n": result.left_count})
    return " ".join(said)


def _reasons(result: recovery.Result) -> list[str]:
    why = Counter(item.problems[0].message for item in result.outcomes if not item.done)
    shown = [f"{number} ×: {words}" for words, number in why.most_common(REASONS_SHOWN)]
    rest = len(why) - REASONS_SHOWN
    return [*shown, _("And %(n)d other reasons.") % {"n": rest}] if rest > 0 else shown


@screen("POST")
def undo_many(request: HttpRequest, visit: Visit, request_id: str, after: int) -> HttpResponse:
    """Take back what one request of this person did to many posts: its facts stand behind `after` in the history."""
    visit.require(Action.OPERATE)
    back = next_url(request, reverse("web:recovery"))
    facts = AuditLog.objects.visible_to(visit.person).filter(
        workspace_ref=visit.workspace.pk,
        pk__gt=after,
        request_id=request_id,
        actor_id=visit.actor.id,
        object_type="job",
    )
    ids = list(facts.order_by("pk").values_list("object_id", flat=True)[: recovery.MOST_AT_ONCE])
    chosen = Job.objects.within(visit.workspace).filter(public_id__in=ids)
    result = recovery.undo_many(chosen=chosen, actor=visit.actor, now=visit.now)
    if not result.outcomes:
        nothing = Problem(field="state", message=_("There is nothing to undo."))
        return refused(request, Refused(nothing), back)
    words = ngettext(
        "%(done)d of %(all)d post is as it was before.", "%(done)d of %(all)d posts are as they were before.", result.matched_count
    )  # fmt: skip
    said = [words % {"done": result.done_count, "all": result.matched_count}, *_reasons(result)]
    return done(request, " ".join(said), back, level=_level(result))
