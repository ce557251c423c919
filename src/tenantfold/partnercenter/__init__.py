"""A typed async client for Partner Center REST (partnercenter room). It knows HTTP and JSON and decides nothing.

Start at ``connect``; the calls are in ``client``. Everything public is named here.
"""

from tenantfold.partnercenter.auth import Account, SignIn
from tenantfold.partnercenter.budget import Admission, Budget
from tenantfold.partnercenter.client import PartnerCenterClient
from tenantfold.partnercenter.clouds import CLOUDS, COMMERCIAL, US_GOVERNMENT, Cloud, cloud_named, one_host
from tenantfold.partnercenter.connect import connect, open_http
from tenantfold.partnercenter.in_process import InProcessTransport
from tenantfold.partnercenter.options import CallRecord, ClientOptions
from tenantfold.partnercenter.ports import Clock, DateObserver, MemorySecretStore, RateBook, SecretStore
from tenantfold.partnercenter.rate_books import MemoryRateBook, NoLimits
from tenantfold.partnercenter.retry import RetryPolicy
from tenantfold.partnercenter.transport import Transport

__all__ = [
    "CLOUDS",
    "COMMERCIAL",
    "US_GOVERNMENT",
    "Account",
    "Admission",
    "Budget",
    "CallRecord",
    "ClientOptions",
    "Clock",
    "Cloud",
    "DateObserver",
    "InProcessTransport",
    "MemoryRateBook",
    "MemorySecretStore",
    "NoLimits",
    "PartnerCenterClient",
    "RateBook",
    "RetryPolicy",
    "SecretStore",
    "SignIn",
    "Transport",
    "cloud_named",
    "connect",
    "one_host",
    "open_http",
]
