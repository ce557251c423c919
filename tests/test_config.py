"""The settings: what people write, what they are told, and what is never repeated."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from datetime import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantfold import config
from tenantfold.errors import ConfigError, ExitCode
from tenantfold.settings import BY_NAME, Kind, SettingValue
from tenantfold.settings_shapes import Between, Choice

TARGET = "11111111-1111-4111-8111-111111111111"
SOURCE = "22222222-2222-4222-8222-222222222222"
OTHER = "33333333-3333-4333-8333-333333333333"
APP = "44444444-4444-4444-8444-444444444444"
SECRET = "kQ8~literal-secret-value"

WHOLE = f"""
consolidation = "nordics"
[target]
tenant_id = "{TARGET.upper()}"
client_id = "{APP}"
client_secret = "env:TARGET_SECRET"
[[sources]]
key = "se"
tenant_id = "{SOURCE}"
client_id = "{APP}"
client_secret = "file:secrets/se"
refresh_token = "file:secrets/se-refresh"
"""


def read(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> config.Settings:
    """Load a configuration file with this text."""
    (folder / "tenantfold.toml").write_text(text, encoding="utf-8")
    return config.load(environ=environ or {}, folder=folder)


def complaint(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> ConfigError:
    """The error that loading this text raises."""
    with pytest.raises(ConfigError) as caught:
        read(folder, text, environ)
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    return caught.value


def test_reads_a_small_file_and_fills_the_rest_with_defaults(tmp_path: Path):
    """What is not written has the default of the table; ids are in lower case; paths start at the file."""
    settings = read(tmp_path, WHOLE)
    assert settings.consolidation == "nordics"
    assert settings.target.tenant_id == TARGET
    assert settings.target.key == "target"
    assert [source.key for source in settings.sources] == ["se"]
    assert settings.sources[0].refresh_token == config.SecretRef("file", str(tmp_path / "secrets/se-refresh"))
    assert settings.policy == config.PolicySettings()
    assert settings.limits == config.LimitSettings()
    assert settings.policy.stop_starting_at == time(21, 0)
    assert settings.database_url == f"sqlite:///{tmp_path}/tenantfold.db"
    assert settings.files.offer_mapping == tmp_path / "offer-mapping.csv"
    assert settings.file == tmp_path / "tenantfold.toml"
    assert settings.log.file == tmp_path / "tenantfold.log"


def test_defaults_of_the_table_and_of_the_dataclasses_are_the_same():
    """One default each: the table that docs are made from and the values tests build by hand agree."""
    for section, made in {
        "cloud": config.CloudSettings(),
        "policy": config.PolicySettings(),
        "limits": config.LimitSettings(),
        "log": config.LogSettings(),
    }.items():
        for name, setting in BY_NAME.items():
            if name.startswith(f"{section}."):
                assert getattr(made, name.partition(".")[2]) == setting.default, name


@pytest.mark.parametrize("setting", config.SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_explained_and_its_default_is_allowed(setting: config.Setting):
    """The table is documentation: a sentence for each, and no default that its own rule forbids."""
    assert setting.help.endswith(".")
    assert setting.allowed_text
    default = setting.default
    if isinstance(setting.allowed, Between | Choice):
        assert setting.allowed.admits(default)
    assert setting.type is not Kind.SECRET or default is None or setting.is_required


def test_the_environment_wins_over_the_file_and_origins_say_so(tmp_path: Path):
    """A variable replaces a key of the file, also inside a source that the variable names by its key."""
    settings = read(
        tmp_path,
        WHOLE + "[policy]\nsettling_seconds = 60\nretry_seconds = 5\n",
        {
            "TENANTFOLD_POLICY__SETTLING_SECONDS": "120.5",
            "TENANTFOLD_SOURCES__SE__CLIENT_SECRET": "env:SE_SECRET",
            "TENANTFOLD_LIMITS__IN_FLIGHT": "8",
            "TENANTFOLD_POLICY__STOP_STARTING_AT": "19:30",
        },
    )
    assert settings.policy.settling_seconds == 120.5
    assert settings.policy.stop_starting_at == time(19, 30)
    assert settings.limits.in_flight == 8
    assert settings.sources[0].client_secret == config.SecretRef("env", "SE_SECRET")
    rows = {row.name: row for row in config.origins(settings)}
    assert rows["policy.settling_seconds"].origin == "environment variable TENANTFOLD_POLICY__SETTLING_SECONDS"
    assert rows["policy.retry_seconds"] == config.OriginRow(
        "policy.retry_seconds", "5", str(tmp_path / "tenantfold.toml")
    )
    assert rows["policy.late_case"].origin == "default"
    assert rows["sources[se].client_secret"].shown_value == "env:SE_SECRET (***)"
    assert rows["sources[se].client_secret"].origin.endswith("TENANTFOLD_SOURCES__SE__CLIENT_SECRET")
    assert rows["policy.stop_starting_at"].shown_value == "19:30"


def test_every_setting_has_one_row_in_origins(tmp_path: Path):
    """Nothing is hidden from config show, and every source has its own rows."""
    second = f'[[sources]]\nkey="dk"\ntenant_id="{OTHER}"\nclient_id="{APP}"\nclient_secret="env:DK"\n'
    names = [row.name for row in config.origins(read(tmp_path, WHOLE + second))]
    expected = {name for name in BY_NAME if not name.startswith("sources[]")}
    fields = [name.partition(".")[2] for name in BY_NAME if name.startswith("sources[]")]
    expected |= {f"sources[{key}].{field}" for key in ("se", "dk") for field in fields}
    assert set(names) == expected
    assert len(names) == len(expected)


def test_all_settings_can_come_from_the_environment(tmp_path: Path):
    """A container needs no file: sources are named by their key inside the variable."""
    settings = config.load(
        folder=tmp_path,
        environ={
            "TENANTFOLD_CONSOLIDATION": "nordics",
            "TENANTFOLD_TARGET__TENANT_ID": TARGET,
            "TENANTFOLD_TARGET__CLIENT_ID": APP,
            "TENANTFOLD_TARGET__CLIENT_SECRET": "env:T",
            "TENANTFOLD_SOURCES__SE_NORTH__TENANT_ID": SOURCE,
            "TENANTFOLD_SOURCES__SE_NORTH__CLIENT_ID": APP,
            "TENANTFOLD_SOURCES__SE_NORTH__CLIENT_SECRET": "env:S",
        },
    )
    assert settings.file is None
    assert settings.sources[0].key == "se-north"
    assert config.variable_name("sources[].client_id", "se-north") == "TENANTFOLD_SOURCES__SE_NORTH__CLIENT_ID"


def test_a_named_file_is_read_before_the_working_directory(tmp_path: Path):
    """--config wins over TENANTFOLD_CONFIG, which wins over the working directory."""
    for name in ("flag", "variable", "here"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tenantfold.toml").write_text(WHOLE.replace("nordics", name), encoding="utf-8")
    here, variable = tmp_path / "here", {"TENANTFOLD_CONFIG": str(tmp_path / "variable/tenantfold.toml")}
    assert config.load(environ={}, folder=here).consolidation == "here"
    assert config.load(environ=variable, folder=here).consolidation == "variable"
    assert config.load(Path("../flag/tenantfold.toml"), environ=variable, folder=here).consolidation == "flag"


@pytest.mark.parametrize("origin", ["--config", "TENANTFOLD_CONFIG"])
def test_a_named_file_that_is_missing_is_an_error_that_says_who_named_it(tmp_path: Path, origin: str):
    """A typo in the name of the file must not fall back to another file."""
    (tmp_path / "tenantfold.toml").write_text(WHOLE, encoding="utf-8")
    missing = tmp_path / "nowhere.toml"
    path = missing if origin == "--config" else None
    environ = {origin: str(missing)} if path is None else {}
    with pytest.raises(ConfigError, match=re.escape(origin)):
        config.load(path, environ=environ, folder=tmp_path)


def test_no_file_and_no_variables_points_to_init(tmp_path: Path):
    """The first start of the program says what is missing and how to begin."""
    with pytest.raises(ConfigError) as caught:
        config.load(environ={}, folder=tmp_path)
    assert "consolidation is missing" in caught.value.message
    assert "tenantfold init" in caught.value.next_step


@pytest.mark.parametrize(
    ("extra", "nearest"),
    [
        ("[policy]\nsettling_second = 5", "policy.settling_seconds"),
        ("[poliky]\nsettling_seconds = 5", "policy.settling_seconds"),
        ("[limits]\nsettling_seconds = 5", "policy.settling_seconds"),
        ("[log]\nlevl = 'info'", "log.level"),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(tmp_path: Path, extra: str, nearest: str):
    """A typo is answered with the setting that was probably meant, the file and the key's path."""
    error = complaint(tmp_path, WHOLE + extra)
    assert f"Did you mean {nearest}?" in error.message
    assert str(tmp_path / "tenantfold.toml") in error.message
    assert error.facts["nearest"] == nearest


def test_an_unknown_key_at_the_top_and_in_a_source_is_found(tmp_path: Path):
    """No corner of the file is left unchecked, not even an empty section; values of unknown keys are not repeated."""
    text = 'database_ulr = "sqlite:///x"\n' + WHOLE.replace("[[sources]]", f"[[sources]]\nclient_secrt = '{SECRET}'")
    error = complaint(tmp_path, text + "[soources]\n")
    assert "database_url?" in error.message
    assert "sources[].client_secret?" in error.message
    assert "no setting soources" in error.message
    assert SECRET not in error.message


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("TENANTFOLD_POLICY__LATE_CAES", "policy.late_case"),
        ("TENANTFOLD_DATABASE_ULR", "database_url"),
        ("TENANTFOLD_SOURCES__SE__CLIENTID", "sources[].client_id"),
    ],
)
def test_a_misspelled_variable_is_an_error(tmp_path: Path, variable: str, nearest: str):
    """A variable that nobody reads is a setting that silently does nothing."""
    assert f"Did you mean {nearest}?" in complaint(tmp_path, WHOLE, {variable: "x"}).message


def test_other_variables_with_our_prefix_are_left_alone(tmp_path: Path):
    """Somebody's own variable, such as one holding a secret or a test's folder, is no setting; empty means not set."""
    environ = {"TENANTFOLD_SE_SECRET": "x", "TENANTFOLD_WIRE_SAMPLES": "wire", "TENANTFOLD_LIMITS__IN_FLIGHT": ""}
    assert read(tmp_path, WHOLE, environ).limits.in_flight == 64


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (
            "[policy]\nsettling_seconds = 'soon'",
            ['policy.settling_seconds is "soon"', "a number of seconds, 0 to 86400"],
        ),
        ("[policy]\nsettling_seconds = -1", ["policy.settling_seconds is -1"]),
        ("[policy]\nsettling_seconds = nan", ["policy.settling_seconds is nan"]),
        ("[limits]\nin_flight = true", ["limits.in_flight is true", "a whole number, 1 to 100"]),
        ("[limits]\nin_flight = '16'", ['limits.in_flight is "16"', "a whole number"]),
        ("[limits]\nin_flight = 1000", ["limits.in_flight is 1000", "1 to 100"]),
        ("[policy]\nstop_starting_at = '25:00'", ['policy.stop_starting_at is "25:00"', "UTC time of day"]),
        ("[policy]\nstop_starting_at = '21:00+02:00'", ["UTC time of day"]),
        ("[log]\nlevel = 'loud'", ['log.level is "loud"', '"debug" or "info"']),
        ("[cloud]\nname = 'china'", ['"commercial" or "us_government"']),
        ("[cloud]\nauthority = 'http://login.example'", ["cloud.authority", "https"]),
        ("[policy]\nlate_case = 'hope'", ['"finish" or "withdraw"']),
        ("[policy]\nlate_case = ['finish']", ["policy.late_case is a list"]),
        ("[policy]\ntransfer_poll_seconds = 1", ["policy.transfer_poll_seconds is 1", "10 to 86400"]),
        ("[policy]\nhand_off_poll_seconds = 0", ["policy.hand_off_poll_seconds is 0", "60 to 604800"]),
        ("[policy]\nbuys_azure_plan = true", ["policy.buys_azure_plan is true", '"no" or "yes"']),
        ("[policy]\ncleans_azure_default = 'maybe'", ['policy.cleans_azure_default is "maybe"', '"no" or "yes"']),
        ("[policy]\nopens_service_requests = 1", ["policy.opens_service_requests is 1"]),
        ("[policy]\nreminds_days_before_end = 0", ["policy.reminds_days_before_end is 0", "1 to 90"]),
        ("[policy]\nreminds_days_before_end = 1.5", ["policy.reminds_days_before_end is 1.5", "a whole number"]),
    ],
)
def test_a_wrong_value_names_file_key_value_and_what_is_allowed(tmp_path: Path, extra: str, words: list[str]):
    """Everything a person needs to correct the line stands in the sentence."""
    error = complaint(tmp_path, WHOLE + extra)
    for word in [*words, str(tmp_path / "tenantfold.toml")]:
        assert word in error.message


def test_all_problems_are_reported_at_once(tmp_path: Path):
    """Nobody should correct one line per attempt."""
    error = complaint(tmp_path, WHOLE + "[policy]\nlate_case='never'\n[limits]\nin_flight=0\n[log]\nlevell='info'")
    assert error.message.startswith("3 settings are wrong:")
    assert error.facts["settings"] == ("log.levell", "policy.late_case", "limits.in_flight")


@pytest.mark.parametrize("key", ["client_secret", "refresh_token"])
@pytest.mark.parametrize(
    "value", [f'"{SECRET}"', "12345678", f'{{ value = "{SECRET}" }}', f'"env:{SECRET}"', '"file:"']
)
def test_a_secret_written_out_is_refused_without_repeating_it(tmp_path: Path, key: str, value: str):
    """Invariant 10: the file says where a secret is, and no error repeats what stood there by mistake."""
    text = WHOLE.replace("[target]", f"[target]\n{key} = {value}")
    text = text.replace('client_secret = "env:TARGET_SECRET"', "" if key == "client_secret" else "\\g<0>", 1)
    text = text.replace("\\g<0>", 'client_secret = "env:TARGET_SECRET"')
    error = complaint(tmp_path, text)
    shown = f"{error.message} {error.facts} {error.next_step}"
    assert f"target.{key} must say where the secret is" in error.message
    assert SECRET not in shown
    assert "12345678" not in shown


def test_a_secret_in_the_wrong_line_is_not_repeated_either(tmp_path: Path):
    """Client id and secret are easily swapped; a database address may carry a password."""
    swapped = complaint(tmp_path, WHOLE.replace(f'client_id = "{APP}"', f'client_id = "{SECRET}"'))
    assert SECRET not in swapped.message
    assert "a text of 24 characters" in swapped.message
    for address in (f"postgresql://me:{SECRET}@db/x", f"postgresql://db/x?password={SECRET}"):
        error = complaint(tmp_path, f'database_url = "{address}"\n{WHOLE}')
        assert SECRET not in f"{error.message} {error.facts}"
        assert "database_password" in error.message


def test_a_literal_secret_in_a_variable_is_refused_too(tmp_path: Path):
    """The variable of the setting holds the reference; the variable it refers to holds the secret."""
    error = complaint(tmp_path, WHOLE, {"TENANTFOLD_TARGET__CLIENT_SECRET": SECRET})
    assert "TENANTFOLD_TARGET__CLIENT_SECRET" in error.message
    assert SECRET not in error.message


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (f'tenant_id = "{SOURCE}"', f'tenant_id = "{TARGET}"', "as for the target"),
        ('key = "se"', 'key = "target"', "as for the target"),
        ('key = "se"', "", "key is missing"),
        ('key = "se"', 'key = "S E"', "lower-case letters"),
        ('consolidation = "nordics"', "", "consolidation is missing"),
        (f'client_id = "{APP}"', "", "client_id is missing"),
    ],
)
def test_tenants_stand_once_and_whole(tmp_path: Path, old: str, new: str, sentence: str):
    """A target that is also a source would be folded into itself."""
    assert sentence in complaint(tmp_path, WHOLE.replace(old, new)).message


def test_two_sources_with_one_tenant_or_one_key_are_refused(tmp_path: Path):
    """The same tenant under two names would be inventoried and billed twice."""
    second = f'[[sources]]\nkey = "dk"\ntenant_id = "{SOURCE}"\nclient_id = "{APP}"\nclient_secret = "env:DK"\n'
    assert 'as for the source "se"' in complaint(tmp_path, WHOLE + second).message
    twice = second.replace('"dk"', '"se"').replace(SOURCE, OTHER)
    assert 'two sources have the key "se"' in complaint(tmp_path, WHOLE + twice).message


def test_a_file_without_a_source_is_refused(tmp_path: Path):
    """There is nothing to fold."""
    assert "no source tenant" in complaint(tmp_path, WHOLE.partition("[[sources]]")[0]).message
    table = complaint(tmp_path, WHOLE.replace("[[sources]]", "[sources]"))
    assert "[[sources]]" in table.message


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"policy = 3\n", "[policy]"),
        (b"a = = 1", "TOML"),
        (b"a = '\xff'", "UTF-8"),
        ("\ufeffx = 1".encode(), "setting x"),
    ],
)
def test_a_file_that_cannot_be_understood_says_why(tmp_path: Path, content: bytes, word: str):
    """Broken TOML, another encoding and a section written as a value are told apart; a byte order mark is no harm."""
    (tmp_path / "tenantfold.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(word)):
        config.load(environ={}, folder=tmp_path)


@pytest.mark.parametrize(
    "address",
    ["postgresql://me@db/x", "postgresql+psycopg:///x?host=/run/pg", "sqlite:////var/lib/x.db", "sqlite:///:memory:"],
)
def test_database_addresses_are_taken_as_they_are(tmp_path: Path, address: str):
    """Only a relative SQLite path is made absolute."""
    assert read(tmp_path, f'database_url = "{address}"\n{WHOLE}').database_url == address


def test_resolves_secrets_and_says_what_is_missing(tmp_path: Path):
    """A secret comes from its variable or file without the newline an editor added."""
    (tmp_path / "token").write_text("s3cret-token\n", encoding="utf-8")
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    resolver = config.resolver({"A": " value-a ", "B": ""})
    assert resolver.resolve(config.SecretRef("env", "A")) == "value-a"
    assert resolver.resolve(config.SecretRef("file", str(tmp_path / "token"))) == "s3cret-token"
    for place in ("empty", "binary", "gone"):
        with pytest.raises(ConfigError, match=place):
            resolver.resolve(config.SecretRef("file", str(tmp_path / place)))
    for name in ("B", "C"):
        with pytest.raises(ConfigError, match=f"variable {name}"):
            resolver.resolve(config.SecretRef("env", name))
    assert resolver.redact("Bearer s3cret-token, value-a!") == "Bearer ***, ***!"


def test_a_renewed_token_replaces_its_file_as_a_whole(tmp_path: Path):
    """The file is readable by its owner only, a link keeps pointing to it, nothing half-written stays behind."""
    (tmp_path / "real").write_text("old", encoding="utf-8")
    (tmp_path / "real").chmod(0o644)
    (tmp_path / "link").symlink_to("real")
    resolver = config.resolver({})
    assert resolver.write(config.SecretRef("file", str(tmp_path / "link")), "renewed-token")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text(encoding="utf-8") == "renewed-token"
    assert stat.S_IMODE((tmp_path / "real").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]
    assert resolver.redact("renewed-token") == "***"
    assert not resolver.write(config.SecretRef("env", "A"), "x")


def test_a_token_that_cannot_be_written_leaves_the_old_one(tmp_path: Path):
    """A missing folder is an error with the path and without the secret."""
    with pytest.raises(ConfigError) as caught:
        config.resolver({}).write(config.SecretRef("file", str(tmp_path / "no/such")), SECRET)
    assert SECRET not in f"{caught.value.message}{caught.value.facts}"


def test_warns_of_secret_files_that_everybody_can_read(tmp_path: Path):
    """The mode is checked, not changed: whose file it is decides its owner."""
    file = tmp_path / "token"
    file.write_text("x", encoding="utf-8")
    ref, resolver = config.SecretRef("file", str(file)), config.resolver({})
    file.chmod(0o644)
    assert "chmod 600" in resolver.warning(ref)
    file.chmod(0o600)
    assert resolver.warning(ref) == ""
    assert resolver.warning(config.SecretRef("env", "A")) == ""
    assert resolver.warning(config.SecretRef("file", str(tmp_path / "gone"))) == ""


def test_settings_know_all_their_references(tmp_path: Path):
    """The check of secret files at the start misses none."""
    settings = read(tmp_path, 'database_password = "env:DB"\n' + WHOLE)
    assert [str(ref).rpartition("/")[2] for ref in settings.secret_refs()] == [
        "env:DB",
        "env:TARGET_SECRET",
        "se",
        "se-refresh",
    ]


def test_no_secret_shows_in_the_settings_themselves(tmp_path: Path):
    """Even a log of the whole object shows references only."""
    settings = read(tmp_path, WHOLE, {"TARGET_SECRET": SECRET})
    assert SECRET not in repr(settings)
    assert SECRET not in str(config.origins(settings))


def test_the_empty_template_is_refused_with_clear_sentences(tmp_path: Path):
    """A file fresh from init says which lines a person must fill in."""
    error = complaint(tmp_path, config.template())
    assert 'target.tenant_id is "<tenant id>"' in error.message
    assert "consolidation" in error.message
    assert config.template().count("# Allowed:") == len(config.SETTINGS)


def test_the_template_of_given_tenants_loads_as_written(tmp_path: Path):
    """What init writes is what load reads, and every commented line shows a default that loads as well."""
    whole = read(tmp_path, WHOLE)
    values: dict[str, SettingValue] = {
        "consolidation": "nordics",
        "cloud.authority": "http://127.0.0.1:8900",
        "policy.settling_seconds": 0.5,
    }
    text = config.template(values, whole.target, whole.sources)
    again = read(tmp_path, text)
    assert again.target == whole.target
    assert again.sources == whole.sources
    assert again.cloud.authority == "http://127.0.0.1:8900"
    assert again.policy.settling_seconds == 0.5
    shown = re.sub(r"(?m)^# (\w+ = )", r"\1", text)
    for optional in ("refresh_token", "database_password"):
        shown = re.sub(rf'(?m)^{optional} = "(file:refresh_token)?"$', "", shown)
    assert read(tmp_path, shown).limits == whole.limits


def test_a_value_for_no_setting_is_our_own_mistake():
    """The template is made by the program; a wrong name there is a bug, not bad input."""
    with pytest.raises(KeyError):
        config.template({"no.such": "x"})


@given(st.text(min_size=1).filter(lambda text: not text.startswith(("env:", "file:"))))
def test_what_is_no_reference_is_never_echoed(text: str):
    """Whatever stands in the place of a reference, the error does not contain it."""
    with pytest.raises(ValueError, match="not a reference to a secret") as caught:
        config.SecretRef.parse(text, Path("/x"))
    assert caught.value.args == ("not a reference to a secret",)
