"""The commands of webhooks say what is missing before they begin anything."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Desk, customer, manual_item

BAD_INPUT = 2


@pytest.fixture
def planned(desk: Desk) -> Desk:
    """A ledger that is there."""
    desk.plan(customer(1, manual_item("s1")))
    return desk


def test_listening_without_anybody_to_trust_is_refused(planned: Desk):
    """The file, its setting and the page that helps are named."""
    code, said = planned.say("webhooks", "listen")
    assert code == BAD_INPUT
    assert "webhook-issuers.pem (webhooks.issuers)" in said
    assert "wake-early-with-webhooks" in said


def test_a_file_without_a_certificate_is_refused(planned: Desk):
    """Trusting nobody must not look like listening."""
    (planned.folder / "webhook-issuers.pem").write_text("later")
    code, said = planned.say("webhooks", "listen")
    assert code == BAD_INPUT
    assert "no certificate in PEM form" in said


def test_registering_needs_an_address(planned: Desk):
    """Named by the setting or the option."""
    code, said = planned.say("webhooks", "register")
    assert code == BAD_INPUT
    assert "webhooks.url" in said


def test_registering_refuses_an_address_without_tls_before_any_call(planned: Desk):
    """Nobody answers at this desk, so an attempt to call would end otherwise."""
    code, said = planned.say("webhooks", "register", "--url", "http://hooks.example/")
    assert code == BAD_INPUT
    assert "https" in said


def test_an_unknown_tenant_is_refused_with_those_that_are_known(planned: Desk):
    """By their keys."""
    code, said = planned.say("webhooks", "show", "--tenant", "dk")
    assert code == BAD_INPUT
    assert "se, no, target" in said
