"""A desk that speaks SOAP as different vendors do: each dialect of china-facts §1.3 under a path of its own.

    /attributes   all data of a row in attributes, holders below it likewise
    /session      a token got by Login, sent in a header; gone when the desk forgets it
    /dotnet       an exact SOAPAction or nothing
    /axis         knows the prefixes soapenv, xsd and xsi, and no other
    /modern       SOAP 1.2
    /package      a PACKAGE with its head as one text; answers in CDATA that declares GBK
    /file         the rows as a document beside the answer (MTOM), packed, or inline as base64
    /rude         faults with HTTP 200
    /endless      gives every row it has, whatever page was asked for

with soap_desk.start() as (desk, url):
    desk.rows = 100_000; desk.sessions.clear()
"""

import base64
import gzip
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from importlib.resources import files
from typing import Any, Final
from xml.sax.saxutils import escape

from lxml import etree

from mock_agencies.faults import Faults
from mock_agencies.people import id_number
from mock_agencies.server import XML, Agency, Host, Request, Response

NAMESPACE: Final = "urn:soap-desk:1"
SOAP11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12: Final = "http://www.w3.org/2003/05/soap-envelope"
SECRETS: Final = {"username": "demo-desk", "password": "demo-desk-password", "officer_id": "360999197001010011"}
COUNTY: Final = "360981"
OPERATIONS: Final = ("Login", "Query", "QueryXml", "QueryFile")
_PREFIXES: Final = frozenset({"soapenv", "xsd", "xsi", None})
_BINDING: Final = """<wsdl:binding name="Desk{n}" type="tns:Desk"><{s}:binding style="document"
 transport="http://schemas.xmlsoap.org/soap/http"/>{operations}</wsdl:binding>"""
_OPERATION: Final = """<wsdl:operation name="{name}"><{s}:operation soapAction="urn:soap-desk:1/{name}"/>
 <wsdl:input><{s}:body use="literal"/></wsdl:input><wsdl:output><{s}:body use="literal"/></wsdl:output></wsdl:operation>"""


def unit(number: int) -> str:
    """A unit number of our county that nobody has."""
    return f"360981100001JC{number:05d}F00010001"


def certificate(number: int) -> str:
    return f"赣（2025）丰城市不动产权第{number:07d}号"


def _holder(surname: str, number: int) -> str:
    born = date(1950 + number % 50, 1 + number % 12, 1 + number % 28)
    return f"<ZTT_GY_QLR QLRMC='{surname}一' ZJH='{id_number(born, number % 900)}'/>"


class SoapDesk(Agency):
    """One service, as many vendors would have written it."""

    name = "soap_desk"
    xml = True

    def __init__(self) -> None:
        super().__init__()
        self.rows = 3
        self.sessions: set[str] = set()
        self.logins = 0
        self.form = "attachment"
        """How /file sends its document: `attachment`, `packed` (a gzip beside the answer) or `inline`."""
        self.heard: list[etree._Element] = []
        """Envelopes as they came."""
        self.wsdl = files("mock_agencies").joinpath("soap_desk.wsdl").read_text("utf-8")

    def service(self, request: Request) -> str:
        return request.path

    def answer(self, request: Request, twist: str | None) -> Response:
        dialect = request.path.strip("/").split("/")[0]
        if request.method == "GET":
            return Response(self.described(f"{request.headers['Host']}{request.path}").encode(), media=XML)
        envelope = etree.fromstring(request.body, etree.XMLParser(resolve_entities=False, no_network=True))
        self.heard.append(envelope)
        call = envelope.find("{*}Body/*")
        if call is None:
            return fault("Client", "报文里没有调用")
        if etree.QName(call).localname == "Login":
            return self._log_in(call)
        reply: Response = getattr(self, f"_{dialect}")(request, envelope, call)
        return reply

    def described(self, where: str) -> str:
        """The description of a desk at this host and path."""
        bindings = "".join(
            _BINDING.format(n=n, s=s, operations="".join(_OPERATION.format(name=name, s=s) for name in OPERATIONS))
            for n, s in (("11", "soap"), ("12", "soap12"))
        )
        return self.wsdl.replace("@BINDINGS@", bindings).replace("@BASE@", f"http://{where}")

    def _log_in(self, call: Any) -> Response:
        self.logins += 1
        given = [call.findtext(f"{{*}}{name}") for name in ("user", "password")]
        if given != [SECRETS["username"], SECRETS["password"]]:
            return soap("<LoginResponse xmlns='urn:soap-desk:1'/>")
        token = secrets.token_hex(8)
        self.sessions = {token}
        return soap(f"<LoginResponse xmlns='urn:soap-desk:1'><token>{token}</token></LoginResponse>")

    def _attributes(self, request: Request, envelope: Any, call: Any) -> Response:
        rows = "".join(
            f"<QLF_QL_JSYDSYQ YSDM='6003010300' BDCDYH='{unit(n)}' BDCQZH='{certificate(n)}' QLLX='5' QSZT='1'"
            f" DJSJ='2025-07-{n % 28 + 1:02d} 00:00:00'>{_holder('赵', n)}{_holder('钱', n + 1)}</QLF_QL_JSYDSYQ>"
            for n in range(self.rows)
        )
        message = f"<Message code='0' total='{self.rows}'>{rows}</Message>"
        return soap(f"<QueryResponse xmlns='urn:soap-desk:1'>{message}</QueryResponse>")

    def _session(self, request: Request, envelope: Any, call: Any) -> Response:
        given = envelope.findtext(f"{{*}}Header/{{{NAMESPACE}}}Session/{{{NAMESPACE}}}token")
        if given not in self.sessions:
            return listed("", 0, code="E003", msg="请先进门")
        return self._endless(request, envelope, call)

    def _dotnet(self, request: Request, envelope: Any, call: Any) -> Response:
        action = request.headers.get("SOAPAction", "")
        if action != f'"{NAMESPACE}/{etree.QName(call).localname}"':
            return fault("Client", f"Server did not recognize the value of HTTP Header SOAPAction: {action}.")
        return self._endless(request, envelope, call)

    def _axis(self, request: Request, envelope: Any, call: Any) -> Response:
        strange = {element.prefix for element in envelope.iter("*")} - _PREFIXES
        if strange or envelope.prefix != "soapenv":
            return fault("Server", f"org.xml.sax.SAXException: unknown prefix {sorted(map(str, strange))}")
        return self._endless(request, envelope, call)

    def _modern(self, request: Request, envelope: Any, call: Any) -> Response:
        media = request.headers.get("Content-Type", "")
        if etree.QName(envelope).namespace != SOAP12 or not media.startswith("application/soap+xml"):
            return fault("VersionMismatch", "SOAP 1.2 only")
        return soap(rows_of(range(self.rows), self.rows), SOAP12)

    def _package(self, request: Request, envelope: Any, call: Any) -> Response:
        package = etree.fromstring((call.findtext("{*}request") or "").encode(), etree.XMLParser(encoding="utf-8"))
        officer, record = package.findtext("PACKAGEHEAD/QQRGMSFHM"), package.find("DATA/RECORD[@no='1']")
        if package.tag != "PACKAGE" or officer != SECRETS["officer_id"] or record is None:
            return fault("Client", "报文不合规")
        rows = "".join(f"<RECORD no='{n + 1}'><BDCDYH>{unit(n)}</BDCDYH></RECORD>" for n in range(self.rows))
        inner = (
            '<?xml version="1.0" encoding="GB2312"?><PACKAGE><PACKAGEHEAD><CODE>0</CODE><RECORD>头</RECORD></PACKAGEHEAD>'
            f"<TOTAL>{self.rows}</TOTAL><DATA>{rows}</DATA></PACKAGE>"
        )
        return soap(
            f"<QueryXmlResponse xmlns='urn:soap-desk:1'><return><![CDATA[{inner}]]></return></QueryXmlResponse>"
        )

    def _file(self, request: Request, envelope: Any, call: Any) -> Response:
        rows = "".join(f"<record><BDCDYH>{unit(n)}</BDCDYH><ZL>䶮坊{n}号</ZL></record>" for n in range(self.rows))
        document = f'<?xml version="1.0" encoding="GBK"?><d><code>0</code><total>{self.rows}</total>{rows}</d>'.encode(
            "gb18030"
        )
        if self.form == "inline":
            text = base64.encodebytes(document).decode()
            return soap(f"<QueryFileResponse xmlns='urn:soap-desk:1'><return>{text}</return></QueryFileResponse>")
        include = "<xop:Include xmlns:xop='http://www.w3.org/2004/08/xop/include' href='cid:rows%40soap-desk'/>"
        body = f"<QueryFileResponse xmlns='urn:soap-desk:1'><return>{include}</return></QueryFileResponse>"
        content = gzip.compress(document) if self.form == "packed" else document
        return beside(soap(body).body, content)

    def _rude(self, request: Request, envelope: Any, call: Any) -> Response:
        answer = fault("Server", "今日调用已达上限")
        return Response(answer.body, 200, XML)

    def _endless(self, request: Request, envelope: Any, call: Any) -> Response:
        if call.findtext("{*}region/{*}qxdm") != COUNTY:
            return fault("Client", "区县代码不合规")
        return soap(rows_of(range(self.rows), self.rows))


def rows_of(numbers: range, total: int) -> str:
    """A successful answer as elements."""
    rows = "".join(f"<record><BDCDYH>{unit(n)}</BDCDYH><ZL>剑光街道{n}号</ZL></record>" for n in numbers)
    return f"<QueryResponse xmlns='urn:soap-desk:1'><code>0</code><msg/><total>{total}</total>{rows}</QueryResponse>"


def listed(rows: str, total: int, code: str, msg: str) -> Response:
    body = f"<code>{code}</code><msg>{escape(msg)}</msg><total>{total}</total>{rows}"
    return soap(f"<QueryResponse xmlns='urn:soap-desk:1'>{body}</QueryResponse>")


def soap(body: str, namespace: str = SOAP11) -> Response:
    media = "application/soap+xml; charset=utf-8" if namespace == SOAP12 else XML
    envelope = (
        f'<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="{namespace}"><e:Body>{body}</e:Body></e:Envelope>'
    )
    return Response(envelope.encode(), media=media)


def fault(code: str, text: str) -> Response:
    body = f"<e:Fault><faultcode>e:{code}</faultcode><faultstring>{escape(text)}</faultstring></e:Fault>"
    return Response(soap(body).body, 500, XML)


def beside(envelope: bytes, document: bytes) -> Response:
    """The envelope with a document beside it, as MTOM sends them."""
    mark = b"uuid:5f3c"
    head = b'Content-Type: application/xop+xml; charset=UTF-8; type="text/xml"\r\nContent-ID: <root@soap-desk>\r\n\r\n'
    other = b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <rows@soap-desk>\r\n\r\n"
    body = b"--%s\r\n%s%s\r\n--%s\r\n%s%s\r\n--%s--\r\n" % (mark, head, envelope, mark, other, document, mark)
    media = (
        'multipart/related; type="application/xop+xml"; start="<root@soap-desk>"; start-info="text/xml"; '
        f'boundary="{mark.decode()}"'
    )
    return Response(body, media=media)


@contextmanager
def start() -> Iterator[tuple[SoapDesk, str]]:
    """Runs the desk in threads of this process."""
    desk = SoapDesk()
    host = Host(desk, Faults(), 0)
    host.start()
    try:
        yield desk, host.url
    finally:
        host.stop()
