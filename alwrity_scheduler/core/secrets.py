"""Secrets at rest: Fernet over settings.ENCRYPTION_KEYS (the first encrypts, all decrypt) and a model field on top.

The field's value is a `Secrets` mapping that decrypts when it is read, so that a row whose key is lost can still be
listed, saved and given new credentials. Nothing here ever prints, dumps or pickles what it holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models
from django.db.models.query_utils import DeferredAttribute


class CannotDecrypt(Exception):
    """A stored secret was written with a key that is not in ENCRYPTION_KEYS: put that key back, or enter the secret anew."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class KeysUnusable(Exception):
    """ENCRYPTION_KEYS is empty or holds something that is not a Fernet key (32 bytes in URL-safe base64)."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


@lru_cache(maxsize=8)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise KeysUnusable from None


def check_keys(keys: Sequence[str]) -> None:
    """Raise KeysUnusable unless these keys can encrypt."""
    _fernet(tuple(keys))


def generate_key() -> str:
    return Fernet.generate_key().decode()


def keys_file() -> Path:
    """The file of generated keys. bootstrap.py writes it once, rotate_keys rewrites it."""
    return Path(settings.DATA_DIR) / "keys.env"


def keys_in_file() -> tuple[str, ...]:
    """ENCRYPTION_KEYS as the file has them now; empty when there is no such file or line."""
    try:
        lines = keys_file().read_text().splitlines()
    except OSError:
        return ()
    for line in lines:
        name, _, value = line.partition("=")
        if name.strip() == "ENCRYPTION_KEYS":
            return tuple(key.strip() for key in value.split(",") if key.strip())
    return ()


def encrypt(plain: str, *, keys: Sequence[str] | None = None) -> str:
    """Text to token, with the first key."""
    return _fernet(tuple(settings.ENCRYPTION_KEYS if keys is None else keys)).encrypt(plain.encode()).decode()


def decrypt(token: str) -> str:
    """Token to text. Raises CannotDecrypt.

    A process that was started before `rotate_keys --new-key` holds the old list; it finds the new key in the file.
    """
    own = tuple(settings.ENCRYPTION_KEYS)
    try:
        return _fernet(own).decrypt(token.encode()).decode()
    except InvalidToken:
        pass
    newer = keys_in_file()
    if newer and newer != own and set(own) & set(newer):
        try:
            return _fernet(newer).decrypt(token.encode()).decode()
        except InvalidToken:
            pass
    raise CannotDecrypt


def reencrypt(token: str, *, keys: Sequence[str]) -> str:
    """The same secret under the first of `keys`; the token itself when it is that already. Raises CannotDecrypt."""
    try:
        _fernet(tuple(keys[:1])).decrypt(token.encode())
    except InvalidToken:
        pass
    else:
        return token
    try:
        return _fernet(tuple(keys)).rotate(token.encode()).decode()
    except InvalidToken:
        raise CannotDecrypt from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What `rotate_keys` did to one place that holds secrets. `label` names the place."""

    label: str
    seen: int
    changed: int
    unreadable: int


Holder = Callable[[Sequence[str]], Rotation]
_holders: list[Holder] = []


def register_holder(holder: Holder) -> None:
    """A place that keeps secrets outside of an EncryptedJSONField: `rotate_keys` calls it with the keys. From wiring only."""
    if holder not in _holders:
        _holders.append(holder)


def holders() -> tuple[Holder, ...]:
    return tuple(_holders)


class Secrets(Mapping[str, str]):
    """Named secrets: sealed as they came from the database, or in the clear as a service set them. Immutable."""

    __slots__ = ("_plain", "_token")

    def __init__(self, plain: Mapping[str, str] | None = None, *, token: str = "") -> None:
        self._plain: dict[str, str] | None = None if token else dict(plain or {})
        self._token = token

    def _open(self) -> dict[str, str]:
        if self._plain is None:
            self._plain = json.loads(decrypt(self._token))
        return self._plain

    def sealed(self) -> str:
        """The token for the database: the stored one when nothing changed, so an unreadable one can be saved again."""
        if not self._token and self._plain:
            self._token = encrypt(json.dumps(self._plain))
        return self._token

    def is_readable(self) -> bool:
        try:
            self._open()
        except (CannotDecrypt, KeysUnusable):
            return False
        return True

    def __getitem__(self, name: str) -> str:
        return self._open()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._open())

    def __len__(self) -> int:
        return len(self._open())

    def __bool__(self) -> bool:
        return bool(self._token or self._plain)

    def __repr__(self) -> str:
        return "Secrets(hidden)"

    __str__ = __repr__

    def __deepcopy__(self, memo: dict[int, Any]) -> Secrets:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("Secrets are not pickled.")


class _SecretsAttribute(DeferredAttribute):
    """Whatever is assigned becomes a Secrets, so that a plain dict never hangs on an instance."""

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = self.field.to_python(value)


if TYPE_CHECKING:
    _Text = models.TextField[Mapping[str, str] | Secrets, Secrets]
else:
    _Text = models.TextField


class EncryptedJSONField(_Text):
    """A JSON object of strings, encrypted. Never part of a form, a dump or a repr; cannot be searched."""

    description = "Named secrets, encrypted"
    descriptor_class = _SecretsAttribute

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.update(editable=False, blank=True, default=Secrets)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for fixed in ("editable", "blank", "default"):
            kwargs.pop(fixed, None)
        return name, path, args, kwargs

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Secrets:
        return Secrets(token=value or "")

    def to_python(self, value: Any) -> Any:
        if isinstance(value, Secrets) or hasattr(value, "resolve_expression"):
            return value
        if not value:
            return Secrets()
        if isinstance(value, Mapping):
            return Secrets(value)
        raise TypeError("An encrypted field takes a mapping of names to secrets.")

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, str) or hasattr(value, "resolve_expression"):
            return value  # a token, from rotate_keys
        return self.to_python(value).sealed()

    def value_to_string(self, obj: models.Model) -> str:
        return ""
