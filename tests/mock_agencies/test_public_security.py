"""公安人口查询服务: the officer, the head, the cap, the quota, and one register told in two ways."""

from collections.abc import Iterator
from html import unescape
from typing import Any

import httpx
import pytest

import mock_agencies
from mock_agencies import Mocks, public_security
from mock_agencies.public_security import NAMESPACE, OFFICER, PATH, RECORD_CAP

HEAD = {"FWQQBH": "1", "QQBWDM": "x", "SJLYXTDM": "x", "FSSJ": "20260302180000", "QQYWLXDM": "01", **OFFICER}
ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><t:QueryPopulation xmlns:t="{}">'
    "<t:request>{}</t:request></t:QueryPopulation></s:Body></s:Envelope>"
)


@pytest.fixture
def mocks() -> Iterator[Mocks]:
    with mock_agencies.start(households=60, dirt=0.2, seed=3) as running:
        yield running


def ask(mocks: Mocks, people: list[tuple[str, str]], **head: Any) -> str:
    members = {**HEAD, "JLS": len(people), **head}
    told = "".join(f"<{name}>{value}</{name}>" for name, value in members.items() if value is not None)
    records = "".join(
        f"<RECORD no='{n}'><GMSFHM>{number}</GMSFHM><XM>{name}</XM></RECORD>"
        for n, (number, name) in enumerate(people, 1)
    )
    package = f"<PACKAGE><PACKAGEHEAD>{told}</PACKAGEHEAD><DATA>{records}</DATA></PACKAGE>"
    body = ENVELOPE.format(NAMESPACE, package.replace("<", "&lt;"))
    answer = httpx.post(mocks.urls["public_security"] + PATH, content=body.encode(), trust_env=False)
    return unescape(answer.text.partition("<return>")[2].partition("</return>")[0])


def everybody(mocks: Mocks) -> list[tuple[str, str]]:
    return [(who.id_no, who.name) for home in mocks.world._members.population.households for who in home.members]


@pytest.mark.parametrize(
    ("head", "code"),
    [(dict.fromkeys([name]), "0401") for name in OFFICER]
    + [({"QQRXM": "某人"}, "0401"), ({"JLS": 2}, "0400"), ({"FWQQBH": None}, "0400"), ({"FSSJ": ""}, "0400")],
)
def test_who_does_not_say_who_asks_hears_nothing(mocks: Mocks, head: dict[str, Any], code: str) -> None:
    told = ask(mocks, everybody(mocks)[:1], **head)
    assert f"<FHDM>{code}</FHDM>" in told
    assert "RECORD" not in told
    assert mocks.public_security.asked == []


def test_the_cap_is_silent_and_the_quota_is_not(mocks: Mocks) -> None:
    assert ask(mocks, everybody(mocks)[:30]).count("<RECORD no=") >= RECORD_CAP
    assert len(mocks.public_security.asked) == RECORD_CAP
    mocks.public_security.quota = 1
    assert "今日调用已达上限" in ask(mocks, everybody(mocks)[:1])
    mocks.advance(1)
    assert "<FHDM>0000</FHDM>" in ask(mocks, everybody(mocks)[:1])


def test_not_found_and_another_name_are_told_apart(mocks: Mocks) -> None:
    found = next(p for p in everybody(mocks) if mocks.world.resident(p[0]))
    elsewhere = next(p for p in everybody(mocks) if not mocks.world.resident(p[0]))
    told = ask(mocks, [found, elsewhere, (found[0], "某人")])
    assert [told.count(f"<CXJG>{code}</CXJG>") for code in "102"] == [1, 1, 1]
    assert 'encoding="GBK"' in told
    assert public_security.QUOTA > 0


def test_it_is_the_register_the_platform_serves(mocks: Mocks) -> None:
    """Same people, same facts, another spelling of the division, other dirt."""
    mocks.advance(2)
    platform = {i.key: i.canonical for i in mocks.world.items("household_member") if not i.dirt}
    police = {i.key: i.canonical for i in mocks.world.items("resident") if not i.dirt}
    both = platform.keys() & police.keys()
    assert len(both) > 50
    for key in both:
        assert police[key] == {**platform[key], "register_division": "360981"}
    spoilt = [{i.key for i in mocks.world.items(name) if i.dirt} for name in ("household_member", "resident")]
    assert spoilt[0] != spoilt[1]
