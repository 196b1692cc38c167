"""不动产登记: SOAP 1.1 document/literal, once with typed rows and once with XML inside a string (china-facts §1.3)."""

from importlib.resources import files
from typing import Final
from xml.sax.saxutils import escape

from lxml import etree

from mock_agencies.faults import soap_fault
from mock_agencies.items import Item
from mock_agencies.server import XML, Agency, Cut, Request, Response, capped
from mock_agencies.world import World

TOKEN: Final = "demo-real-estate-token"
NAMESPACE: Final = "urn:fengcheng:bdc:1"
PATH: Final = "/services/RealEstate"
PAGE_CAP: Final = 500
COUNTY: Final = "360981"

_OPEN: Final = '<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
_CLOSE: Final = "</soap:Body></soap:Envelope>"


def _description(name: str) -> str:
    return files("mock_agencies").joinpath(name).read_text(encoding="utf-8")


class RealEstate(Agency):
    """Homestead rights, and rights of other kinds among them."""

    name = "real_estate"
    xml = True

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self._wsdl, self._xsd = _description("real_estate.wsdl"), _description("real_estate.xsd")

    def service(self, request: Request) -> str:
        action = (request.headers.get("SOAPAction") or "").strip('"')
        return action.removeprefix(f"{NAMESPACE}/") or request.path

    def answer(self, request: Request, twist: str | None) -> Response:
        if request.path != PATH:
            return Response(b"Not Found", 404, "text/plain")
        if request.method == "GET":
            return self._describe(request)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return soap_fault("鉴权失败，令牌无效", "soap:Client")
        try:
            body = _parse(request.body)
        except etree.XMLSyntaxError:
            return soap_fault("报文不是合法的XML", "soap:Client")
        call = body.find("{http://schemas.xmlsoap.org/soap/envelope/}Body/*")
        operation = "" if call is None else etree.QName(call).localname
        try:
            if call is not None and operation == "QueryHomesteads":
                return self._typed(call, twist)
            if call is not None and operation == "QueryHomesteadsXml":
                return self._inner(call, twist)
        except (ValueError, etree.XMLSyntaxError):
            return soap_fault("参数错误", "soap:Client")
        return soap_fault("未知操作", "soap:Client")

    def _describe(self, request: Request) -> Response:
        base = f"http://{request.headers.get('Host')}{PATH}"
        text = self._xsd if "xsd" in request.query else self._wsdl
        return Response(text.replace("@BASE@", base).encode(), media=XML)

    def _page(self, number: str, size: str, since: str, county: str, twist: str | None) -> Cut:
        """Raises ValueError: no numbers."""
        rows: list[Item] = []
        if county == COUNTY:
            rows = [item for item in self._world.items("homestead") if item.updated >= since]
        step = capped(int(size), PAGE_CAP, twist)
        return self.cut(rows, max(0, int(number) - 1) * step, step, twist, "homestead")

    def _typed(self, call: etree._Element, twist: str | None) -> Response:
        asked = {etree.QName(child).localname: child.text or "" for child in call}
        page = self._page(
            asked.get("pageNo", "1"),
            asked.get("pageSize", ""),
            asked.get("updatedSince", ""),
            asked.get("qxdm", ""),
            twist,
        )
        rows = "".join(f"<record>{item.xml}</record>" for item in page.rows)
        errors = f"<errItems>{page.errors}</errItems>" if page.errors else ""
        return _soap(
            f'<QueryHomesteadsResponse xmlns="{NAMESPACE}"><code>0</code><msg>查询成功</msg><total>{page.total}</total>'
            f"{errors}{rows}</QueryHomesteadsResponse>"
        )

    def _inner(self, call: etree._Element, twist: str | None) -> Response:
        text = call.findtext(f"{{{NAMESPACE}}}request") or ""
        request = _parse(text.encode(), "utf-8")
        number, size, since, county = (request.findtext(name) or "" for name in ("PAGENUM", "PAGESIZE", "GXSJ", "QXDM"))
        page = self._page(number, size, since, county, twist)
        rows = "".join(f"<RECORD>{item.xml}</RECORD>" for item in page.rows)
        errors = f"<errItems>{page.errors}</errItems>" if page.errors else ""
        # The declaration is wrong on purpose: this text travels inside a UTF-8 document.
        inner = (
            f'<?xml version="1.0" encoding="GBK"?><RESPONSE><CODE>0</CODE><MSG/><TOTAL>{page.total}</TOTAL>{errors}'
            f"<DATA>{rows}</DATA></RESPONSE>"
        )
        return _soap(
            f'<QueryHomesteadsXmlResponse xmlns="{NAMESPACE}"><return>{escape(inner)}</return></QueryHomesteadsXmlResponse>'
        )


def _soap(body: str) -> Response:
    return Response(f"{_OPEN}{body}{_CLOSE}".encode(), media=XML)


def _parse(text: bytes, encoding: str | None = None) -> etree._Element:
    """Raises XMLSyntaxError."""
    return etree.fromstring(text, etree.XMLParser(encoding=encoding, resolve_entities=False, no_network=True))
