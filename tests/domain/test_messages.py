"""The invitation: own words, with the link kept as it is (R-15 to R-21, R-97)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tenantfold.domain.messages import invitation_text

NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40)
URLS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1).map("https://admin.example/?{}".format)


@given(company=NAMES, partner=NAMES, url=URLS)
def test_the_link_is_kept_verbatim_and_the_names_stand_in_it(company: str, partner: str, url: str):
    """R-97: the link identifies the partner account; braces, percent signs and ampersands in it are kept."""
    text = invitation_text(company, partner, url)
    assert text.count(url) >= 1
    assert company in text
    assert partner in text
    assert text.startswith("Subject: ")


def test_the_link_stands_alone_at_the_end_of_its_line():
    """So that no mail program takes a full stop or a bracket into it."""
    url = "https://admin.example/Adminportal/Home?invType=ResellerRelationship&partnerId=9c1&msppId=0&DAP=false"
    text = invitation_text("Ekdal AB", "Nordwind", url)
    (line,) = (one for one in text.splitlines() if url in one)
    assert line.endswith(f" {url}")


def test_it_says_who_must_do_what():
    """R-18 to R-21: a Global administrator signs in, reads, ticks and accepts."""
    text = invitation_text("Ekdal AB", "Nordwind", "https://admin.example")
    assert all(word in text for word in ("Global administrator", "Sign in", "tick the box", "Accept"))
