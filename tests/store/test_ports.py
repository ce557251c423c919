from tenantfold.flow.gdap import GdapLedger
from tenantfold.flow.ports import EvidenceLedger, Inventory, Ledger, WakeUps, Waves
from tenantfold.store import Store


def as_inventory(store: Store) -> Inventory:
    """The type checker compares every signature here."""
    return store


def as_ledger(store: Store) -> Ledger:
    """The type checker compares every signature here."""
    return store


def as_evidence_ledger(store: Store) -> EvidenceLedger:
    """The type checker compares every signature here."""
    return store


def as_gdap_ledger(store: Store) -> GdapLedger:
    """The type checker compares every signature here."""
    return store


def as_waves(store: Store) -> Waves:
    """The type checker compares every signature here."""
    return store


def as_wake_ups(store: Store) -> WakeUps:
    """The type checker compares every signature here."""
    return store


def test_the_store_has_every_method_of_its_ports():
    """What the use cases may call exists, by name; the signatures are compared by the type checker above."""
    wanted = {
        name
        for port in (Inventory, Ledger, EvidenceLedger, GdapLedger, Waves, WakeUps)
        for name in vars(port)
        if not name.startswith("_")
    }
    assert wanted
    assert {name for name in wanted if not callable(getattr(Store, name, None))} == set()
