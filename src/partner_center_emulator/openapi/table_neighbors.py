"""The calls of Graph, webhooks, service requests, sign-in, pages for people and the control plane (report room)."""

from __future__ import annotations

from partner_center_emulator import control
from partner_center_emulator.actors.customers import Asked
from partner_center_emulator.actors.routes import PortalOrder
from partner_center_emulator.azure import control as azure
from partner_center_emulator.clock import ClockState
from partner_center_emulator.credentials import Sheet
from partner_center_emulator.emulator import Options
from partner_center_emulator.faults.routes import FaultsOrder
from partner_center_emulator.graph.approval import ApproveOrder
from partner_center_emulator.ledger.shape import LedgerReport
from partner_center_emulator.openapi import neighbors as n
from partner_center_emulator.openapi.envelopes import Collection, Json
from partner_center_emulator.openapi.operation import HTML, Table
from partner_center_emulator.openapi.operation import Operation as Op
from partner_center_emulator.relationships.indirect import LinkOrder
from partner_center_emulator.servicerequests.routes import HabitOrder, TicketOrder
from partner_center_emulator.signin.revocation import RevokeOrder, TenantOrder
from partner_center_emulator.state.behaviour import Pace
from partner_center_emulator.transfers.control import ProgramOrder, StumbleOrder
from partner_center_emulator.validations.routes import CodeOrder, CustomerOrder

_G = "/graph/v1.0/tenantRelationships/delegatedAdminRelationships"
_R = f"{_G}/{{relationship}}"
_A = f"{_R}/accessAssignments"
_ODATA = ("$top", "$filter", "$orderby", "$select", "$count", "$skiptoken")
_PAGE = Op(str, media=HTML, others={303: None})
_AUTHORIZE = Op(
    str, media=HTML, others={303: None}, query=("client_id", "redirect_uri", "response_type", "scope", "state")
)
_ANYTHING = Op(Json)
_REQUEST = Op(n.ServiceRequest)
_REQUEST_CHANGE = Op(n.ServiceRequest, body=n.ServiceRequestChange)
_TOKEN = Op(n.Tokens, body=n.TokenForm, form=True)
_DEVICE = Op(n.DeviceCode, body=n.DeviceForm, form=True)

GRAPH: Table = {
    "GET /graph/v1.0/me/memberOf": Op(n.GraphList[n.DirectoryObject]),
    f"GET {_G}": Op(n.GraphList[n.GdapRelationship], query=_ODATA),
    f"POST {_G}": Op(n.GdapRelationship, 201, n.GdapWish),
    f"GET {_R}": Op(n.GdapRelationship),
    f"PATCH {_R}": Op(n.GdapRelationship, body=n.GdapWish, others={202: n.GdapRelationship}),
    f"DELETE {_R}": Op(status=204),
    f"POST {_R}/requests": Op(n.GdapRequest, 201, n.GdapAction),
    f"GET {_R}/requests": Op(n.GraphList[n.GdapRequest]),
    f"GET {_R}/operations": Op(n.GraphList[n.GdapOperation]),
    f"POST {_A}": Op(n.AccessAssignment, 201, n.AccessWish),
    f"GET {_A}": Op(n.GraphList[n.AccessAssignment]),
    f"GET {_A}/{{assignment}}": Op(n.AccessAssignment),
    f"PATCH {_A}/{{assignment}}": Op(n.AccessAssignment, body=n.AccessWish),
    f"DELETE {_A}/{{assignment}}": Op(status=204),
    "GET /graph/v1.0/tenantRelationships/delegatedAdminCustomers": Op(n.GraphList[n.GdapCustomer], query=_ODATA),
}
SERVICES: Table = {
    "GET /v1/servicerequests/supporttopics": Op(Collection[n.Topic]),
    "GET /v1/servicerequests": Op(Collection[n.ServiceRequest], query=("status", "filter", "size", "offset")),
    "GET /v1/servicerequests/{request}": _REQUEST,
    "PATCH /v1/servicerequests/{request}": _REQUEST_CHANGE,
    "POST /v1/servicerequests/{request}": Op(n.ServiceRequest, 201, n.ServiceRequestChange),
    "GET /v1/customers/{customer}/servicerequests": Op(Collection[n.ServiceRequest], query=("status", "filter")),
    "GET /v1/customers/{customer}/servicerequests/{request}": _REQUEST,
    "PATCH /v1/customers/{customer}/servicerequests/{request}": _REQUEST_CHANGE,
    "GET /webhooks/v1/registration/events": Op(list[str]),
    "GET /webhooks/v1/registration": Op(n.Registration),
    "POST /webhooks/v1/registration": Op(n.Registration, body=n.RegistrationWish),
    "PUT /webhooks/v1/registration": Op(n.Registration, body=n.RegistrationWish),
    "DELETE /webhooks/v1/registration": Op(status=204),
    "POST /webhooks/v1/registration/validationEvents": Op(n.ValidationStarted),
    "GET /webhooks/v1/registration/validationEvents/{correlation}": Op(n.ValidationResult),
    "GET /webhooks/certificates/emulator.cer": Op(bytes, media="application/pkix-cert"),
}
SIGN_IN: Table = {
    "POST /{tenant}/oauth2/token": _TOKEN,
    "POST /{tenant}/oauth2/v2.0/token": _TOKEN,
    "POST /{tenant}/oauth2/devicecode": _DEVICE,
    "POST /{tenant}/oauth2/v2.0/devicecode": _DEVICE,
    "GET /{tenant}/oauth2/authorize": _AUTHORIZE,
    "POST /{tenant}/oauth2/authorize": _AUTHORIZE,
    "GET /{tenant}/oauth2/v2.0/authorize": _AUTHORIZE,
    "POST /{tenant}/oauth2/v2.0/authorize": _AUTHORIZE,
    "GET /{tenant}/.well-known/openid-configuration": Op(n.Discovery),
    "GET /{tenant}/v2.0/.well-known/openid-configuration": Op(n.Discovery),
    "GET /{tenant}/discovery/keys": Op(n.Keys),
    "GET /{tenant}/discovery/v2.0/keys": Op(n.Keys),
}
_PEOPLE = (
    "GET /devicelogin",
    "POST /devicelogin",
    "GET /",
    "GET /Adminportal/Home",
    "POST /Adminportal/Home",
    "GET /Adminportal/partners/invitation/granularAdminRelationships/{relationship}",
    "POST /Adminportal/partners/invitation/granularAdminRelationships/{relationship}",
    "GET /Adminportal/partners/invitation/granularAdminRelationships",
    "GET /_emulator/ui/customers",
    "GET /_emulator/ui/customers/{customer}",
    "GET /_emulator/ui/faults",
    "POST /_emulator/ui/clock",
    "POST /_emulator/ui/faults",
)
PEOPLE: Table = {
    **dict.fromkeys(_PEOPLE, _PAGE),
    "GET /Adminportal/invitation.js": Op(str, media="text/javascript"),
    "GET /Adminportal/style.css": Op(str, media="text/css"),
    "GET /Adminportal/icon.svg": Op(str, media="image/svg+xml"),
    "GET /_emulator/ui/style.css": Op(str, media="text/css"),
}
CONTROL: Table = {
    "GET /_emulator/health": _ANYTHING,
    "GET /_emulator/openapi.json": _ANYTHING,
    "GET /_emulator/clock": Op(ClockState),
    "POST /_emulator/clock": Op(ClockState, body=control.ClockOrder),
    "GET /_emulator/options": Op(Options),
    "POST /_emulator/options": Op(Options, body=Json),
    "POST /_emulator/reset": Op(Json, body=control.ResetOrder),
    "GET /_emulator/snapshot": _ANYTHING,
    "POST /_emulator/snapshot": Op(Json, body=Json),
    "POST /_emulator/actors": Op(Asked, body=control.ActorsOrder),
    "GET /_emulator/ledger": Op(LedgerReport, query=("customer", "detail")),
    "GET /_emulator/credentials": Op(Sheet),
    "GET /_emulator/cast": Op(dict[str, str]),
    "POST /_emulator/subscriptions/{subscription}": Op(Json, body=Json),
    "GET /_emulator/faults": _ANYTHING,
    "POST /_emulator/faults": Op(Json, body=FaultsOrder),
    "DELETE /_emulator/faults": _ANYTHING,
    "GET /_emulator/state/pace": _ANYTHING,
    "POST /_emulator/state/pace": Op(Json, body=dict[str, Pace]),
    "DELETE /_emulator/state/pace": _ANYTHING,
    "POST /_emulator/actors/portal": Op(Json, body=PortalOrder),
    "GET /_emulator/actors/support": _ANYTHING,
    "POST /_emulator/actors/support": Op(Json, body=Json),
    "POST /_emulator/tokens/revoke": Op(Json, body=RevokeOrder),
    "POST /_emulator/tenants/{tenant}": Op(Json, body=TenantOrder),
    "POST /_emulator/gdap/{relationship}/approve": Op(Json, body=ApproveOrder),
    "POST /_emulator/partners": Op(Json, body=LinkOrder),
    "POST /_emulator/transfers/stumbles": Op(Json, body=StumbleOrder),
    "POST /_emulator/transfers/partners": Op(Json, body=ProgramOrder),
    "POST /_emulator/azure": Op(Json, body=azure.OpenOrder),
    "GET /_emulator/azure/customers/{customer}": _ANYTHING,
    "POST /_emulator/azure/items/{item}": Op(Json, body=azure.ChangeOrder),
    "POST /_emulator/servicerequests": Op(Json, body=TicketOrder),
    "POST /_emulator/azure/support": Op(Json, body=HabitOrder),
    "GET /_emulator/webhooks": Op(list[Json]),
    "POST /_emulator/webhooks/deliver": _ANYTHING,
    "POST /_emulator/customers/{customer}": Op(Json, body=CustomerOrder),
    "POST /_emulator/validationcodes": Op(Json, body=CodeOrder),
}
