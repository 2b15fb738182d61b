"""What there is to be connected: a platform's fields, what it takes and what it can do; and what connecting an account takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from rest_framework import serializers

from alwrity_scheduler.core.errors import Problem, Refused
from platforms.base import (
    Adapter,
    Deletes,
    Edits,
    FieldSpec,
    HasBudgets,
    HasPostOptions,
    Measures,
    Offers,
    Refreshes,
    SignsIn,
)
from platforms.contracts import AccountRef, Capabilities, MediaRule, TextRule
from schedules.api.serializers.accounts import AccountChange, AccountName
from schedules.api.serializers.shapes import Input, PlainJson, Version
from schedules.api.serializers.shown import Shown, Url, one_of


class FieldChoice(Shown):
    value: str
    label: str


class PlatformField(Shown):
    """A field of a platform's form. `generated`: made here where it is left empty; `secret`: goes in and never comes out."""

    name: str
    label: str
    help: str
    kind: str
    required: bool
    secret: bool
    generated: bool
    choices: list[FieldChoice]
    default: Any


class PlatformSignIn(Shown):
    """How people sign in there. `app_is_there`: whether this installation has an app through which they can."""

    scopes: list[str]
    fields: list[str]
    pkce: bool
    app_is_there: bool


class PlatformShown(Shown):
    """A platform and the fields of its forms. `sign_in` is null where nobody signs in."""

    kind: str
    name: str
    description: str
    connect: list[one_of("credentials", "sign_in")]  # type: ignore[valid-type]
    credentials: list[PlatformField]
    options: list[PlatformField]
    post_options: list[PlatformField]
    sign_in: PlatformSignIn | None


class PlatformsShown(Shown):
    """The platforms, by name."""

    results: list[PlatformShown]


class LengthAlso(Shown):
    max: int
    unit: str


class LengthShown(Shown):
    """How long a text may be, in the platform's own unit. `url_weight`: what each address counts for; null: its length."""

    optional = frozenset({"also"})

    max: int
    unit: str
    url_weight: int | None
    recommended: int | None
    also: list[LengthAlso]


class FilesOfKind(Shown):
    """What files of one kind must be. Bytes, pixels, seconds; a ratio is width by height. Null: no limit is known."""

    types: list[str]
    max_count: int | None
    max_bytes: int | None
    min_width: int | None
    max_width: int | None
    min_height: int | None
    max_height: int | None
    max_pixels: int | None
    min_ratio: float | None
    max_ratio: float | None
    min_seconds: float | None
    max_seconds: float | None
    max_alt: int | None


class FilesTaken(Shown):
    """`mixes`: files of several kinds may go together. `kinds`: the rules of each."""

    max_count: int
    max_bytes: int | None
    types: list[str]
    mixes: bool
    kinds: dict[str, FilesOfKind]


class ContentTypeRule(Shown):
    """What a post of this type needs. `kinds` is null where any file will do."""

    min_media: int
    max_media: int | None
    kinds: list[str] | None
    title_required: bool


class CapabilitiesShown(Shown):
    """What it takes. Null: no limit is known."""

    content_types: list[str]
    text: LengthShown | None
    caption: LengthShown | None
    title: LengthShown | None
    title_required: bool
    hashtags: int | None
    link_in_text: bool
    hashtags_in_text: bool
    threads: bool
    media: FilesTaken
    types: dict[str, ContentTypeRule]


class AbilitiesOf(Shown):
    """`find`: it can tell whether a post is there. `replay`: sending a post twice does no harm there."""

    find: bool
    replay: bool
    delete: bool
    edit: bool
    metrics: bool
    renew_sign_in: bool


class PlatformLimit(Shown):
    """At most `capacity` calls in any period."""

    scope: str
    name: str
    capacity: int
    period_seconds: float


class Abilities(Shown):
    can: AbilitiesOf
    takes: CapabilitiesShown
    limits: list[PlatformLimit]


class WholePlatform(PlatformShown, Abilities):
    """A platform, what its accounts take, what can be done there, and its own limits."""


class AccountAbilities(Abilities):
    """What the account takes and can do."""

    account: AccountName


class SignInAddress(Shown):
    """Where a person signs in. `finished_by`: by this same browser, or by a person in one that is signed in here."""

    url: Url
    finished_by: one_of("browser", "person")  # type: ignore[valid-type]
    message: str


def nobody(platform: str) -> AccountRef:
    """An account without settings: for what a platform says of all accounts alike."""
    return AccountRef(id=0, public_id="", platform=platform, name="", handle="", timezone="UTC")


def platform_words(adapter: Adapter, *, ready: bool | None) -> dict[str, Any]:
    """`ready`: whether an app is there through which people sign in; None where nobody signs in."""
    signs_in = isinstance(adapter, SignsIn)
    ways = [*(["credentials"] if adapter.credential_fields or not signs_in else []), *(["sign_in"] if signs_in else [])]
    return {
        "kind": adapter.key,
        "name": adapter.label,
        "description": adapter.description,
        "connect": ways,
        "credentials": [field_words(spec) for spec in adapter.credential_fields],
        "options": [field_words(spec) for spec in adapter.option_fields],
        "post_options": [field_words(spec) for spec in adapter.post_fields]
        if isinstance(adapter, HasPostOptions)
        else [],
        "sign_in": {
            "scopes": list(adapter.scopes),
            "fields": list(adapter.sign_in_fields),
            "pkce": adapter.uses_pkce,
            "app_is_there": bool(ready),
        }
        if isinstance(adapter, SignsIn)
        else None,
    }


def whole_words(adapter: Adapter, account: AccountRef, *, ready: bool | None) -> dict[str, Any]:
    """The same with what an account of it takes, and the platform's own limits."""
    return {**platform_words(adapter, ready=ready), **ability_words(adapter, account)}


def ability_words(adapter: Adapter, account: AccountRef) -> dict[str, Any]:
    can = adapter.capabilities(account)
    offers = adapter.offers(account) if isinstance(adapter, Offers) else frozenset({"delete", "edit", "metrics"})
    budgets = adapter.budgets(account) if isinstance(adapter, HasBudgets) else ()
    return {
        "can": {
            "find": can.can_find,
            "replay": can.replays,
            "delete": isinstance(adapter, Deletes) and "delete" in offers,
            "edit": isinstance(adapter, Edits) and "edit" in offers,
            "metrics": isinstance(adapter, Measures) and "metrics" in offers,
            "renew_sign_in": isinstance(adapter, Refreshes),
        },
        "takes": capability_words(can),
        "limits": [
            {
                "scope": item.scope,
                "name": item.name,
                "capacity": item.capacity,
                "period_seconds": item.period_seconds,
            }
            for item in budgets
        ],
    }


def field_words(spec: FieldSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "label": spec.label,
        "help": spec.help,
        "kind": spec.kind,
        "required": spec.required and spec.generate is None,
        "secret": spec.secret,
        "generated": spec.generate is not None,
        "choices": [{"value": value, "label": label} for value, label in spec.choices],
        "default": spec.default,
    }


def capability_words(can: Capabilities) -> dict[str, Any]:
    """Lengths with their unit; null is no limit that is known."""
    return {
        "content_types": sorted(can.content_types),
        "text": _text(can.text, can.max_text),
        "caption": _text(can.caption, None),
        "title": _text(can.title, can.max_title),
        "title_required": can.title_required,
        "hashtags": can.max_hashtags,
        "link_in_text": can.link_in_text,
        "hashtags_in_text": can.hashtags_in_text,
        "threads": can.threads,
        "media": {
            "max_count": can.max_media,
            "max_bytes": can.max_media_bytes,
            "types": sorted(can.media_mimes),
            "mixes": can.mixes,
            "kinds": {kind: _media(rule) for kind, rule in sorted(can.media.items())},
        },
        "types": {
            name: {
                "min_media": rule.min_media,
                "max_media": rule.max_media,
                "kinds": sorted(rule.kinds) if rule.kinds is not None else None,
                "title_required": rule.title_required,
            }
            for name, rule in sorted(can.types.items())
        },
    }


def _text(rule: TextRule | None, most: int | None) -> dict[str, Any] | None:
    if rule is None:
        return None if most is None else {"max": most, "unit": "code_points", "url_weight": None, "recommended": None}
    return {
        "max": rule.max,
        "unit": rule.unit,
        "url_weight": rule.url_weight,
        "recommended": rule.recommended,
        **({"also": [{"max": most, "unit": unit} for most, unit in rule.also]} if rule.also else {}),
    }


def _media(rule: MediaRule) -> dict[str, Any]:
    numbers = ("max_count", "max_bytes", "min_width", "max_width", "min_height", "max_height", "max_pixels",
               "min_ratio", "max_ratio", "min_seconds", "max_seconds", "max_alt")  # fmt: skip
    return {"types": sorted(rule.mimes), **{name: getattr(rule, name) for name in numbers}}


# ---- connecting


class Secrets(serializers.DictField):
    """Named secrets: write-only wherever they stand."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            child=serializers.CharField(max_length=20_000, allow_blank=True, trim_whitespace=True),
            **{"write_only": True, **options},
        )


class NewAccount(AccountChange):
    """An account whose platform takes keys; `credentials` and `options` have the names of the platform's fields."""

    echoed: ClassVar[frozenset[str]] = frozenset()

    version = None  # type: ignore[assignment]
    workspace = serializers.CharField(required=False, max_length=60)
    platform = serializers.CharField(max_length=40)
    name = serializers.CharField(max_length=120)
    handle = serializers.CharField(required=False, default="", allow_blank=True, max_length=120)
    credentials = Secrets(required=False, default=dict)


class NewCredentials(Input):
    """Secrets to be replaced; those that are not named, or are empty, stay."""

    credentials = Secrets(allow_empty=False)
    version = Version(required=False)


class SignInStart(Input):
    """Where a person is to sign in. `account`: the one that is to be signed in again."""

    platform = serializers.CharField(max_length=40)
    workspace = serializers.CharField(required=False, max_length=60)
    account = serializers.UUIDField(required=False)
    options = PlainJson(required=False, default=dict)


_KINDS: dict[str, tuple[type, ...]] = {"bool": (bool,), "number": (int, float)}
_WANTED = {"bool": "true or false", "number": "a number"}


def checked_settings(
    adapter: Adapter, *, options: Mapping[str, Any] | None, credentials: Mapping[str, str] | None
) -> None:
    """Refused for names that the platform does not have and for values of the wrong kind; the rest is the service's to judge."""
    problems = list(_unknown("credentials", credentials or {}, adapter.credential_fields))
    problems += _unknown("options", options or {}, adapter.option_fields)
    by_name = {spec.name: spec for spec in adapter.option_fields}
    for name, value in (options or {}).items():
        if (spec := by_name.get(name)) is not None and (words := _wrong_kind(spec, value)):
            problems.append(Problem(field=f"options.{name}", message=words))
    if problems:
        raise Refused(problems)


def _unknown(part: str, given: Mapping[str, Any], specs: Iterable[FieldSpec]) -> Iterable[Problem]:
    names = [spec.name for spec in specs]
    known = f"Known are {', '.join(names)}." if names else "It has none."
    return [
        Problem(field=f"{part}.{name}", message=f"This platform has no such field. {known}", code="unknown")
        for name in given
        if name not in names
    ]


def _wrong_kind(spec: FieldSpec, value: Any) -> str:
    if value is None:
        return ""
    if spec.kind == "choice" and value not in (choices := [item for item, _label in spec.choices]):
        return f"Choose one of {', '.join(choices)}."
    wanted = _KINDS.get(spec.kind, (str,))
    if not isinstance(value, wanted) or (spec.kind == "number" and isinstance(value, bool)):
        return f"Give {_WANTED.get(spec.kind, 'a text')}."
    return ""


def named_as_sent(adapter: Adapter) -> Any:
    """For `problems.renamed`: an adapter's own fields stand in `credentials` and `options`."""
    places = {spec.name: f"options.{spec.name}" for spec in adapter.option_fields}
    places |= {spec.name: f"credentials.{spec.name}" for spec in adapter.credential_fields}

    def rename(problem: Problem) -> Problem:
        return Problem(field=places.get(problem.field, problem.field), message=problem.message, code=problem.code)

    return rename


def defaulted(adapter: Adapter, options: Mapping[str, Any]) -> dict[str, Any]:
    """What is given, and what the form would have shown beside it; nulls and empty texts are left out, as the form does."""
    shown = {spec.name: spec.default for spec in adapter.option_fields if spec.default is not None}
    return {name: value for name, value in {**shown, **options}.items() if value not in (None, "")}
