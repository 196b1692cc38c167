"""经办人: what a county's clerk still types by hand beside a system, and where the typing differs from it (china-facts §1.5)."""

from collections.abc import Mapping
from copy import deepcopy
from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import Final

from mock_agencies import subsidies
from mock_agencies.items import Canonical, Item, key_text
from mock_agencies.workbooks import Cell, Sheet, xlsx
from mock_agencies.world import World

TITLES: Final[Mapping[str, Mapping[str, str]]] = {
    "assistance": {
        "cert_no": "低保证号",
        "kind": "救助类型",
        "category": "保障类别",
        "since": "起始保障年月",
        "until": "终止年月",
        "period": "所属月份",
        "covered_people": "保障人口",
        "division": "区划代码",
        "name": "姓名",
        "id_no": "身份证号码",
        "monthly_amount": "月保障金额",
    },
    "subsidy": {
        "detail_id": "明细编号",
        "subsidy_type": "补贴类型",
        "year": "补贴年度",
        "period": "所属月份",
        "item": "补贴对象",
        "division": "乡镇村区划",
        "document_no": "资金文号",
        "status": "补贴状态",
        "paid_on": "发放日期",
        "payee_name": "姓名",
        "payee_id_no": "身份证号",
        "contracted_mu": "承包地面积",
        "let_out_mu": "流转出面积",
        "entrusted_mu": "代耕代种面积",
        "excluded_mu": "不予补贴面积",
        "subsidised_mu": "补贴面积",
        "quantity": "补贴数量",
        "quantity_unit": "计量单位",
        "standard": "补贴标准",
        "amount": "补贴金额",
        "account_tail": "银行账号",
    },
}
"""Canonical path -> heading of the sheet, in its order."""
KEYS: Final = {"assistance": (("cert_no", "id_no"),), "subsidy": subsidies.KEYS}
MISSING, MISTYPED, UNREADABLE, EXTRA = "MISSING", "MISTYPED", "UNREADABLE", "EXTRA"
"""Left out of the sheet; one field differs; the ID number was kept as a number; nobody else knows of it."""

_MONEY: Final = {"assistance": "monthly_amount", "subsidy": "amount"}
_NAME: Final = {"assistance": "name", "subsidy": "payee_name"}
_NUMBER: Final = {"assistance": "id_no", "subsidy": "payee_id_no"}
_CERTIFICATE: Final = {"assistance": "cert_no", "subsidy": "detail_id"}
_SLIPS: Final = ("money", MISSING, "name", "certificate", UNREADABLE, "division", MISSING)
"""What goes wrong, by turns; a word in small letters: that field."""
_FEWEST, _SHARE, _EXTRAS = 7, 0.1, 2


class Clerk:
    """One dataset of one county, typed row by row into a workbook: a new one after each day that changed something.

    A sheet lists what is in force. `mend` puts everything right; what was typed and is in no system stays typed.
    """

    def __init__(self, world: World, dataset: str, directory: Path) -> None:
        self.world, self.dataset, self.directory = world, dataset, directory
        self.slips: dict[str, str] = {}
        """True key -> MISSING, UNREADABLE, EXTRA, or the path of the field that differs."""
        self._extra: dict[str, Canonical] | None = None
        self._rows: dict[str, Item] = {}
        self._typed: list[list[Cell]] = []
        self._mended = False

    def publish(self) -> list[str]:
        """Types the day's list into a workbook, if it is not the last one's; answers its name."""
        true = {item.key: item.canonical for item in self.world.items(self.dataset) if item.canonical is not None}
        if self._extra is None:
            self._extra = self._extras(true)
            self._slip(true)
        listed: dict[str, Item] = {}
        for key, canonical in (true | self._extra).items():
            item = self._item(key, canonical, self.slips.get(key, ""))
            if item is not None:
                listed[item.key] = item
        self._rows = {key: self._as_before(key, item) for key, item in listed.items()}
        rows = [self._cells(item) for item in self._rows.values()]
        if rows == self._typed:
            return []
        self._typed = rows
        name = f"{self.world.county.code}_{self.dataset}_{self.world.today:%Y%m%d}{'_2' if self._mended else ''}.xlsx"
        (self.directory / name).write_bytes(self._workbook(rows, self.world.today))
        return [name]

    def mend(self) -> list[str]:
        """Everything that was mistyped or left out is typed again, as it is in the system."""
        self._mended, self.slips = True, {key: slip for key, slip in self.slips.items() if slip == EXTRA}
        return self.publish()

    def items(self) -> list[Item]:
        """What stands in the sheet, and what is true of each row."""
        return list(self._rows.values())

    def _slip(self, true: Mapping[str, Canonical]) -> None:
        """Chosen once, among the rows of the first sheet."""
        drawn = sorted(true, key=self._draw)
        count = max(_FEWEST, round(len(drawn) * _SHARE))
        chosen = [key for key in drawn if self._is_apart(true, key)][:count]
        for nth, key in enumerate(chosen):
            slip = _SLIPS[nth % len(_SLIPS)]
            self.slips[key] = slip if slip.isupper() else self._path(slip, true[key])
        self.slips |= dict.fromkeys(self._extra or (), EXTRA)

    def _is_apart(self, true: Mapping[str, Canonical], key: str) -> bool:
        """Whether a row that loses its certificate is still told from every other."""
        return bool(true[key][_CERTIFICATE[self.dataset]]) and not key.endswith("T") and f"{key}T" not in true

    def _path(self, word: str, canonical: Canonical) -> str:
        if word == "division" and canonical["division"] is not None:
            return "division"
        return {"name": _NAME, "certificate": _CERTIFICATE}.get(word, _MONEY)[self.dataset]

    def _draw(self, key: str) -> bytes:
        return blake2b(
            f"{self.world.seed}/{self.world.county.code}/clerk/{self.dataset}/{key}".encode(), digest_size=8
        ).digest()

    def _extras(self, true: Mapping[str, Canonical]) -> dict[str, Canonical]:
        """Rows of the register's people under certificates that nobody else gave out."""
        model = next(iter(true.values()))
        taken = {canonical[_NUMBER[self.dataset]] for canonical in true.values()}
        people = [i.canonical for i in self.world.items("household_member") if i.canonical is not None]
        others = [p for p in people if p["id_no"] not in taken and p["name"]][-_EXTRAS:]
        out = {}
        for nth, who in enumerate(others, 1):
            extra = deepcopy(model) | {
                _NAME[self.dataset]: who["name"],
                _NUMBER[self.dataset]: who["id_no"],
                _CERTIFICATE[self.dataset]: f"SG{self.world.county.code}{nth:04d}",
            }
            key = key_text(extra, KEYS[self.dataset])
            assert key is not None
            out[key] = extra
        return out

    def _item(self, key: str, canonical: Canonical, slip: str) -> Item | None:
        """The row as it is typed; None: it is not."""
        if slip == MISSING:
            return None
        said, at = deepcopy(canonical), self.world.now[:11] + ("19:00:00" if self._mended else "18:00:00")
        if slip == UNREADABLE:
            field = _NUMBER[self.dataset]
            return Item(key, at, said, None, "quarantine", "ID_PRECISION_LOST", field, [slip])
        if slip and slip != EXTRA:
            said[slip] = self._mistyped(slip, said[slip])
        shown = key_text(said, KEYS[self.dataset])
        assert shown is not None
        return Item(shown, at, said, said, dirt=[slip] if slip else [])

    def _mistyped(self, path: str, value: str) -> str | None:
        if path == _MONEY[self.dataset]:
            return f"{float(value) + 10:.2f}"
        if path == _NAME[self.dataset]:
            return value[:-1] + ("平" if value[-1] != "平" else "萍")
        if path == "cert_no":
            return f"SG{value[2:]}"
        return None

    def _as_before(self, key: str, item: Item) -> Item:
        """A row that says the same as in the sheet before is the same row."""
        before = self._rows.get(key)
        return before if before is not None and (before.raw, before.verdict) == (item.raw, item.verdict) else item

    def _cells(self, item: Item) -> list[Cell]:
        cells: list[Cell] = [item.raw[path] for path in TITLES[self.dataset]]
        if item.verdict != "accept":
            at = list(TITLES[self.dataset]).index(_NUMBER[self.dataset])
            cells[at] = float(item.raw[_NUMBER[self.dataset]][:15] + "000")
        return cells

    def _workbook(self, rows: list[list[Cell]], day: date) -> bytes:
        titles: list[Cell] = [*TITLES[self.dataset].values()]
        heading: list[Cell] = [f"{self.world.county.name}手工报送表（{day:%Y年%-m月%-d日}）"]
        total: list[Cell] = ["合计", None, f"{len(rows)}"]
        listed = Sheet("报送表", [heading, titles, *rows, total], [(0, 0, 0, len(titles) - 1)])
        return xlsx([Sheet("填写说明", [["请按户逐行填写。"]]), listed])
