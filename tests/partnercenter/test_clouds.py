"""Which Microsoft is spoken to."""

from __future__ import annotations

import pytest

from tenantfold.errors import ConfigError
from tenantfold.partnercenter import COMMERCIAL, US_GOVERNMENT, cloud_named, one_host


def test_knows_the_two_clouds():
    """The Partner Center host is the same for both; sign-in and Graph are not (core reference 1.1)."""
    assert cloud_named("commercial") is COMMERCIAL
    assert cloud_named("us_government") is US_GOVERNMENT
    assert COMMERCIAL.partner_center == US_GOVERNMENT.partner_center
    assert COMMERCIAL.authority != US_GOVERNMENT.authority
    assert not US_GOVERNMENT.has_agreements


@pytest.mark.parametrize("overrides", [{"hosts": "x"}, {"graph": True}, {"has_agreements": "yes"}])
def test_names_a_cloud_setting_that_is_wrong(overrides: dict[str, str | bool]):
    """A misspelled override must not silently leave the real Microsoft in place."""
    with pytest.raises(ConfigError):
        COMMERCIAL.with_overrides(overrides)


def test_overrides_every_field_of_a_cloud():
    """The emulator is a cloud like any other."""
    here = one_host("http://127.0.0.1:8700/")
    overrides: dict[str, str | bool] = {
        "authority": "http://127.0.0.1:8700",
        "partner_center": "http://127.0.0.1:8700/",
        "audience": "http://127.0.0.1:8700",
        "graph": "http://127.0.0.1:8700/graph",
        "graph_audience": "http://127.0.0.1:8700/graph",
        "admin_center": "http://127.0.0.1:8700",
        "name": "emulator",
    }
    assert COMMERCIAL.with_overrides(overrides) == here


def test_an_unknown_cloud_is_a_setting_to_correct():
    """The message lists the known ones."""
    with pytest.raises(ConfigError, match="commercial"):
        cloud_named("mars")
