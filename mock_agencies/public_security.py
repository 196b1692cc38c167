"""公安人口查询服务: SOAP, PACKAGE inside a string, one answer about each person named and about nobody else (china-facts §1.3)."""

import threading
from collections import Counter
from importlib.resources import files
from typing import Final
from xml.sax.saxutils import escape

from lxml import etree

from mock_agencies.faults import soap_fault
from mock_agencies.items import Item
from mock_agencies.server import XML, Agency, Request, Response, capped
from mock_agencies.world import World

OFFICER: Final = {
    "QQRGMSFHM": "360999198104060171",
    "QQRXM": "司马守正",
    "QQRDWDM": "360981310077",
    "QQRDWMC": "丰城市公安局人口管理大队查询专班",
}
"""Who may ask: number, name, unit."""
NAMESPACE: Final = "urn:fengcheng:rkcx:1"
PATH: Final = "/services/Population"
RECORD_CAP: Final = 20
QUOTA: Final = 5000
"""Requests an officer may send in a day of the world."""

_MANDATORY: Final = ("FWQQBH", "QQBWDM", "SJLYXTDM", "JLS", "FSSJ", "QQYWLXDM")
_OPEN: Final = '<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
_CLOSE: Final = "</soap:Body></soap:Envelope>"


class PublicSecurity(Agency):
    """The register of residents, asked about named persons by a named officer."""

    name = "public_security"
    xml = True

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self._wsdl = files("mock_agencies").joinpath("public_security.wsdl").read_text(encoding="utf-8")
        self._guard = threading.Lock()
        self._spent: Counter[tuple[str, int]] = Counter()
        self.quota = QUOTA
        self.asked: list[tuple[int, str, str]] = []
        """Everybody an answer was given about: day of the world, number, name as asked."""

    def service(self, request: Request) -> str:
        action = (request.headers.get("SOAPAction") or "").strip('"')
        return action.removeprefix(f"{NAMESPACE}/") or request.path

    def answer(self, request: Request, twist: str | None) -> Response:
        if request.path != PATH:
            return Response(b"Not Found", 404, "text/plain")
        if request.method == "GET":
            base = f"http://{request.headers.get('Host')}{PATH}"
            return Response(self._wsdl.replace("@BASE@", base).encode(), media=XML)
        try:
            text = _parse(request.body).findtext(f".//{{{NAMESPACE}}}QueryPopulation/{{{NAMESPACE}}}request")
            package = _parse((text or "").encode(), "utf-8")
        except etree.XMLSyntaxError:
            return soap_fault("报文不是合法的XML", "soap:Client")
        head = {child.tag: child.text or "" for child in package.iterfind("PACKAGEHEAD/*")}
        records = package.findall("DATA/RECORD")
        refused = self._refusal(head, len(records))
        return refused or self._about(records[: capped(len(records), RECORD_CAP, None)], twist)

    def _refusal(self, head: dict[str, str], records: int) -> Response | None:
        if any(not head.get(name) for name in OFFICER):
            return _package("0401", "未授权：缺少请求人信息")
        if any(head[name] != value for name, value in OFFICER.items()):
            return _package("0401", "未授权：请求人未备案")
        missing = next((name for name in _MANDATORY if not head.get(name)), None)
        if missing is not None or head["JLS"] != str(records):
            return _package("0400", f"报文头不完整：{missing or 'JLS'}")
        with self._guard:
            spent = (head["QQRGMSFHM"], self._world.day)
            if self._spent[spent] >= self.quota:
                return _package("0429", "该请求人今日调用已达上限")
            self._spent[spent] += 1
        return None

    def _about(self, records: list[etree._Element], twist: str | None) -> Response:
        """One RECORD for each registration of a person, or one that says that there is none."""
        if twist == "partial":
            records = records[: len(records) // 2] + records[len(records) // 2 + 1 :]
        if twist == "capped":
            records = records[: (len(records) + 1) // 2]
        rows = []
        for record in records:
            number, name = ((record.findtext(tag) or "").strip() for tag in ("GMSFHM", "XM"))
            with self._guard:
                self.asked.append((self._world.day, number, name))
            rows += [f"<RECORD no='{record.get('no')}'>{row}</RECORD>" for row in self._rows(number, name)]
        return _package("0000", "成功", rows)

    def _rows(self, number: str, name: str) -> list[str]:
        found = self._world.resident(number)
        if not found:
            return [_nobody(number, name, "0", "查无此人")]
        if not self._world.is_called(number, name):
            return [_nobody(number, name, "2", "姓名与公民身份号码不一致")]
        return [f"<CXJG>1</CXJG><CXXX/>{_cells(item)}" for item in found]


def _nobody(number: str, name: str, code: str, text: str) -> str:
    return f"<CXJG>{code}</CXJG><CXXX>{text}</CXXX><GMSFHM>{escape(number)}</GMSFHM><XM>{escape(name)}</XM>"


def _cells(item: Item) -> str:
    """Every column, an empty element where there is nothing."""
    return "".join(f"<{k}>{escape('' if v is None else str(v))}</{k}>" for k, v in item.raw.items())


def _package(code: str, text: str, rows: list[str] | None = None) -> Response:
    """The declaration is wrong on purpose: this text travels inside a UTF-8 document."""
    head = f"<FHDM>{code}</FHDM><FHXX>{text}</FHXX>" + ("" if rows is None else f"<JLS>{len(rows)}</JLS>")
    data = "" if rows is None else f"<DATA>{''.join(rows)}</DATA>"
    inner = f'<?xml version="1.0" encoding="GBK"?><PACKAGE><PACKAGEHEAD>{head}</PACKAGEHEAD>{data}</PACKAGE>'
    body = f'<QueryPopulationResponse xmlns="{NAMESPACE}"><return>{escape(inner)}</return></QueryPopulationResponse>'
    return Response(f"{_OPEN}{body}{_CLOSE}".encode(), media=XML)


def _parse(text: bytes, encoding: str | None = None) -> etree._Element:
    """Raises XMLSyntaxError."""
    return etree.fromstring(text, etree.XMLParser(encoding=encoding, resolve_entities=False, no_network=True))
