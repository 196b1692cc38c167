"""一卡通: pay-out details of the finance bureau, served a submission day at a time.

Pay-outs are submitted on the 10th and 20th; five days later those still pending come again as paid and those that failed
come again under a new detail id; the 2nd brings small reliefs and recoveries.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final

from mock_agencies.dirt import Dirt
from mock_agencies.items import Canonical, Column, Raw
from mock_agencies.ledger import Ledger, stamp
from mock_agencies.people import DAY_0, Household, Population

COLUMNS: Final = (
    Column("MXID", "detail_id", "ident", "key"),
    Column("PCH", "batch_no", "ident"),
    Column("ND", "year", "year", "required"),
    Column("BTXMBM", "item_code", "ident"),
    Column("BTXMMC", "item_name", "text", "required"),
    Column("ZGBM", "authority", "text"),
    Column("ZJWH", "document_no", "text"),
    Column("XM", "payee_name", "name", "required"),
    Column("SFZH", "payee_id_no", "id", "required"),
    Column("YHZH", "account_tail", "account"),
    Column("YFJE", "amount_due", "money"),
    Column("SFJE", "amount_paid", "money", "required"),
    Column("FFRQ", "paid_on", "date"),
    Column("FFZT", "status", "code", "required"),
    Column("SBYY", "failure", "text"),
    Column("QHDM", "division", "division"),
)

HISTORY_DAYS: Final = 90
_ITEMS: Final = {
    "10": ("B1001", "耕地地力保护补贴", "{county}农业农村局", "赣财农〔2026〕12号"),
    "20": ("B2003", "农村部分计划生育家庭奖励扶助", "{county}卫生健康委员会", "赣财社〔2026〕8号"),
    "02": ("B3002", "临时救助金", "{county}民政局", "{short}财社〔2026〕3号"),
}
_WORDS: Final = {"pending": "待发放", "paid": "已发放", "failed": "发放失败"}
_FAILURES: Final = ("账号不存在", "户名与账号不符", "账户已销户")


@dataclass
class Detail:
    """One payment as one submission tells it."""

    detail_id: str
    batch_no: str
    item: str
    home: Household
    account: str
    due: str
    paid: str
    status: str
    paid_on: date | None
    failure: str | None = None


class Payments:
    """The pay-outs, and what happens to them."""

    def __init__(self, population: Population, dirt: Dirt, salt: str) -> None:
        self.population, self.salt = population, salt
        self.ledger = Ledger(dirt)
        self.paid: Counter[tuple[str, str, str]] = Counter()
        """(number, year, item) -> 分 that reached somebody and stayed."""
        self._open: dict[date, list[Detail]] = {}
        for back in range(HISTORY_DAYS, -1, -1):
            self.pass_day(DAY_0 - timedelta(days=back))
        settled = [slot for slot in self.ledger.slots() if not slot.endswith(f"@{DAY_0}")]
        self.ledger.repeat_some(Random(f"{salt}/payments"), {"SFJE": "0.01"}, None, settled)

    def pass_day(self, day: date) -> None:
        rng = Random(f"{self.salt}/payments/{day}")
        submit: Callable[[Random, date], list[Detail]] | None = {
            2: self._small, 10: self._pay_out, 20: self._pay_out, 15: self._follow_up, 25: self._follow_up
        }.get(day.day)  # fmt: skip
        for detail in submit(rng, day) if submit else ():
            self._write(detail, day)

    def _detail(self, rng: Random, day: date, nth: int, home: Household, *, item: str, amount: int) -> Detail:
        due = f"{amount / 100:.2f}"
        return Detail(
            detail_id=f"MX{home.county.tag}{day:%Y%m%d}{nth:06d}",
            batch_no=f"PC{day:%Y%m%d}-{item}",
            item=item,
            home=home,
            account=f"621700360{rng.randrange(10**10):010d}",
            due=due,
            paid=due,
            status="paid",
            paid_on=day,
        )

    def _heads(self, share: float, rng: Random) -> list[Household]:
        homes, away = self.population.households, self.population.away
        return [home for home in homes if (home.head.present or home.no in away) and rng.random() < share]

    def _pay_out(self, rng: Random, day: date) -> list[Detail]:
        item, details, waiting = f"{day:%d}", [], []
        for nth, home in enumerate(self._heads(0.55, rng)):
            detail = self._detail(rng, day, nth, home, item=item, amount=rng.randint(5_000, 300_000))
            chance = rng.random()
            if chance < 0.045:
                detail.paid_on, detail.paid = None, "0.00"
                detail.status, detail.failure = (
                    ("failed", rng.choice(_FAILURES)) if chance < 0.015 else ("pending", None)
                )
                waiting.append(detail)
            details.append(detail)
        self._open[day] = waiting
        return details

    def _follow_up(self, rng: Random, day: date) -> list[Detail]:
        details = []
        for nth, old in enumerate(self._open.pop(day - timedelta(days=5), ())):
            detail = replace(old, status="paid", paid=old.due, paid_on=day, failure=None)
            if old.status == "failed":
                detail.detail_id, detail.batch_no = (
                    f"MX{old.home.county.tag}{day:%Y%m%d}{nth:06d}",
                    f"PC{day:%Y%m%d}-{old.item}",
                )
                detail.account = f"621700360{rng.randrange(10**10):010d}"
            details.append(detail)
        return details

    def _small(self, rng: Random, day: date) -> list[Detail]:
        details = [
            self._detail(rng, day, nth, home, item="02", amount=rng.randint(20_000, 150_000))
            for nth, home in enumerate(self._heads(0.06, rng))
        ]
        for home in rng.sample(self.population.households, min(2, len(self.population.households))):
            details.append(self._detail(rng, day, len(details), home, item="10", amount=-rng.randint(5_000, 60_000)))
        return details

    def _write(self, detail: Detail, day: date) -> None:
        code, name, authority, document = _ITEMS[detail.item]
        head, county = detail.home.head, detail.home.county
        if detail.status == "paid":
            self.paid[head.id_no, str(day.year), name] += round(float(detail.paid) * 100)
        canonical: Canonical = {
            "detail_id": detail.detail_id,
            "batch_no": detail.batch_no,
            "year": str(day.year),
            "item_code": code,
            "item_name": name,
            "authority": authority.format(county=county.name),
            "document_no": document.format(short=county.short),
            "division": detail.home.division,
            "status": detail.status,
            "paid_on": detail.paid_on.isoformat() if detail.paid_on else None,
            "failure": detail.failure,
            "payee_name": head.name,
            "payee_id_no": head.id_no,
            "amount_due": detail.due,
            "amount_paid": detail.paid,
            "account_tail": f"****{detail.account[-4:]}",
        }
        submitted = stamp(datetime.combine(day, time(16, 30)))
        raw: Raw = {column.name: canonical[column.path] for column in COLUMNS}
        raw |= {"YHZH": detail.account, "FFZT": _WORDS[detail.status], "GXSJ": submitted}
        self.ledger.put(detail.detail_id, submitted, raw, canonical, slot=f"{detail.detail_id}@{day}")
