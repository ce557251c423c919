"""Shapes that every area shares (report room): links, attributes, envelopes, addresses, and the forms of errors.

Members written with ``Maybe`` may be absent; unknown members are allowed everywhere, as the wire adds some (core 2.2).
"""

from __future__ import annotations

from typing import Annotated, Generic, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

T = TypeVar("T")
Maybe: TypeAlias = T | UnsetType

GUID_PATTERN = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
Guid = Annotated[str, msgspec.Meta(pattern=GUID_PATTERN)]
Json = dict[str, object]


class Shape(msgspec.Struct, kw_only=True, rename="camel"):
    """The base of all shapes: members are camelCase on the wire."""


class Pair(Shape, kw_only=True):
    """One name and its value."""

    key: str
    value: str


class Link(Shape, kw_only=True):
    """One link; ``uri`` is relative to the service (absent in the published sample of an offer without more to say)."""

    method: str
    headers: list[Pair]
    uri: Maybe[str] = UNSET


class Attributes(Shape, kw_only=True):
    """What kind of object this is, and its etag where concurrency applies."""

    object_type: str
    etag: Maybe[str] = UNSET


class Object(Shape, kw_only=True):
    """An object that says what it is and where it stands."""

    attributes: Maybe[Attributes] = UNSET
    links: Maybe[dict[str, Link]] = UNSET


class Collection(Object, Generic[T], kw_only=True):
    """The envelope of a list (core 2.2)."""

    total_count: int
    items: list[T]
    continuation_token: Maybe[str] = UNSET


class Address(Shape, kw_only=True):
    """An address; what a country does not know is absent."""

    country: Maybe[str] = UNSET
    city: Maybe[str] = UNSET
    address_line1: Maybe[str] = UNSET
    address_line2: Maybe[str] = UNSET
    state: Maybe[str] = UNSET
    region: Maybe[str] = UNSET
    postal_code: Maybe[str] = UNSET
    first_name: Maybe[str] = UNSET
    last_name: Maybe[str] = UNSET
    phone_number: Maybe[str] = UNSET


class Contact(Shape, kw_only=True):
    """A person to write to or to call."""

    first_name: Maybe[str] = UNSET
    last_name: Maybe[str] = UNSET
    email: Maybe[str] = UNSET
    phone_number: Maybe[str] = UNSET


class ErrorA(Shape, kw_only=True):
    """Form A, the documented body of an error (core 2.4); ``code`` is a number or its digits."""

    code: int | str
    description: str
    data: list[str]
    source: str


class ErrorB(Shape, kw_only=True):
    """Form B, the body of newer services (core 2.4)."""

    code: int | str
    description: str
    error_name: str
    is_retryable: bool
    message: Maybe[str] = UNSET
    parameters: Maybe[dict[str, object]] = UNSET


class ErrorC(Shape, kw_only=True):
    """Form C, the answer of the gateway (core 2.4)."""

    status_code: int
    message: str


class GraphErrorDetail(Shape, kw_only=True):
    """What is inside Graph's error."""

    code: str
    message: str


class GraphError(Shape, kw_only=True):
    """The body of Graph's errors (core 8)."""

    error: GraphErrorDetail


class SignInRefusal(msgspec.Struct, kw_only=True):
    """The body of a refused sign-in (core 1.4)."""

    error: str
    error_description: str
    error_codes: list[int]


class ControlRefusal(msgspec.Struct, kw_only=True):
    """The control plane's answer to bad input: one sentence."""

    error: str
