"""Validation rules of countries and addresses (core reference 5.16, 5.17).

The countries in the table have rules of their own; every other country of a CSP region takes any postal code.
"""

from __future__ import annotations

import re
from functools import cache

import msgspec

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.errors import refusal
from partner_center_emulator.relationships.models import known_countries
from partner_center_emulator.wire import Json, attributes
from partner_center_emulator.world import Address

behaviour(
    "GET /v1/countryvalidationrules/{country}",
    source="documented",
    page="core 5.16",
    note="The flat form with objectType CountryValidationRules",
)
behaviour(
    "GET /v1/countryvalidationrules/{country}",
    source="assumed",
    page="core 5.16",
    note="Rules of a dozen countries are written out, the others take any postal code; an unknown country is 400 2000",
)
behaviour(
    "POST /v1/validations/address",
    source="documented",
    page="core 5.17",
    note="Status with suggested addresses; states are checked for US and CA",
)
behaviour(
    "POST /v1/validations/address",
    source="assumed",
    page="core 5.17",
    note="There is no map behind it: a postal code that does not fit is None, a missing street is StreetPartial, "
    "everything else VerifiedShippable",
)

_US = (
    "AK", "AL", "AR", "AZ", "CA", "CO", "CT", "DC", "DE", "FL", "GA", "HI", "IA", "ID", "IL", "IN", "KS", "KY", "LA",
    "MA", "MD", "ME", "MI", "MN", "MO", "MS", "MT", "NC", "ND", "NE", "NH", "NJ", "NM", "NV", "NY", "OH", "OK", "OR",
    "PA", "RI", "SC", "SD", "TN", "TX", "UT", "VA", "VT", "WA", "WI", "WV", "WY",
)  # fmt: skip
_CA = (
    "AB", "BC", "MB", "NB", "NL", "NS", "NT", "NU", "ON", "PE", "QC", "SK", "YT",
)  # fmt: skip
_PHONE = r"^[0-9+()./\- ]{4,20}$"
_US_PHONE = r"^(1[ \-\/\.]?)?(\((\d{3})\)|(\d{3}))[ \-\/\.]?(\d{3})[ \-\/\.]?(\d{4})$"


class Country(msgspec.Struct, frozen=True, kw_only=True):
    """What an address in a country must look like."""

    code: str
    cultures: tuple[str, ...] = ("en-US",)
    calling_codes: tuple[str, ...] = ()
    postal_code: str = r"^.{1,16}$"
    states: tuple[str, ...] = ()
    phone: str = _PHONE
    has_vat: bool = True
    vat: str = ""


_FIVE, _FOUR = r"^\d{5}$", r"^\d{4}$"
_TABLE = (
    Country(code="US", cultures=("en-US", "es-US"), calling_codes=("1",), postal_code=r"^\d{5}(-\d{4})?$",
            states=_US, phone=_US_PHONE, has_vat=False),
    Country(code="CA", cultures=("en-CA", "fr-CA"), calling_codes=("1",), states=_CA, has_vat=False,
            postal_code=r"^[A-Za-z]\d[A-Za-z][ -]?\d[A-Za-z]\d$"),
    Country(code="SE", cultures=("sv-SE",), calling_codes=("46",), postal_code=r"^\d{3} ?\d{2}$", vat=r"^SE\d{12}$"),
    Country(code="NO", cultures=("nb-NO",), calling_codes=("47",), postal_code=_FOUR, vat=r"^NO\d{9}(MVA)?$"),
    Country(code="DK", cultures=("da-DK",), calling_codes=("45",), postal_code=_FOUR, vat=r"^DK\d{8}$"),
    Country(code="FI", cultures=("fi-FI", "sv-FI"), calling_codes=("358",), postal_code=_FIVE, vat=r"^FI\d{8}$"),
    Country(code="IS", cultures=("is-IS",), calling_codes=("354",), postal_code=r"^\d{3}$"),
    Country(code="IE", cultures=("en-IE",), calling_codes=("353",), vat=r"^IE[0-9A-Z+*]{8,9}$"),
    Country(code="GB", cultures=("en-GB",), calling_codes=("44",), vat=r"^GB(\d{9}|\d{12})$",
            postal_code=r"^[A-Za-z]{1,2}\d[A-Za-z\d]? ?\d[A-Za-z]{2}$"),
    Country(code="DE", cultures=("de-DE",), calling_codes=("49",), postal_code=_FIVE, vat=r"^DE\d{9}$"),
    Country(code="NL", cultures=("nl-NL",), calling_codes=("31",), postal_code=r"^\d{4} ?[A-Za-z]{2}$",
            vat=r"^NL\d{9}B\d{2}$"),
    Country(code="FR", cultures=("fr-FR",), calling_codes=("33",), postal_code=_FIVE, vat=r"^FR[0-9A-Z]{2}\d{9}$"),
)  # fmt: skip


@cache
def _rules() -> dict[str, Country]:
    return {country.code: country for country in _TABLE}


def country_of(code: str) -> Country:
    """Return the rules of an ISO country; raises 400 code 2000 for one that no CSP region has."""
    wanted = code.upper()
    found = _rules().get(wanted)
    if found is not None:
        return found
    if wanted not in known_countries():
        raise refusal(2000, f"The country {code} is not known.")
    return Country(code=wanted)


def view(country: Country) -> Json:
    """Return the rules as the wire has them."""
    body: Json = {
        "iso2Code": country.code,
        "defaultCulture": country.cultures[0],
        "isStateRequired": bool(country.states),
        "supportedStatesList": list(country.states),
        "supportedLanguagesList": list(dict.fromkeys(culture.partition("-")[0] for culture in country.cultures)),
        "supportedCulturesList": list(country.cultures),
        "isPostalCodeRequired": country.postal_code != Country(code="").postal_code,
        "postalCodeRegex": country.postal_code,
        "isCityRequired": True,
        "isVatIdSupported": country.has_vat,
        "phoneNumberRegex": country.phone,
        "isTaxIdSupported": not country.has_vat,
        "isTaxIdOptional": True,
        "countryCallingCodesList": list(country.calling_codes),
    }
    if country.vat:
        body["vatIdRegex"] = country.vat
    body["attributes"] = attributes("CountryValidationRules")
    return body


def check_address(address: Address) -> None:
    """Let an address pass that keeps to its country's rules; raises 400 code 2000."""
    country = country_of(address.country)
    if not re.fullmatch(country.postal_code, address.postal_code):
        raise refusal(2000, f"The postalCode does not match {country.postal_code}.")
    if country.states and address.state.upper() not in country.states:
        raise refusal(2000, "The state is missing or not one of the country's.")


def judge(members: dict[str, str]) -> tuple[str, str, bool]:
    """Return status, message, and whether a suggestion makes sense, for an address as the wire has it."""
    country = country_of(members["country"])
    if country.states and members["state"].upper() not in country.states:
        return "None", "The state is not one of the country's.", False
    if not re.fullmatch(country.postal_code, members["postalCode"]):
        return "None", "The postal code does not fit the country.", False
    if not any(letter.isdigit() for letter in members["addressLine1"]):
        return "StreetPartial", "The street number is missing.", True
    return "VerifiedShippable", "The address was verified.", True
