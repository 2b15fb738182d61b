"""The media library: a page of files, one file, its folders, uploads; and the picker that the composer shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import MediaAsset, MediaFolder
from platforms.services import fetching, folders
from platforms.services import media as media_service
from schedules.reads import media as reads
from schedules.web.gate import Visit, done, leave, next_url, refused, screen, show
from schedules.web.media_forms import AssetForm, FolderForm, LibraryFilter

PER_PAGE = 48
MOST_AT_ONCE = 200


def _words(error: Refused) -> str:
    return " ".join(problem.message for problem in error.problems)


@screen()
def library(request: HttpRequest, visit: Visit) -> HttpResponse:
    rows = reads.folders_of(visit.workspace)
    form = LibraryFilter(request.GET, folders=rows)
    wanted = form.wanted()
    found: Any = MediaAsset.objects.filter(workspace=visit.workspace)
    page = Paginator(_narrowed(found, wanted), PER_PAGE).get_page(request.GET.get("page"))
    here = next((row for row in rows if str(row.folder.public_id) == wanted["folder"]), None)
    context = {
        "title": _("Media"),
        "form": form,
        "page": page,
        "folders": rows,
        "here": here,
        "wanted": wanted,
        "filtered": any(value for name, value in wanted.items() if name != "sort"),
        "narrowed": any(wanted[name] for name in ("q", "kind", "show")),
        "back": request.get_full_path(),
        **_folder_forms(rows, here),
    }
    return show(request, "media/library.html", "media/partials/_library.html", context)


def _narrowed(rows: Any, wanted: dict[str, str]) -> QuerySet[Any]:
    if wanted["q"]:
        rows = rows.about(wanted["q"])
    if wanted["kind"]:
        rows = rows.filter(kind=wanted["kind"])
    if wanted["folder"]:
        rows = (
            rows.filter(folder=None) if wanted["folder"] == "none" else rows.filter(folder__public_id=wanted["folder"])
        )
    if wanted["show"] == "no_alt":
        rows = rows.without_alt()
    rows = rows.annotate(used=reads.used())
    if wanted["show"] == "unused":
        rows = rows.filter(used=False)
    ordered: QuerySet[Any] = rows.select_related("folder").order_by(*reads.SORTS[wanted["sort"]])
    return ordered


def _folder_forms(rows: list[reads.FolderRow], here: reads.FolderRow | None) -> dict[str, Any]:
    inside = str(here.folder.public_id) if here and here.depth == 0 else ""
    made: dict[str, Any] = {"new_folder": FolderForm(folders=rows, auto_id="nf_%s", initial={"parent": inside})}
    if here is not None:
        parent = here.folder.parent
        initial = {"name": here.folder.name, "parent": str(parent.public_id) if parent else ""}
        others = [row for row in rows if row.folder.pk != here.folder.pk]
        made["folder_form"] = FolderForm(folders=others, auto_id="ef_%s", initial=initial)
        made["has_inside"] = any(row.folder.parent_id == here.folder.pk for row in rows)
    return made


@screen("POST")
def add(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Files of a form, or one address. The page's script sends one file a request and asks for JSON; without it all come in one."""
    visit.require(Action.WRITE)
    back = next_url(request, reverse("web:media"))
    url, place = request.POST.get("url", "").strip(), _place(visit, request)
    jobs: list[tuple[str, Callable[[], MediaAsset]]] = [
        (file.name or "file", _storing(file, place)) for file in request.FILES.getlist("files")
    ]
    if url:
        jobs.append((url, lambda: fetching.store_from_url(url=url, **place)))
    kept, problems = _each(jobs)
    if request.headers.get("Accept") == "application/json":
        status = 422 if problems or not kept else 200
        return JsonResponse({"kept": [row.original_name for row in kept], "problems": problems}, status=status)
    if not jobs:
        problems = [_("Choose a file, or paste an address first.")]
    for words in problems if kept else problems[1:]:
        messages.add_message(request, messages.ERROR, words)
    if not kept:
        return done(request, problems[0], back, level=messages.ERROR)
    words = ngettext("Added %(n)d file.", "Added %(n)d files.", len(kept)) % {"n": len(kept)}
    return done(request, words, back)


def _place(visit: Visit, request: HttpRequest) -> dict[str, Any]:
    wanted = request.POST.get("folder", "")
    folder = _folder(visit, wanted) if wanted and wanted != "none" else None
    return {
        "workspace": visit.workspace, "folder": folder, "created_by": visit.person, "actor": visit.actor, "now": visit.now,
    }  # fmt: skip


def _storing(file: Any, place: dict[str, Any]) -> Callable[[], MediaAsset]:
    return lambda: media_service.store_upload(file=file, name=file.name or "file", **place)


def _each(jobs: Iterable[tuple[str, Callable[[], MediaAsset]]]) -> tuple[list[MediaAsset], list[str]]:
    kept, problems = [], []
    for name, job in jobs:
        try:
            kept.append(job())
        except Refused as error:
            problems.append(_("“%(name)s” was not added. %(why)s") % {"name": name, "why": _words(error)})
    return kept, problems


def _folder(visit: Visit, public_id: str | UUID) -> MediaFolder:
    try:
        wanted = UUID(str(public_id))
    except ValueError as error:
        raise Http404 from error
    rows = MediaFolder.objects.filter(workspace=visit.workspace).select_related("parent")
    found: MediaFolder = get_object_or_404(rows, public_id=wanted)
    return found


def _find(visit: Visit, public_id: UUID) -> MediaAsset:
    rows = MediaAsset.objects.visible_to(visit.person).select_related("workspace", "folder", "created_by")
    row: MediaAsset = get_object_or_404(rows, public_id=public_id)
    return row


@screen("GET", "HEAD", "POST")
def asset(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """One file: what it is, what people say of it, and the posts that show it."""
    row = _find(visit, public_id)
    rows = reads.folders_of(row.workspace)
    initial = {
        "name": row.original_name,
        "alt_text": row.alt_text,
        "folder": str(row.folder.public_id) if row.folder else "",
    }
    form = AssetForm(request.POST if request.method == "POST" else None, folders=rows, initial=initial)
    status = 200
    if request.method == "POST":
        visit.require(Action.WRITE, row.workspace)
        status = 422
        if form.is_valid():
            try:
                media_service.edit(asset=row, changes=form.changes(), actor=visit.actor, now=visit.now)
                return leave(
                    request,
                    _("Saved %(name)s.") % {"name": row.original_name},
                    reverse("web:media_asset", args=[public_id]),
                )
            except Refused as error:
                form.refuse(error.problems)
    context = {
        "title": row.original_name,
        "asset": row,
        "form": form,
        "uses": reads.uses_of(row, reader=visit.person),
        "may_change": visit.may(Action.WRITE, row.workspace),
    }
    return show(request, "media/asset.html", "media/partials/_asset.html", context, status=status)


@screen("POST")
def act(request: HttpRequest, visit: Visit, public_id: UUID, verb: str) -> HttpResponse:
    """Delete one file, or bring it back."""
    if verb not in ("delete", "restore"):
        raise Http404
    rows = (MediaAsset.objects if verb == "delete" else MediaAsset.every).visible_to(visit.person)
    row = get_object_or_404(rows.select_related("workspace"), public_id=public_id)
    visit.require(Action.WRITE, row.workspace)
    call = media_service.delete if verb == "delete" else media_service.restore
    try:
        call(assets=[row], actor=visit.actor, now=visit.now)
    except Refused as error:
        return refused(request, error, next_url(request, reverse("web:media_asset", args=[public_id])))
    back = next_url(request, reverse("web:media"))
    name = {"name": row.original_name}
    if verb == "restore":
        return done(request, _("%(name)s is back.") % name, back)
    return leave(
        request, _("Deleted %(name)s.") % name, back, undo=reverse("web:media_act", args=[public_id, "restore"])
    )


@screen("POST")
def many(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Move or delete all that are chosen; deleting is all or none."""
    visit.require(Action.WRITE)
    back = next_url(request, reverse("web:media"))
    chosen = _chosen(request.POST.getlist("asset"))
    rows = list(MediaAsset.objects.filter(workspace=visit.workspace, public_id__in=chosen))
    if not rows:
        return done(request, _("Choose files first."), back, level=messages.ERROR)
    verb, who = request.POST.get("verb", ""), {"actor": visit.actor, "now": visit.now}
    try:
        if verb == "move":
            wanted = request.POST.get("to", "")
            moved = media_service.move(assets=rows, folder=_folder(visit, wanted) if wanted else None, **who)  # type: ignore[arg-type]
            return done(request, ngettext("Moved %(n)d file.", "Moved %(n)d files.", moved) % {"n": moved}, back)
        if verb == "delete":
            gone = media_service.delete(assets=rows, **who)  # type: ignore[arg-type]
            undo = reverse("web:media_restore_many") + "?" + "&".join(f"asset={row.public_id}" for row in rows)
            return done(
                request, ngettext("Deleted %(n)d file.", "Deleted %(n)d files.", gone) % {"n": gone}, back, undo=undo
            )
    except Refused as error:
        return refused(request, error, back)
    raise Http404


def _chosen(ids: list[str]) -> list[UUID]:
    found = []
    for item in ids[:MOST_AT_ONCE]:
        try:
            found.append(UUID(item))
        except ValueError:
            continue
    return found


@screen("POST")
def restore_many(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The Undo of deleting many."""
    visit.require(Action.WRITE)
    rows = MediaAsset.every.filter(workspace=visit.workspace, public_id__in=_chosen(request.GET.getlist("asset")))
    back = media_service.restore(assets=list(rows), actor=visit.actor, now=visit.now)
    words = ngettext("%(n)d file is back.", "%(n)d files are back.", back) % {"n": back}
    return done(request, words, next_url(request, reverse("web:media")))


@screen("POST")
def new_folder(request: HttpRequest, visit: Visit) -> HttpResponse:
    visit.require(Action.WRITE)
    form = FolderForm(request.POST, folders=reads.folders_of(visit.workspace))
    back = next_url(request, reverse("web:media"))
    if not form.is_valid():
        return _folder_refused(request, form, back)
    try:
        made = folders.create(
            workspace=visit.workspace, name=form.cleaned_data["name"], parent=form.place(), actor=visit.actor, now=visit.now
        )  # fmt: skip
    except Refused as error:
        return refused(request, error, back)
    return done(request, _("Made the folder “%(name)s”.") % {"name": made.name}, _at(made))


def _at(folder: MediaFolder | None) -> str:
    return reverse("web:media") + (f"?folder={folder.public_id}" if folder else "")


def _folder_refused(request: HttpRequest, form: FolderForm, back: str) -> HttpResponse:
    words = " ".join(str(item) for errors in form.errors.values() for item in errors)
    return done(request, words, back, level=messages.ERROR)


@screen("POST")
def folder(request: HttpRequest, visit: Visit, public_id: UUID, verb: str) -> HttpResponse:
    """Rename or move a folder, or remove it."""
    visit.require(Action.WRITE)
    row = _folder(visit, public_id)
    back = next_url(request, _at(row))
    try:
        if verb == "remove":
            above, name = row.parent, row.name
            moved = folders.remove(folder=row, actor=visit.actor, now=visit.now)
            words = ngettext(
                "Removed the folder “%(name)s”. %(n)d file moved out of it.",
                "Removed the folder “%(name)s”. %(n)d files moved out of it.",
                moved,
            )
            return done(request, words % {"name": name, "n": moved}, _at(above))
        if verb == "change":
            form = FolderForm(request.POST, folders=reads.folders_of(visit.workspace))
            if not form.is_valid():
                return _folder_refused(request, form, back)
            folders.change(
                folder=row, name=form.cleaned_data["name"], parent=form.place(), actor=visit.actor, now=visit.now
            )
            return done(request, _("Saved the folder."), _at(row))
    except Refused as error:
        return refused(request, error, back)
    raise Http404


@screen("GET", "HEAD", "POST")
def pick(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The picker as a fragment: the chosen files (`media`), then the newest of those that match `media_q`. Changes nothing."""
    given = request.POST if request.method == "POST" else request.GET
    return _picker(request, visit, given.getlist("media"), {"media_q": given.get("media_q", "")[:100]})


@screen("POST")
def upload(request: HttpRequest, visit: Visit) -> HttpResponse:
    """An upload from the picker: what was given is stored at once, and the picker comes back with it chosen."""
    visit.require(Action.WRITE)
    kept, problems = kept_from(request, visit, visit.workspace)
    if not kept and not problems:
        problems = [_("Choose a file first.")]
    chosen = [*request.POST.getlist("media"), *(str(row.public_id) for row in kept)]
    words: dict[str, Any] = {"upload_error": " ".join(problems)}
    if problems:
        words |= {name: request.POST.get(name, "") for name in ("upload_alt", "upload_url")}
    return _picker(request, visit, chosen, words, status=422 if problems else 200)


def kept_from(request: HttpRequest, visit: Visit, workspace: Workspace) -> tuple[list[MediaAsset], list[str]]:
    """Store what a form with the picker brought: files (`upload`), or an address (`upload_url`), with `upload_alt` as their
    description. Returns them, and in words why others were not stored."""
    place: dict[str, Any] = {
        "workspace": workspace, "alt_text": request.POST.get("upload_alt", ""), "created_by": visit.person, "actor": visit.actor,
        "now": visit.now,
    }  # fmt: skip
    url = request.POST.get("upload_url", "").strip()
    jobs = [(file.name or "file", _storing(file, place)) for file in request.FILES.getlist("upload")]
    if url:
        jobs.append((url, lambda: fetching.store_from_url(url=url, **place)))
    return _each(jobs)


def _picker(
    request: HttpRequest, visit: Visit, chosen: list[str], words: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    found = reads.choices(visit.workspace, [str(item) for item in _chosen(chosen)], words.get("media_q", ""))
    for choice in found:  # a description that is being written, and not saved, is not taken back
        typed = request.POST.get(f"alt-{choice.asset.public_id}")
        choice.asset.alt_text = choice.asset.alt_text if typed is None else typed
    return render(request, "schedules/partials/_media.html", {"media": found, **words}, status=status)
