"""The OpenAPI file of the API (3.1), read from the views themselves, so that a view needs few words of its own.

What drf-spectacular cannot know are the house's conventions; this module tells it:

- a body is the `Input` that the handler reads (`takes` on the view says it where the code does not show it);
- an answer is what the serializer's `shown` declares, or what the view's `answers` says by method or verb: a `Shown` class, an
  `Answer`, or `{status: either}`; `answers_as` says as which media types, and, as a mapping, what each of them holds;
- a list is cut by cursor where the view takes `cursor`; parameters come from the FilterSet, `query_input` and `query_names`;
- refusals are problem details, and the same everywhere.

Loaded when the file is asked for, never by the scheduler.
"""

from __future__ import annotations

import inspect
import re
import threading
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import lru_cache
from typing import Any

import django_filters as filters
from django.conf import settings
from django.urls import reverse
from django.utils import translation
from drf_spectacular.drainage import warn
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, append_meta, get_doc
from rest_framework import serializers

from alwrity_scheduler.workspaces.scopes import AREAS, needed
from schedules.api.problems import KINDS, MEDIA_TYPE
from schedules.api.serializers.shapes import LARGEST, Empty, Input, ProblemOfField
from schedules.api.serializers.shown import Json, Shown, object_of, schema_of
from schedules.api.views.door import Door, Row, VerbDoor

PREFIX = "/api/v1"
VERSION = "1.0.0"
ABOUT = """\
Everything that the pages of the scheduler do. Times are given in UTC and, under the same name with `_local` behind it, in the zone
that the answer names. What you may not see does not exist: it is 404. Unknown fields and parameters are refused by name.

**Changes.** Version 1 only grows: new addresses, new optional fields, new names in answers, new values of enumerations. Ignore what
you do not know. What is to go is marked as deprecated here and by a `Deprecation` header, with the day of its end in `Sunset`, at
least twelve months ahead.

**Text** is stored as it is sent, without NUL characters and halves of surrogate pairs: those are refused.
"""
METHODS = ("get", "post", "put", "patch", "delete")
WORDS = {"get": "get", "post": "create", "put": "replace", "patch": "update", "delete": "delete"}
# parameters that mean the same everywhere
PARAMETERS: dict[str, tuple[Json, str]] = {
    "cursor": ({"type": "string"}, "Where to go on: follow `next` or `previous` of an answer as they are."),
    "page_size": ({"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, "How many a page."),
    "workspace": ({"type": "string"}, "The workspace, by its id or slug."),
    "fields": (
        {"type": "string"},
        "Names, separated by commas; a dot goes inside, like `content.title`. Each row then holds these alone.",
    ),
    "ordering": ({"type": "string"}, "The name to order by; a minus before it turns the order round."),
    "count": ({"type": "integer", "minimum": 1, "maximum": 100, "default": 5}, "How many times."),
    "format": ({"type": "string", "enum": ["json", "yaml"]}, "How it is written; without it, `Accept` decides."),
    "q": ({"type": "string"}, "Words that it holds."),
    "since": ({"type": "string", "format": "date-time"}, "From this time on, which is in."),
    "until": ({"type": "string", "format": "date-time"}, "Until this time, which is out."),
}
IF_MATCH = "The `ETag` of the row as you saw it; when it was changed meanwhile, nothing is done and the answer is 412."
IDEMPOTENCY = "A key of your own, like a UUID: the same request sent again with it is done once, and answered alike."
HEADERS: dict[str, Json] = {
    "RateLimit-Limit": {"description": "How many requests a window lets through.", "schema": {"type": "integer"}},
    "RateLimit-Remaining": {"description": "How many are left in this window.", "schema": {"type": "integer"}},
    "RateLimit-Reset": {"description": "Seconds until the window ends.", "schema": {"type": "integer"}},
    "Retry-After": {"description": "Seconds to wait before asking again.", "schema": {"type": "integer"}},
    "Location": {"description": "The address of what was made.", "schema": {"type": "string"}},
    "ETag": {"description": "Names this state of the row, for `If-Match`.", "schema": {"type": "string"}},
}
BUDGET = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
REFUSALS = {
    **{status: title for status, (_, title) in KINDS.items()},
    412: "It was changed since you looked at it",
    428: "A precondition is missing",
}
SECURITY: dict[str, Json] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of one workspace (`alw_…`), made in its settings or by `manage.py create_token`.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": settings.SESSION_COOKIE_NAME,
        "description": "The browser's session. Changes want the header `X-CSRFToken` too.",
    },
}


class Schema(AutoSchema):
    """One operation. Registered as REST framework's `DEFAULT_SCHEMA_CLASS`."""

    view: Any

    def is_excluded(self) -> bool:
        return not isinstance(self.view, Door) or not self.path.startswith(PREFIX)

    # what it is called

    def get_operation_id(self) -> str:
        """`schedules_list`, `schedules_create`, `schedules_get`, `schedules_pause`: stable, because made of address and method."""
        parts = [part for part in self.path.removeprefix(PREFIX).strip("/").split("/") if part]
        names = [part.replace("-", "_") for part in parts if not part.startswith("{")]
        word = WORDS[self._verb]
        if self._verb == "get" and not parts[-1].startswith("{"):
            word = "list" if self._is_list else "show"
        if self._verb == "post" and not self._makes:
            return "_".join(names)
        return "_".join([*names, word])

    @property
    def _verb(self) -> str:
        return self.method.lower()

    @property
    def _names(self) -> frozenset[str]:
        return frozenset(self.view.known_names())

    @property
    def _is_list(self) -> bool:
        return self._verb == "get" and "cursor" in self._names

    @property
    def _makes(self) -> bool:
        """Does POST add a row to a list, rather than do a verb?"""
        return not isinstance(self.view, VerbDoor) and hasattr(self.view, "get")

    def get_tags(self) -> list[str]:
        return [area_of(self.view, self.path)]

    def get_summary(self) -> str:
        sentence, _, _ = self.get_description().partition(". ")
        return sentence.rstrip(".").strip()[:120]

    def get_description(self) -> str:  # type: ignore[override]
        own = get_doc(getattr(self.view, self._verb)) or self._of_verb()
        if own:
            return _plain(own)
        thing = self._thing()
        if self._is_list:
            doc = _own_doc(self.view)
            return _plain(doc or f"The {self._last_name()}, newest first.")
        if self._verb == "get":
            return f"One {thing}." if isinstance(self.view, Row) else _plain(_own_doc(self.view) or f"One {thing}.")
        if self._verb == "post" and not self._makes:
            return _plain(_own_doc(self.view) or f"Do this with one {thing}.")
        words = {"post": "Make", "put": "Replace", "patch": "Change what is given of", "delete": "Remove"}
        return f"{words[self._verb]} {'an' if thing[0] in 'aeio' else 'a'} {thing}."

    def _of_verb(self) -> str:
        if self._verb != "post" or not isinstance(self.view, VerbDoor):
            return ""
        return str(getattr(self.view, "words", {}).get(self.view.verb, ""))

    def _thing(self) -> str:
        shown = getattr(self.view.serializer_class, "shown", None)
        if shown is None:
            return self._last_name().removesuffix("s")
        words = re.findall(r"[A-Z][a-z]*", shown.__name__.removesuffix("Shown"))
        return " ".join(words).lower()

    def _last_name(self) -> str:
        names = [part for part in self.path.strip("/").split("/") if not part.startswith("{")]
        return names[-1].replace("-", " ")

    def is_deprecated(self) -> bool:
        return bool(getattr(self.view, "deprecated_since", None))

    def get_auth(self) -> list[dict[str, list[str]]]:
        if getattr(self.view, "is_open", False):
            return [{}]
        ways: list[dict[str, list[str]]] = [{"token": []}, {"session": []}]
        area = self.view.area
        writes = self._verb != "get" and self.view.writes
        return [*ways, {"oauth2": [needed(area, writes=writes)] if area else []}]

    # what goes in

    def _get_parameters(self) -> list[Json]:
        found = [
            {"name": name, "in": "path", "required": True, "schema": schema, "description": words}
            for name, schema, words in _of_path(self.path, self.path_regex)
        ]
        if self._verb == "get":
            found += self._query()
        if self._verb == "post" and hasattr(Door, "area"):
            key = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"}
            found.append({"name": "Idempotency-Key", "in": "header", "schema": key, "description": IDEMPOTENCY})
        if self._takes_if_match:
            found.append({"name": "If-Match", "in": "header", "schema": {"type": "string"}, "description": IF_MATCH})
        return found

    @property
    def _takes_if_match(self) -> bool:
        on_row = self._verb in ("put", "patch", "delete") or (self._verb == "post" and isinstance(self.view, VerbDoor))
        return on_row and "{" in self.path and hasattr(Door, "area")

    def _query(self) -> list[Json]:
        described = dict(self._of_filters())
        filters_there = frozenset(described)
        if shaped := getattr(self.view, "query_input", None) or getattr(self.view, "asked", None):
            mapped = self._map_serializer(shaped(), "request")
            described |= {
                name: (schema, name in mapped.get("required", ())) for name, schema in mapped["properties"].items()
            }
        found = []
        for name in sorted(self._names):
            common, words = PARAMETERS.get(name, ({"type": "string"}, f"Only those with this `{name}`."))
            schema, required = described.get(name, (dict(common), False))
            words = schema.pop("description", "") or words
            if name == "ordering" and getattr(self.view, "orderings", None):
                schema = {"type": "string", "enum": _both_ways(self.view.orderings)}
            if name == "format" and getattr(self.view, "kinds", None):
                schema = {"type": "string", "enum": list(self.view.kinds), "default": self.view.kinds[0]}
                words = "As which kind of file."
            one: Json = {"name": name, "in": "query", "schema": schema, "description": words}
            if name in filters_there and not required and schema.get("format") == "date-time":
                # as a form sends it: nothing is narrowed
                one["allowEmptyValue"] = True
            if schema.get("type") == "array":
                one |= {"style": "form", "explode": False}
            found.append(one | ({"required": True} if required else {}))
        return found

    def _of_filters(self) -> Iterator[tuple[str, tuple[Json, bool]]]:
        for name, one in getattr(getattr(self.view, "filterset_class", None), "base_filters", {}).items():
            schema = _filter_schema(one)
            if one.extra.get("help_text"):
                schema["description"] = str(one.extra["help_text"])
            yield name, (schema, bool(one.extra.get("required")))

    def _get_request_body(self, direction: str = "request") -> Json | None:
        taken = self._taken() if self._verb in ("post", "put", "patch") else None
        if taken is None:
            return None
        component = self.resolve_serializer(taken(), "request", bypass_extensions=True)
        if not component:
            # it has no fields: an empty object, or nothing at all
            empty = {"type": "object", "additionalProperties": False, "maxProperties": 0}
            return {"content": {"application/json": {"schema": empty}}}
        example = getattr(taken, "example", None)
        more = {"example": example} if example else {}
        content: Json = {kind: {"schema": component.ref} for kind in self.map_parsers()}
        if as_json := getattr(taken, "as_json", None):
            # what a form holds and JSON cannot: a file
            content["application/json"] = {
                "schema": self._component(f"{component.name}AsJson", lambda: as_json(component.schema))
            }
        needed = component.schema.get("required") or "if" in component.schema
        return {"content": {kind: one | more for kind, one in content.items()}, "required": bool(needed)}

    def _taken(self) -> type[Input] | None:
        """The `Input` that the handler reads."""
        if named := getattr(self.view, "takes", {}).get(self._verb):
            return named  # type: ignore[no-any-return]
        if isinstance(self.view, VerbDoor) and self._verb == "post":
            return self.view.fields.get(self.view.verb, Empty)
        read = set(_inputs_of(type(self.view), self._verb, set()))
        if len(read - {Empty}) > 1:
            names = ", ".join(sorted(one.__name__ for one in read))
            warn(f"{type(self.view).__name__}.{self._verb} reads {names}: say by `takes` which is its body.")
        return next(iter(read - {Empty}), Empty if read else None)

    # what comes out

    def _get_response_bodies(self, direction: str = "response") -> Json:
        found: Json = {}
        answers = self._answers()
        if not all(status == 204 or _is_described(hint) for status, hint in answers.items()):
            # said openly, rather than guessed: the test of the file lists those that are still to be described
            found["2XX"] = {"description": "Done; what it holds is not described yet."}
            answers = {}
        for status, hint in answers.items():
            one: Json = {"description": "Done." if status == 204 else self._words_of(hint)}
            headers = {name: {"$ref": f"#/components/headers/{name}"} for name in self._headers(status)}
            if headers:
                one["headers"] = headers
            if status != 204:
                kinds = getattr(self.view, "answers_as", ("application/json",))
                each = kinds if isinstance(kinds, Mapping) else dict.fromkeys(kinds, hint)
                one["content"] = {kind: {"schema": self._described(of_kind)} for kind, of_kind in each.items()}
            found[str(status)] = one
        for status in self._refusals():
            found[str(status)] = {"$ref": f"#/components/responses/Refused{status}"}
        return found

    def _words_of(self, hint: Any) -> str:
        shown = getattr(hint, "shown", hint)
        doc = shown.__doc__ if isinstance(shown, type) and issubclass(shown, Shown) else ""
        return _plain(doc or "The answer.")

    def _headers(self, status: int) -> tuple[str, ...]:
        if not hasattr(Door, "area"):
            return ("Location",) if status == 201 and self._makes else ()
        more = ("Location",) if status == 201 and self._makes else ()
        etag = ("ETag",) if "{" in self.path and status != 204 and isinstance(self.view, (Row, VerbDoor)) else ()
        return (*more, *etag, *BUDGET)

    def _answers(self) -> dict[int, Any]:
        said = getattr(self.view, "answers", {})
        verb = getattr(self.view, "verb", "") if self._verb == "post" else ""
        hint = said.get(verb) or said.get(self._verb)
        if isinstance(hint, Mapping):
            return dict(hint)
        if self._verb == "delete" and hint is None:
            return {204: None}
        return {201 if self._verb == "post" and self._makes else 200: hint or self.view.serializer_class}

    def _described(self, hint: Any) -> Json:
        if isinstance(hint, dict):
            return hint
        schema = schema_of(hint, self._component)
        return self._page_of(schema) if self._is_list else schema

    def _page_of(self, row: Json) -> Json:
        """A page of a list that is cut by cursor."""
        address = {"type": ["string", "null"], "format": "uri"}
        page = {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": address | {"description": "The address of the next page; null on the last."},
                "previous": address | {"description": "The address of the page before; null on the first."},
                "results": {"type": "array", "items": row},
            },
        }
        name = row["$ref"].rpartition("/")[2]
        return self._component(f"{name}Page", lambda: page)

    def _refusals(self) -> list[int]:
        found = [406, 429]
        if not getattr(self.view, "is_open", False):
            found += [401, 403]
        if "{" in self.path or self._is_list or self._verb != "get" or "format" in self._names:
            found.append(404)
        if self._verb in ("post", "put", "patch"):
            found += [400, 413, 415]
        if self._verb != "get":
            found.append(409)
        if self._takes_if_match:
            found += [412, 428]
        return sorted([*found, 422])

    def _component(self, name: str, made: Any) -> Json:
        component = ResolvedComponent(name=name, type=ResolvedComponent.SCHEMA, object=name, schema={"type": "object"})
        if component not in self.registry:
            # registered before it is described, so that it may name itself
            self.registry.register(component)
            component.schema = made()
        ref: Json = component.ref
        return ref

    # how fields of our own are written

    def _map_serializer_field(self, field: Any, direction: str, bypass_extensions: bool = False) -> Any:
        written = getattr(field, "written", None)
        if written is not None:
            return append_meta(deepcopy(written), self._get_serializer_field_meta(field, direction))
        found = super()._map_serializer_field(field, direction, bypass_extensions)
        if isinstance(field, serializers.DictField) and not field.allow_empty:
            found["minProperties"] = 1
        if isinstance(found, dict) and found.get("default") in ("", {}, []):
            # nothing said; as a value it would be refused
            del found["default"]
        return found

    def _unwrap_list_serializer(self, serializer: Any, direction: Any) -> Any:
        schema = super()._unwrap_list_serializer(serializer, direction)
        if schema and not getattr(serializer, "allow_empty", True):
            schema["minItems"] = 1
        return schema

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Any:
        schema = super()._map_basic_serializer(serializer, direction)
        return _as_read(schema, serializer) if isinstance(serializer, Input) else schema


def _as_read(schema: Json, serializer: Input) -> Json:
    """What `Input` does besides reading fields: unknown names are refused, those of answers are passed over. A class whose fields
    hang together says so by `as_schema`."""
    properties = schema.setdefault("properties", {})
    for name in sorted(serializer.echoed - set(properties)):
        properties[name] = {"description": "Of an answer; passed over."}
    schema["additionalProperties"] = False
    if not vars(type(serializer)).get("__doc__"):
        # what `Input` says of itself is for the reader of the code
        schema.pop("description", None)
    rewrite = getattr(serializer, "as_schema", None)
    return rewrite(schema) if rewrite else schema


def _is_described(hint: Any) -> bool:
    return isinstance(hint, dict) or hasattr(hint, "shown") or (isinstance(hint, type) and issubclass(hint, Shown))


def area_of(view: Any, path: str) -> str:
    area = getattr(view, "area", "")
    first = path.removeprefix(PREFIX).strip("/").split("/")[0]
    return area or (first if first in AREAS else "workspace")


def _own_doc(view: Any) -> str:
    return (type(view).__doc__ or "") if "__doc__" in vars(type(view)) else ""


def _plain(text: str) -> str:
    """Docstrings are broken by lines for the reader of the code."""
    return " ".join(inspect.cleandoc(text).split())


def _both_ways(names: Any) -> list[str]:
    return [way + name for name in names for way in ("", "-")]


_VARIABLE = re.compile(r"\{(\w+)\}")


def _of_path(path: str, regex: str) -> Iterator[tuple[str, Json, str]]:
    for name in _VARIABLE.findall(path):
        if f"<int:{name}>" in regex:
            yield name, {"type": "integer", "minimum": 0, "maximum": LARGEST}, f"The {name}."
        elif f"<str:{name}>" in regex or f"<slug:{name}>" in regex:
            yield name, {"type": "string", "minLength": 1}, f"The {name}, as answers show it."
        else:
            whose = "The id." if name == "public_id" else f"The id of the {name} one."
            yield name, {"type": "string", "format": "uuid"}, whose


def _filter_schema(one: Any) -> Json:
    """What a filter of a list takes."""
    choices = [str(value) for value, _ in one.extra.get("choices", ())] if "choices" in one.extra else None
    if isinstance(one, filters.BaseInFilter):
        return {"type": "array", "items": {"type": "string"} | ({"enum": choices} if choices else {})}
    if choices:
        return {"type": "string", "enum": choices}
    for kind, schema in (
        (filters.UUIDFilter, {"type": "string", "format": "uuid"}),
        (filters.BooleanFilter, {"type": "boolean"}),
        (filters.IsoDateTimeFilter, {"type": "string", "format": "date-time"}),
        (filters.DateFilter, {"type": "string", "format": "date"}),
        (filters.NumberFilter, {"type": "number"}),
    ):
        if isinstance(one, kind):
            return dict(schema)
    return {"type": "string"}


def _inputs_of(view: type, name: str, seen: set[str]) -> Iterator[type[Input]]:
    """The Input classes that a method names, and the methods of the view that it calls: the code is what is true."""
    seen.add(name)
    function = inspect.unwrap(inspect.getattr_static(view, name))
    function = getattr(function, "__func__", function)
    if not inspect.isfunction(function) or function.__module__ == Door.__module__:
        return
    for word in _words_in(function.__code__):
        found = function.__globals__.get(word)
        if isinstance(found, type) and issubclass(found, Input):
            yield found
            continue
        if inspect.ismodule(found):
            continue
        own = inspect.getattr_static(view, word, None)
        if isinstance(own, type) and issubclass(own, Input):
            yield own
        elif inspect.isfunction(own) and word not in seen and word not in METHODS:
            yield from _inputs_of(view, word, seen)
        elif own is None:
            # `words.MoveInput`: of a module that the function names
            yield from _of_modules(function, word)


def _words_in(code: Any) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if inspect.iscode(inner):
            yield from _words_in(inner)


def _of_modules(function: Any, word: str) -> Iterator[type[Input]]:
    for name in function.__code__.co_names:
        module = function.__globals__.get(name)
        found = getattr(module, word, None) if inspect.ismodule(module) else None
        if isinstance(found, type) and issubclass(found, Input):
            yield found


def _oauth() -> Json:
    """How apps of others get in (alwrity_scheduler/oauth): with a code, PKCE, and the scopes that a person allowed."""
    token = settings.PUBLIC_URL + reverse("oauth:token")
    flow = {
        "authorizationUrl": settings.PUBLIC_URL + reverse("oauth_authorize"),
        "tokenUrl": token,
        "refreshUrl": token,
        "scopes": {
            needed(area, writes=writes): _scope_words(area, writes) for area in AREAS for writes in (False, True)
        },
    }
    words = "An app that acts for a person, within what they allowed it. PKCE with S256 is wanted of every app."
    return {"type": "oauth2", "description": words, "flows": {"authorizationCode": flow}}


def _scope_words(area: str, writes: bool) -> str:
    return f"{'See and change' if writes else 'See'} {AREAS[area]}."


def components() -> Json:
    """What many operations refer to: refusals, headers, ways to sign in."""
    problem = object_of(ProblemShown, lambda name, made: {"$ref": f"#/components/schemas/{name}"})
    field = object_of(ProblemOfField, lambda name, made: {"$ref": f"#/components/schemas/{name}"})
    return {
        "schemas": {"Problem": problem, "ProblemOfField": field},
        "headers": HEADERS,
        "responses": {
            f"Refused{status}": _refused(status, title) for status, title in REFUSALS.items() if status < 500
        },
        "securitySchemes": {**SECURITY, "oauth2": _oauth()},
    }


def _refused(status: int, title: str) -> Json:
    headers = ("Retry-After",) if status == 429 else ()
    found: Json = {
        "description": f"{title}.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if headers:
        found["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    return found


class ProblemShown(Shown):
    """A refusal after RFC 9457. `errors` names each field as you wrote it; `request_id` finds the request in the logs."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ProblemOfField]
    request_id: str


def finish(result: Json, generator: Any, request: Any, public: bool) -> Json:
    """The frame around the operations; what nobody refers to is left out. A hook of drf-spectacular."""
    result["info"] = {
        "title": "ALwrity Content Scheduler",
        "version": VERSION,
        "description": ABOUT,
        "license": {"name": "MIT", "identifier": "MIT"},
        "contact": {"name": "Whoever runs this installation", "url": settings.PUBLIC_URL},
    }
    result["servers"] = [{"url": settings.PUBLIC_URL}]
    used = {tag for path in result["paths"].values() for one in path.values() for tag in one["tags"]}
    result["tags"] = [
        {"name": area, "description": words[0].upper() + words[1:] + "."}
        for area, words in AREAS.items()
        if area in used
    ]
    found = result.setdefault("components", {})
    for kind, named in components().items():
        found[kind] = {**found.get(kind, {}), **named}
    _leave_out_unused(result)
    return result


def _leave_out_unused(result: Json) -> None:
    """Component by component until nothing changes: one may be used by another alone."""
    while True:
        named = set(re.findall(r"'\$ref': '#/components/(\w+/[\w.-]+)'", repr(result)))
        gone = [
            (kind, name)
            for kind, items in result["components"].items()
            if kind != "securitySchemes"
            for name in items
            if f"{kind}/{name}" not in named
        ]
        if not gone:
            return
        for kind, name in gone:
            del result["components"][kind][name]


_one_at_a_time = threading.Lock()


def whole() -> Json:
    """The whole file; the same for everybody, whoever asks first and in whatever language, so it is made once a process."""
    with _one_at_a_time:  # drf-spectacular finds its extensions while it makes a file, which no second thread may watch
        return _made()


@lru_cache(maxsize=1)
def _made() -> Json:
    with translation.override("en"):
        found: Json = SchemaGenerator().get_schema(request=None, public=True)
    return found
