"""What the sign-in service's numbers mean and what to do (partnercenter room): one sentence each, never a secret.

The numbers are Microsoft Entra's AADSTS codes; core reference 1.3-1.6 says which ones a partner meets.
"""

from __future__ import annotations

_RENEW = "Create a new client secret in the app registration and put it in the secret store."  # words
_SIGN_IN_AGAIN = "Sign in again as a partner user with MFA and put the new refresh token in the secret store."
_GIVE_CONSENT = "Let a Global administrator of this tenant consent to the application's permissions."
_CHECK_APP = "Check the client id and the tenant id of this tenant in the settings."

_REFUSALS: dict[int, tuple[str, str]] = {
    7000222: ("The client secret of tenant {tenant} has expired.", _RENEW),
    7000215: (
        "The client secret of tenant {tenant} is wrong.",
        "Put the secret's value, not its id, in the secret store, or create a new one in the app registration.",
    ),
    7000216: ("Tenant {tenant} asks for a client secret and none was given.", _RENEW),
    7000218: ("Tenant {tenant} asks for a client secret and none was given.", _RENEW),
    700016: ("The application is not known in tenant {tenant}.", _CHECK_APP),
    7000112: ("The application is disabled in tenant {tenant}.", "Enable it under enterprise applications."),
    90002: ("The directory of tenant {tenant} does not exist.", _CHECK_APP),
    900023: ("The tenant id of tenant {tenant} is no valid id.", _CHECK_APP),
    700082: ("The refresh token of tenant {tenant} has expired: it was not used for 90 days.", _SIGN_IN_AGAIN),
    70008: ("The refresh token of tenant {tenant} has expired.", _SIGN_IN_AGAIN),
    70043: ("The refresh token of tenant {tenant} ended by a sign-in frequency policy.", _SIGN_IN_AGAIN),
    50173: ("The refresh token of tenant {tenant} was revoked, for example by a new password.", _SIGN_IN_AGAIN),
    50132: ("The session of tenant {tenant} was revoked, for example by a new password.", _SIGN_IN_AGAIN),
    50133: ("The session of tenant {tenant} ended because the password changed or expired.", _SIGN_IN_AGAIN),
    9002313: ("The refresh token of tenant {tenant} is damaged or was issued to another application.", _SIGN_IN_AGAIN),
    70000: ("The refresh token of tenant {tenant} is not valid.", _SIGN_IN_AGAIN),
    50076: ("Tenant {tenant} asks for multifactor authentication.", _SIGN_IN_AGAIN),
    50074: ("Tenant {tenant} asks for strong authentication.", _SIGN_IN_AGAIN),
    50078: ("The multifactor sign-in of tenant {tenant} has expired.", _SIGN_IN_AGAIN),
    50079: ("The user of tenant {tenant} has not registered for multifactor authentication yet.", _SIGN_IN_AGAIN),
    50158: ("Tenant {tenant} asks for another sign-in step.", _SIGN_IN_AGAIN),
    53003: (
        "A Conditional Access policy of tenant {tenant} blocks the sign-in.",
        "Ask the directory's administrator to allow the application from this machine.",
    ),
    50057: ("The user of tenant {tenant} is disabled.", "Enable the user, or sign in as another partner user."),
    50034: ("The user of tenant {tenant} does not exist any more.", _SIGN_IN_AGAIN),
    50055: ("The password of the user of tenant {tenant} has expired.", _SIGN_IN_AGAIN),
    65001: ("The application may not be used in tenant {tenant}: nobody consented.", _GIVE_CONSENT),
    650057: ("The application of tenant {tenant} does not ask for the Partner Center permission.", _GIVE_CONSENT),
    500011: (
        "Tenant {tenant} does not know the service we ask a token for.",
        "Check the cloud's audience in the settings; on a new tenant, add the service's permission to the app.",
    ),
    70003: ("Tenant {tenant} does not support this kind of sign-in.", _CHECK_APP),
}


def refusal_of(number: int, tenant_key: str) -> tuple[str, str]:
    """One sentence that names the tenant, and what to do; unknown numbers are named so that they can be looked up."""
    tenant = repr(tenant_key)
    if number in _REFUSALS:
        sentence, next_step = _REFUSALS[number]
        return sentence.format(tenant=tenant), next_step
    named = f"AADSTS{number}" if number else "no number"
    return f"The sign-in service refused tenant {tenant} ({named}).", "Look the number up in Microsoft's list."
