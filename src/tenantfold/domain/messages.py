"""The texts we write to customers. Own words; the link must be kept as it is (R-97)."""

from __future__ import annotations


def invitation_text(company_name: str, partner_name: str, url: str, reseller_name: str = "") -> str:
    """The message that asks a customer's global administrator to accept the relationship (R-15, R-17 to R-21).

    ``reseller_name`` is the indirect reseller that the link names, too; empty for none.
    """
    stays = f"\nYour partner {reseller_name} stays your partner: the link names both of us.\n" if reseller_name else ""
    return f"""Subject: Please confirm {partner_name} as your Microsoft partner account

Dear administrator of {company_name},

we are moving all our customers into one Microsoft partner account. Your users and your data are not touched by this
step. Before we can continue to provide your subscriptions from the new account, a Global administrator
of your organization has to accept it once:
{stays}
  1. Open this link: {url}
  2. Sign in with the account you use for the Microsoft 365 admin center (Global administrator).
  3. Read the agreement, tick the box and choose Accept.

It takes about two minutes. Your relationship with our present account is not changed by this. After you accept,
Microsoft may send you a short mail about the Microsoft Customer Agreement; it belongs to this step.

If you are not the right person, please pass this message on. Questions? Just answer it.

Kind regards
{partner_name}
"""
