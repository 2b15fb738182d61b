"""The pages of the practice network: whoever may see an account may see its feed."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.errors import NotAllowed, Refused
from alwrity_scheduler.workspaces.access import actor_of, can, require
from alwrity_scheduler.workspaces.middleware import current_workspace
from alwrity_scheduler.workspaces.roles import Action
from platforms.adapters.sandbox import network, reads
from platforms.adapters.sandbox.forms import CommentForm, FaultForm
from platforms.adapters.sandbox.models import SandboxPost
from platforms.models import PlatformAccount
from platforms.services import accounts

PAGE = 20


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The workspace's sandbox accounts and what was posted last."""
    workspace = current_workspace(request)
    mine = (
        PlatformAccount.objects.visible_to(request.user)
        .filter(platform="sandbox", workspace=workspace)
        .order_by("name", "id")
    )
    posts = _posts(request).filter(account__workspace=workspace)[:PAGE]
    return render(
        request,
        "sandbox/index.html",
        {"title": "Sandbox", "accounts": mine.defer("credentials"), "cards": reads.cards(posts)},
    )


@login_required
@require_safe
def feed(request: HttpRequest, handle: str) -> HttpResponse:
    """One account's posts, newest first, and its fault switches for those who may use them."""
    account = _account(request, handle)
    return _feed(request, account, _fault_form(account))


@login_required
@require_POST
def faults(request: HttpRequest, handle: str) -> HttpResponse:
    """Switch faults on or off."""
    account = _account(request, handle)
    _need(request, Action.ACCOUNTS, account)
    form = FaultForm(request.POST)
    if not form.is_valid():
        return _feed(request, account, form, status=422)
    try:
        accounts.update_settings(
            account=account,
            changes={"options": {**account.options, **form.options()}},
            version=form.cleaned_data["version"],
            actor=actor_of(request),
            now=clock.now(),
        )
    except Refused as error:
        for problem in error.problems:
            form.add_error(problem.field if problem.field in form.fields else None, problem.message)
        return _feed(request, account, form, status=error.status)
    return redirect("sandbox:feed", handle=account.handle)


@login_required
@require_safe
def post_page(request: HttpRequest, handle: str, remote_id: str) -> HttpResponse:
    """One post. An address with an earlier handle leads to the present one."""
    post = _post(request, remote_id)
    if post.account.handle != handle:
        return redirect("sandbox:post", handle=post.account.handle, remote_id=remote_id)
    return _card_page(request, post, CommentForm())


@login_required
@require_POST
def like(request: HttpRequest, handle: str, remote_id: str) -> HttpResponse:
    """Simulate one like."""
    post = _post(request, remote_id)
    _need(request, Action.WRITE, post.account)
    network.like(post)
    return _answer(request, post)


@login_required
@require_POST
def comment(request: HttpRequest, handle: str, remote_id: str) -> HttpResponse:
    """Simulate one comment."""
    post = _post(request, remote_id)
    _need(request, Action.WRITE, post.account)
    form = CommentForm(request.POST)
    if not form.is_valid():
        return _card_page(request, post, form, status=422)
    network.comment(post, author=str(actor_of(request).label), text=form.cleaned_data["text"], now=clock.now())
    return _answer(request, post)


def _posts(request: HttpRequest) -> Any:
    return SandboxPost.objects.visible_to(request.user).shown().select_related("account").order_by("-posted_at", "-id")


def _post(request: HttpRequest, remote_id: str) -> SandboxPost:
    post: SandboxPost = get_object_or_404(_posts(request), remote_id=remote_id)
    return post


def _account(request: HttpRequest, handle: str) -> PlatformAccount:
    """The account of this handle, the current workspace's first: two workspaces may use the same handle."""
    visible = PlatformAccount.objects.visible_to(request.user).by_handle("sandbox", handle).select_related("workspace")
    workspace = current_workspace(request)
    return visible.filter(workspace=workspace).first() or get_object_or_404(visible.order_by("id")[:1])


def _need(request: HttpRequest, action: Action, account: PlatformAccount) -> None:
    try:
        require(request.user, action, account.workspace)
    except NotAllowed as error:
        raise PermissionDenied(error.problems[0].message) from None


def _fault_form(account: PlatformAccount) -> FaultForm:
    options = {name: account.options[name] for name in FaultForm.base_fields if name in account.options}
    return FaultForm(initial={**options, "version": account.version})


def _feed(request: HttpRequest, account: PlatformAccount, form: FaultForm, *, status: int = 200) -> HttpResponse:
    page = Paginator(_posts(request).filter(account=account), PAGE).get_page(request.GET.get("page"))
    context = {
        "title": account.name,
        "account": account,
        "page": page,
        "cards": reads.cards(page.object_list),
        "form": form if can(request.user, Action.ACCOUNTS, account.workspace) else None,
    }
    return render(request, "sandbox/feed.html", context, status=status)


def _is_fragment(request: HttpRequest) -> bool:
    htmx = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.history_restore_request


def _card_page(request: HttpRequest, post: SandboxPost, form: CommentForm, *, status: int = 200) -> HttpResponse:
    context = {
        "title": post.title or "Post",
        "card": reads.cards([post])[0],
        "form": form,
        "may_react": can(request.user, Action.WRITE, post.account.workspace),
    }
    template = "sandbox/partials/_reactions.html" if _is_fragment(request) else "sandbox/post.html"
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _answer(request: HttpRequest, post: SandboxPost) -> HttpResponse:
    if _is_fragment(request):
        return _card_page(request, post, CommentForm())
    return redirect("sandbox:post", handle=post.account.handle, remote_id=post.remote_id)
