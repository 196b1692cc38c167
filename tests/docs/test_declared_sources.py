"""docs/declared-sources.md is executed as written, all the way to the chain, and its tables are compared with the models."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import sqlalchemy as sa
from pydantic import BaseModel

import mock_agencies
from adapters.kit import PROFILES, DeclaredAdapter, Stream, registry
from gateway.app import Gateway
from gateway.app.collecting import NOBODY
from gateway.audit import Actor
from gateway.clock import Clock
from gateway.config import read
from gateway.config.shapes import keys
from gateway.dispatch.execute import Outcome, queue_run
from gateway.status import reconcile
from gateway.store.pages import living
from schemas.identifiers import id_checksum_holds
from tests.docs.test_adding_an_agency import merge
from tests.support.house import ROOT, House, differences, install
from tests.support.postgres import EMPTIED

PAGE = (ROOT / "docs/declared-sources.md").read_text("utf-8")
STANZAS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
DECLARED = [name for name in registry.names() if issubclass(registry.find(name), DeclaredAdapter)]
FEEDS = ("contracted_land", "front_payment", "drop_payment")
BODY = "36099919600101001"
NUMBER = next(BODY + check for check in "0123456789X" if id_checksum_holds(BODY + check))
PAYMENT = {
    "MXID": "M1", "ND": "2026", "BTXMMC": "稻谷补贴", "FFZT": "发放成功", "XM": "王某", "SFZH": NUMBER, "SFJE": "0.12",
    "XZ": "白土镇", "CUN": "", "QXDM": "360981", "GXSJ": "2026-02-01", "JHPT_UPDATE_TIME": "2026-03-01 10:00:00",
    "JHPT_DELETE": "0",
}  # fmt: skip


def reached(annotation: Any) -> Iterator[type]:
    """Every model and dataclass that settings may hold."""
    inside: list[Any] = list(get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        inside += [field.annotation for field in annotation.model_fields.values()]
    elif isinstance(annotation, type) and is_dataclass(annotation):
        inside += get_type_hints(annotation, include_extras=True).values()
    if isinstance(annotation, type) and keys(annotation):
        yield annotation
    for part in inside:
        yield from reached(part)


KINDS = {kind.__name__: kind for name in DECLARED for kind in reached(registry.find(name).Settings)} | {
    "Stream": Stream
}


def table(label: str) -> list[str]:
    """First cells of the table behind this label, its head left out."""
    found = re.search(rf"^<!-- keys: {label} -->\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    return [row.split("|")[1] for row in found[1].splitlines()[2:]] if found else []


@pytest.mark.parametrize("name", [name for name in KINDS if KINDS[name] not in PROFILES.values()])
def test_every_key_has_its_row_and_no_other_has(name: str) -> None:
    own = set(keys(KINDS[name])) - {"kind"}
    if name != "Stream" and issubclass(KINDS[name], Stream):
        own -= set(keys(Stream))
    assert {key for cell in table(name) for key in re.findall(r"`([^`]+)`", cell)} == own


def test_every_profile_has_its_row() -> None:
    rows = {}
    for row in re.findall(r"^\| `(\w+)` \|(.*)\|(.*)\|$", PAGE.partition("### 签名")[2], re.MULTILINE):
        rows[row[0]] = ({*re.findall(r"`(\w+)`", row[1])}, {*re.findall(r"`(\w+)`\*", row[1])}, row[2])
    told = {
        profile: (
            {*model.model_fields} - {"profile"},
            {n for n, f in model.model_fields.items() if f.is_required()} - {"profile"},
        )
        for profile, model in PROFILES.items()
    }
    assert {profile: row[:2] for profile, row in rows.items() if profile != "profile"} == told
    for profile, model in PROFILES.items():
        assert set(model.secrets) <= set(re.findall(r"`(\w+)`", rows[profile][2])), profile


class Office:
    """The repository's configuration with the page's stanzas for its county, before the systems that they describe."""

    def __init__(self, home: Path, agencies: Any, monkeypatch: pytest.MonkeyPatch, store: str | None) -> None:
        settings, key = install(home, agencies, monkeypatch)
        (self.county,) = (home / "config/counties").iterdir()
        self.county.write_text(
            'county: {code: "360981", name: 丰城市, bureau: 丰城市数据局}\nsources: {}\nfeeds: {}\n', "utf-8"
        )
        (home / "config/secrets/front-password").write_text("unused\n", "ascii")
        self.drop = home / "drop"
        self.drop.mkdir()
        for stanza in STANZAS:
            name = stanza.splitlines()[0].removeprefix("# ")
            merge(home / "config" / name, stanza)
        assert read(settings.config).problems == []
        self.edit("http://127.0.0.1:18604", agencies.urls["agriculture"])
        self.edit("postgresql+psycopg://reader@127.0.0.1:5432/front", f"sqlite:///{home / 'front.db'}")
        self.edit("/srv/drop/finance", str(self.drop))
        self.engine = sa.create_engine(f"sqlite:///{home / 'front.db'}")
        self.table = sa.Table(
            "T_NYNC_BTFF", sa.MetaData(), *(sa.Column(n, sa.Text, primary_key=n == "MXID") for n in PAYMENT)
        )
        self.table.create(self.engine)
        self.write()
        self.gateway = Gateway(settings.model_copy(update={"store": store}) if store else settings)
        self.house = House(home, agencies, self.gateway, key)
        self.house.set_clock()
        _ = self.gateway.config

    def edit(self, old: str, new: str) -> None:
        told = self.county.read_text("utf-8")
        assert old in told
        self.county.write_text(told.replace(old, new), "utf-8")

    def write(self, **cells: str) -> None:
        """Puts a row into the front-end table, in the place of one with its key."""
        row = {**PAYMENT, **cells}
        with self.engine.begin() as connection:
            connection.execute(sa.delete(self.table).where(row["MXID"] == self.table.c.MXID))
            connection.execute(sa.insert(self.table), row)

    def deliver(self, name: str) -> None:
        lines = ("明细编号,年度,项目名称,状态,姓名,身份证号,金额", f"Y1,2026,稻谷补贴,发放失败,王某,{NUMBER},1.50")
        body = "\n".join(lines).encode("gbk")
        (self.drop / name).write_bytes(body)
        (self.drop / f"{name}.md5").write_text(hashlib.md5(body).hexdigest(), "ascii")

    def sync(self, feed: str) -> Outcome:
        with self.gateway.store.read() as tx:
            row = tx.one("feed_by_name", name=f"360981/{feed}")
        slot = Clock.real().isoformat(timespec="microseconds")
        run, _ = queue_run(self.gateway.store, row.id, due_at=slot, reason="test", actor="test")
        return self.gateway.executor.execute(run)

    def close(self) -> None:
        self.gateway.close()
        self.engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def office(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    url = None
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            connection.execute(sa.text(EMPTIED))
        engine.dispose()
    with mock_agencies.start(households=60, seed=5, dirt=0.1) as agencies:
        made = Office(tmp_path, agencies, monkeypatch, url)
        yield made
        made.close()


@pytest.mark.sockets
def test_three_stanzas_go_all_the_way_to_the_chain(office: Office) -> None:
    office.deliver("360981_CZJ_YKT_20260301_001.csv")
    gateway = office.gateway
    for feed in FEEDS:
        probes = gateway.check(f"360981/{feed}", NOBODY)
        assert [p.sentence for p in probes if not p.ok] == []
        assert gateway.preview(f"360981/{feed}", 1, NOBODY).rows
    assert {office.sync(feed).state for feed in FEEDS} == {"done"}
    assert differences(office.house, "contracted_land") == []
    changed = office.house.agencies.advance(1)["contracted_land"]
    office.house.set_clock()
    done = office.sync("contracted_land").counts
    assert done["puts"] + done["gone"] == changed
    office.write(JHPT_DELETE="1", JHPT_UPDATE_TIME="2026-03-01 10:05:00")
    assert office.sync("front_payment").counts["changed"] == 1
    report = gateway.forwarder.forward()
    assert (report.waiting, report.held) == (0, [])
    assert gateway.verify_chains()["local"] == report.confirmed
    assert reconcile(gateway.store, ["local"]) == []


@pytest.mark.sockets
def test_what_a_feed_lays_over_its_source_reaches_the_table(office: Office) -> None:
    """A column that belongs to the exchange is no content, unless a feed's own rule asks for it."""
    with office.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE T_NYNC_BTFF ADD COLUMN JHPT_UPDATE_FLAG TEXT"))
    assert office.sync("front_payment").counts["puts"] == 1
    office.edit("{source: front, dataset: payment, poll: 30m}", "{source: front, dataset: payment, poll: 30m, "
                "mapping: {item_name: {const: 稻谷补贴}}, deleted: {from: JHPT_UPDATE_FLAG, equals: [D]}}")  # fmt: skip
    again = Gateway(office.gateway.settings)
    try:
        again.publish(Actor.system())
    finally:
        again.close()
    office.gateway.__dict__.pop("config")
    assert office.sync("front_payment").counts["recognised"] == 0, "other rules, so the row is read anew"
    with office.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE T_NYNC_BTFF SET JHPT_UPDATE_FLAG = 'D', JHPT_UPDATE_TIME = '2026-03-01 10:05:00'")
        )
    assert office.sync("front_payment").counts["changed"] == 1
    with office.gateway.store.read() as tx:
        assert not living(tx, tx.one("feed_by_name", name="360981/front_payment").id)
