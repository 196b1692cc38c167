"""不动产登记: SOAP 1.1 document/literal, once with typed rows and once with XML inside a string (china-facts §1.3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from mock_agencies.auth_doors import Door, Fixed
from mock_agencies.auth_standards import Basic, Wsse
from mock_agencies.counties import PILOT
from mock_agencies.faults import soap_fault
from mock_agencies.items import Item
from mock_agencies.server import XML, Agency, Cut, Request, Response, capped, mounted
from mock_agencies.wording import Served, pick

TOKEN: Final = "demo-real-estate-token"
PATH: Final = "/services/RealEstate"
PAGE_CAP: Final = 500

_OPEN: Final = '<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
_CLOSE: Final = "</soap:Body></soap:Envelope>"


def _description(name: str) -> str:
    return files("mock_agencies").joinpath(name).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Register:
    """A county's own installation: who may call, and how the rows are written."""

    door: str = "fixed"
    """Which of `DOORS`."""
    keys: Mapping[str, str] = field(default_factory=lambda: {"token": TOKEN})
    attributes: bool = False
    """All data in attributes, elements empty (§1.3)."""
    encoding: str = "utf-8"


DOORS: Final[Mapping[str, type[Door]]] = {"fixed": Fixed, "basic": Basic, "wsse": Wsse}


class RealEstate(Agency):
    """Homestead rights, and rights of other kinds among them. A county's namespace is `urn:<pinyin>:bdc:1`."""

    name = "real_estate"
    xml = True

    def __init__(self, served: Mapping[str, Served], registers: Mapping[str, Register]) -> None:
        super().__init__()
        self._served, self._registers = served, {code: registers.get(code, Register()) for code in served}
        self.doors = {code: DOORS[r.door](r.door, r.keys) for code, r in self._registers.items()}
        self._wsdl, self._xsd = _description("real_estate.wsdl"), _description("real_estate.xsd")

    def service(self, request: Request) -> str:
        action = (request.headers.get("SOAPAction") or "").strip('"')
        return action.rpartition("/")[2] or request.path

    def answer(self, request: Request, twist: str | None) -> Response:
        county, path = mounted(request.path, self._served, PILOT)
        if path != PATH:
            return Response(b"Not Found", 404, "text/plain")
        if request.method == "GET":
            return self._describe(request, county)
        if (turned_away := self.doors[county].check(request)) is not None:
            return turned_away if turned_away.media == XML else soap_fault("鉴权失败，令牌无效", "soap:Client")
        try:
            body = _parse(request.body)
        except etree.XMLSyntaxError:
            return soap_fault("报文不是合法的XML", "soap:Client")
        call = body.find("{http://schemas.xmlsoap.org/soap/envelope/}Body/*")
        operation = "" if call is None else etree.QName(call).localname
        try:
            if call is not None and operation == "QueryHomesteads":
                return self._typed(county, call, twist)
            if call is not None and operation == "QueryHomesteadsXml":
                return self._inner(county, call, twist)
        except (ValueError, etree.XMLSyntaxError):
            return soap_fault("参数错误", "soap:Client")
        return soap_fault("未知操作", "soap:Client")

    def _describe(self, request: Request, county: str) -> Response:
        base = f"http://{request.headers.get('Host')}{request.path}"
        text = (self._xsd if "xsd" in request.query else self._wsdl).replace("@NAMESPACE@", self._namespace(county))
        return Response(text.replace("@BASE@", base).encode(), media=XML)

    def _namespace(self, county: str) -> str:
        return f"urn:{self._served[county].county.pinyin}:bdc:1"

    def _page(self, served: Served, asked: Mapping[str, str], twist: str | None) -> Cut:
        """Raises ValueError: no numbers."""
        number, size, since, county = (asked.get(name, "") for name in ("number", "size", "since", "county"))
        rows = pick(served.items("homestead"), since) if county == served.county.code else []
        step = capped(int(size), PAGE_CAP, twist)
        return self.cut(rows, max(0, int(number) - 1) * step, step, twist, f"{county}/homestead")

    def _typed(self, county: str, call: etree._Element, twist: str | None) -> Response:
        register = self._registers[county]
        names = {"pageNo": "number", "pageSize": "size", "updatedSince": "since", "qxdm": "county"}
        given = ((etree.QName(child).localname, child.text or "") for child in call)
        asked = {"number": "1"} | {names[name]: text for name, text in given if name in names}
        page = self._page(self._served[county], asked, twist)
        rows = "".join(
            _attributes(item) if register.attributes else f"<record>{item.xml}</record>" for item in page.rows
        )
        errors = f"<errItems>{page.errors}</errItems>" if page.errors else ""
        return _soap(
            f'<QueryHomesteadsResponse xmlns="{self._namespace(county)}"><code>0</code><msg>查询成功</msg>'
            f"<total>{page.total}</total>{errors}{rows}</QueryHomesteadsResponse>",
            register.encoding,
        )

    def _inner(self, county: str, call: etree._Element, twist: str | None) -> Response:
        namespace = self._namespace(county)
        text = call.findtext(f"{{{namespace}}}request") or ""
        request = _parse(text.encode(), "utf-8")
        names = {"PAGENUM": "number", "PAGESIZE": "size", "GXSJ": "since", "QXDM": "county"}
        asked = {ours: request.findtext(name) or "" for name, ours in names.items()}
        page = self._page(self._served[county], asked, twist)
        rows = "".join(f"<RECORD>{item.xml}</RECORD>" for item in page.rows)
        errors = f"<errItems>{page.errors}</errItems>" if page.errors else ""
        # The declaration is wrong on purpose: this text travels inside a UTF-8 document.
        inner = (
            f'<?xml version="1.0" encoding="GBK"?><RESPONSE><CODE>0</CODE><MSG/><TOTAL>{page.total}</TOTAL>{errors}'
            f"<DATA>{rows}</DATA></RESPONSE>"
        )
        return _soap(
            f'<QueryHomesteadsXmlResponse xmlns="{namespace}"><return>{escape(inner)}</return></QueryHomesteadsXmlResponse>'
        )


def _attributes(item: Item) -> str:
    """A row of the national exchange's kind: one empty element."""
    return f"<record {' '.join(f'{k}={quoteattr(str(v))}' for k, v in item.raw.items() if v is not None)}/>"


def _soap(body: str, encoding: str = "utf-8") -> Response:
    if encoding == "utf-8":
        return Response(f"{_OPEN}{body}{_CLOSE}".encode(), media=XML)
    opening = _OPEN.replace("UTF-8", encoding.upper())
    return Response(f"{opening}{body}{_CLOSE}".encode(encoding), media=f"text/xml; charset={encoding}")


def _parse(text: bytes, encoding: str | None = None) -> etree._Element:
    """Raises XMLSyntaxError."""
    return etree.fromstring(text, etree.XMLParser(encoding=encoding, resolve_entities=False, no_network=True))
