"""What `tenantfold init` makes: the settings file, secret files for an emulator's invented sign-ins, the database."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx2
import msgspec

from tenantfold import config
from tenantfold.bootstrap import open_store
from tenantfold.errors import ConfigError, UnavailableError
from tenantfold.settings_kinds import SettingValue

SECRETS = "secrets"


class EmulatedTenant(msgspec.Struct, kw_only=True):
    """One tenant of an emulator's credentials sheet."""

    key: str
    id: str
    role: str
    client_id: str
    client_secret: str
    refresh_token: str


class EmulatorSheet(msgspec.Struct, kw_only=True):
    """What an emulator tells about itself."""

    authority: str
    partner_center_url: str
    partner_center_resource: str
    graph_url: str
    tenants: list[EmulatedTenant]


def prepare_folder(folder: Path, *, name: str, emulator: str | None) -> tuple[Path, bool]:
    """Write the settings file when there is none. Returns it, and whether it is new. Raises ConfigError."""
    file = folder / config.CONFIG_FILE
    if file.exists():
        return file, False
    sheet = _emulator_sheet(emulator) if emulator else None
    folder.mkdir(parents=True, exist_ok=True)
    text = _emulator_settings(folder, name, sheet) if sheet else config.template({"consolidation": name})
    file.write_text(text, encoding="utf-8")
    return file, True


def prepare_database(file: Path) -> str:
    """Create or upgrade the database the settings name; returns its address. Raises StoreError, ConfigError."""
    settings = config.load(file)
    asyncio.run(_migrate(settings))
    return settings.database_url


async def _migrate(settings: config.Settings) -> None:
    async with open_store(settings, config.resolver()) as store:
        await store.migrate()


def _emulator_sheet(address: str) -> EmulatorSheet:
    url = f"{address.rstrip('/')}/_emulator/credentials"
    try:
        answer = httpx2.get(url, timeout=10.0)
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=EmulatorSheet)
    except httpx2.HTTPError as error:
        raise UnavailableError(
            f"No emulator answers at {address} ({type(error).__name__}).",
            next_step="Start one: partner-center-emulator serve --world demo",
        ) from error
    except msgspec.MsgspecError as error:
        raise ConfigError(f"What answers at {url} is not a Partner Center emulator.") from error


def _emulator_settings(folder: Path, name: str, sheet: EmulatorSheet) -> str:
    """Settings for the emulator's tenants; their secrets go to files that only their owner can read."""
    resolver = config.resolver()
    (folder / SECRETS).mkdir(mode=0o700, exist_ok=True)
    tenants = [_tenant(folder, resolver, one) for one in sheet.tenants]
    target = next((one for one in tenants if one.key == "target"), None)
    if target is None:
        raise ConfigError("The emulator has no tenant called 'target'.")
    values: dict[str, SettingValue] = {
        "consolidation": name,
        "cloud.authority": sheet.authority,
        "cloud.partner_center": sheet.partner_center_url,
        "cloud.graph": sheet.graph_url,
        "cloud.admin_center": sheet.partner_center_url,
        "cloud.resource": sheet.partner_center_resource,
    }
    return config.template(values, target, [one for one in tenants if one is not target])


def _tenant(folder: Path, resolver: config.SecretResolver, one: EmulatedTenant) -> config.TenantSettings:
    references = {}
    for kind, secret in (("client-secret", one.client_secret), ("refresh-token", one.refresh_token)):
        place = (folder / SECRETS / f"{one.key}-{kind}").absolute()
        references[kind] = config.SecretRef("file", str(place))
        resolver.write(references[kind], secret)
    return config.TenantSettings(
        key=one.key,
        tenant_id=one.id,
        client_id=one.client_id,
        client_secret=references["client-secret"],
        refresh_token=references["refresh-token"],
    )
