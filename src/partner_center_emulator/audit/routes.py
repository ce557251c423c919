"""HTTP of the activity log (core reference 9.3)."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from partner_center_emulator.audit import models
from partner_center_emulator.errors import refusal
from partner_center_emulator.paging import seek_page
from partner_center_emulator.requests import Call, Reply, Route
from partner_center_emulator.wire import Json, attributes, text_field, wire_time
from partner_center_emulator.world import AuditRecord

_FILTERS = {"companyname": "substring", "customerid": "equals", "resourcetype": "equals"}


async def list_records(call: Call) -> Reply:
    """Return one page of the activity log."""
    start, end = _period(call)
    filter_text = call.query.get("filter", "")
    name, value = _read_filter(filter_text) if filter_text else ("", "")
    found = models.find(call.emulator, call.tenant.id, start, end, name, value)
    keys = [f"{position:012d}" for position in found]
    records = call.world.audit
    mark = f"{call.query.get('startdate')}|{call.query.get('enddate')}|{filter_text}"
    body = seek_page(call, "/auditrecords", keys, lambda key: _view(records[int(key)]), filter_text=mark)
    return Reply(body)


def _period(call: Call) -> tuple[datetime, datetime]:
    now = call.clock.now()
    start_text, end_text = call.query.get("startdate"), call.query.get("enddate")
    start = models.read_day(start_text) if start_text else now - timedelta(days=models.DEFAULT_DAYS)
    end = models.read_day(end_text) if end_text else now
    # an end that is only a day means the whole of it; nothing lies in the future, so a later end stays as it is
    if end_text and end <= now and end.time() == datetime.min.time():
        end += timedelta(days=1)
    if start > end:
        raise refusal(2000, "The start date must not lie after the end date.")
    return start, end


def _read_filter(text: str) -> tuple[str, str]:
    try:
        members = msgspec.json.decode(text, type=dict[str, object])
    except msgspec.DecodeError:
        raise refusal(2000, "The filter must be a JSON object with Field, Value and Operator.") from None
    name = text_field(members, "Field").lower()
    operator = text_field(members, "Operator").lower()
    if _FILTERS.get(name) != operator:
        raise refusal(2000, "The filter takes CompanyName with substring, CustomerId or ResourceType with equals.")
    return name, text_field(members, "Value")


async def read_record(call: Call) -> Reply:
    """Return one record by id; raises 404 code 1000."""
    wanted = call.path["record"]
    records = call.world.audit
    for position in call.emulator.derived(models.AuditIndex).positions(call.tenant.id):
        if records[position].id == wanted:
            return Reply(_view(records[position]))
    raise refusal(1000)


def _view(record: AuditRecord) -> Json:
    return {
        "id": record.id,
        "partnerId": record.tenant_id,
        "customerId": record.customer_id,
        "customerName": record.customer_name,
        "userPrincipalName": record.user_principal_name,
        "applicationId": record.application_id,
        "resourceType": record.resource_type,
        "resourceNewValue": record.resource_new_value,
        "operationType": record.operation_type,
        "operationDate": wire_time(record.operation_date),
        "operationStatus": record.operation_status,
        "customizedData": [{"key": key, "value": value} for key, value in record.customized_data],
        "attributes": attributes("AuditRecord"),
    }


ROUTES = (
    Route("GET", "/v1/auditrecords", list_records),
    Route("GET", "/auditactivity/v1/auditrecords/{record}", read_record),
)
