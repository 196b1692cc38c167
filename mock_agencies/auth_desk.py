"""A desk that lets callers in as real platforms do: each auth profile of china-facts §1.1 under a path of its own.

Everything is checked again from what the platforms prescribe, with their tolerances and in their words. Behind each door
lie the same seven rows.

with auth_desk.start() as (desk, url):
    requests go to f"{url}/zj/…"; desk.zj.expire("request") lets a secret's time run out
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

from lxml import etree

from mock_agencies.auth_doors import COUNTY, ROWS, Door, Fixed, Gj, Login, Sha1, Tif, Xclient, Zj, refused
from mock_agencies.auth_standards import Basic, Digest, Mutual, Wsse
from mock_agencies.faults import Faults
from mock_agencies.server import XML, Agency, Host, Request, Response


class AuthDesk(Agency):
    """All doors, and the list of addresses that may come near them."""

    name = "auth_desk"

    def __init__(self) -> None:
        super().__init__()
        self.tif, self.zj, self.gj, self.xclient, self.sha1 = (
            Tif("tif"),
            Zj("zj"),
            Gj("gj"),
            Xclient("xclient"),
            Sha1("sha1"),
        )
        self.login, self.fixed, self.basic, self.digest = (
            Login("login"),
            Fixed("fixed"),
            Basic("basic"),
            Digest("digest"),
        )
        self.wsse, self.mutual = Wsse("wsse"), Mutual("mutual")
        self.allowed: set[str] | None = None
        """None: anybody."""

    def service(self, request: Request) -> str:
        return request.path

    def answer(self, request: Request, twist: str | None) -> Response:
        door: Door = getattr(self, request.path.split("/")[1])
        if self.allowed is not None and request.client not in self.allowed:
            return refused(403, f"请求IP[{request.client}]不在白名单中", 403)
        if request.method == "GET" and request.query.keys() & {"wsdl"}:
            text = files("mock_agencies").joinpath("auth_desk.wsdl").read_text("utf-8")
            return Response(
                text.replace("@BASE@", f"http://{request.headers['Host']}{request.path}").encode(), media=XML
            )
        turned_away = door.check(request)
        if turned_away is not None:
            return turned_away
        return _rows(request) if request.body.lstrip().startswith(b"<") else door.serve(request)


def _rows(request: Request) -> Response:
    """The seven rows for a SOAP call that names the county."""
    asked = etree.fromstring(request.body).findtext(".//{urn:auth-desk:1}qxdm")
    rows = "".join(f"<record><ID>{row['ID']}</ID></record>" for row in ROWS if asked == COUNTY)
    body = f"<code>0</code><msg/><total>{len(ROWS)}</total>{rows}"
    return Response(
        '<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
        f'<soap:Body><QueryResponse xmlns="urn:auth-desk:1">{body}</QueryResponse></soap:Body></soap:Envelope>'.encode(),
        media=XML,
    )


@contextmanager
def start(tls: ssl.SSLContext | None = None) -> Iterator[tuple[AuthDesk, str]]:
    """Runs the desk in threads of this process, with `tls` behind HTTPS."""
    desk = AuthDesk()
    host = Host(desk, Faults(), 0)
    if tls is not None:
        host.socket = tls.wrap_socket(host.socket, server_side=True)
    host.start()
    try:
        yield desk, host.url.replace("http:", "https:") if tls is not None else host.url
    finally:
        host.stop()
