"""Loopback data server: the same records over REST and SOAP 1.1, answered from memory.

    python -m benchmarks.server --rows 20000 --port 0

Each record is rendered once (JSON and XML bytes) at start; a page is joined once and kept.

  GET  /rest/homesteads?page=1&size=500[&updated_since=2026-01-01T00:00:00]
  GET  /soap/homesteads?wsdl      POST /soap/homesteads     (document/literal, QueryHomesteads)
  GET  /admin/gen?n=0|1           which generation is served (1 = 1% of the records changed)
  GET  /admin/stat                CPU seconds, requests and bytes so far
"""

import argparse
import asyncio
import json
import re
import resource
import socket
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from benchmarks import records

NS = "urn:example:homesteads:1"
WSDL = """<?xml version="1.0" encoding="UTF-8"?>
<definitions name="Homesteads" targetNamespace="{ns}" xmlns="http://schemas.xmlsoap.org/wsdl/"
    xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:t="{ns}">
  <types><xsd:schema targetNamespace="{ns}" elementFormDefault="qualified">
    <xsd:complexType name="Homestead"><xsd:sequence>
{fields}
    </xsd:sequence></xsd:complexType>
    <xsd:element name="QueryHomesteads"><xsd:complexType><xsd:sequence>
      <xsd:element name="pageNo" type="xsd:int"/><xsd:element name="pageSize" type="xsd:int"/>
      <xsd:element name="updatedSince" type="xsd:string" minOccurs="0"/>
    </xsd:sequence></xsd:complexType></xsd:element>
    <xsd:element name="QueryHomesteadsResponse"><xsd:complexType><xsd:sequence>
      <xsd:element name="code" type="xsd:string"/><xsd:element name="msg" type="xsd:string"/>
      <xsd:element name="total" type="xsd:int"/>
      <xsd:element name="record" type="t:Homestead" minOccurs="0" maxOccurs="unbounded"/>
    </xsd:sequence></xsd:complexType></xsd:element>
  </xsd:schema></types>
  <message name="QueryIn"><part name="parameters" element="t:QueryHomesteads"/></message>
  <message name="QueryOut"><part name="parameters" element="t:QueryHomesteadsResponse"/></message>
  <portType name="HomesteadsPort"><operation name="QueryHomesteads">
    <input message="t:QueryIn"/><output message="t:QueryOut"/></operation></portType>
  <binding name="HomesteadsBinding" type="t:HomesteadsPort">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="QueryHomesteads"><soap:operation soapAction="{ns}/QueryHomesteads"/>
      <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation></binding>
  <service name="HomesteadsService"><port name="HomesteadsPort" binding="t:HomesteadsBinding">
    <soap:address location="http://127.0.0.1:{port}/soap/homesteads"/></port></service>
</definitions>
"""


def to_json(rec):
    return json.dumps(rec, ensure_ascii=False, separators=(",", ":")).encode()


def to_xml(rec):
    return ("<record>" + "".join("<%s>%s</%s>" % (k, escape(v), k) for k, v in rec.items()) + "</record>").encode()


def http(body, ctype):
    return b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (ctype, len(body)) + body


class Store:
    def __init__(self, rows, seed, port):
        base = records.make(rows, seed)
        nxt = records.advance(base, seed)
        self.gens = (base, nxt)
        j0, x0 = [to_json(r) for r in base], [to_xml(r) for r in base]
        j1 = [a if b is c else to_json(c) for a, b, c in zip(j0, base, nxt)]
        x1 = [a if b is c else to_xml(c) for a, b, c in zip(x0, base, nxt)]
        self.bodies = ((j0, x0), (j1, x1))
        self.gen = 0
        self.cache, self.picked = {}, {}
        self.requests = self.bytes = 0
        fields = "\n".join('      <xsd:element name="%s" type="xsd:string" minOccurs="0"/>' % f for f in records.FIELDS)
        self.wsdl = http(WSDL.format(ns=NS, fields=fields, port=port).encode(), b"text/xml; charset=utf-8")

    def rows(self, kind, since):
        """Rendered rows of this generation (kind 0 JSON, 1 XML) changed at or after `since`."""
        if not since:
            return self.bodies[self.gen][kind]
        key = (self.gen, kind, since)
        got = self.picked.get(key)
        if got is None:
            got = self.picked[key] = [
                b for b, r in zip(self.bodies[self.gen][kind], self.gens[self.gen]) if r["gxsj"] >= since
            ]
        return got

    def page(self, kind, page, size, since):
        since = since.replace("T", " ")[:19]
        key = (self.gen, kind, page, size, since)
        got = self.cache.get(key)
        if got is None:
            rows = self.rows(kind, since)
            part = rows[(page - 1) * size : page * size]
            if kind == 0:
                pages = (len(rows) + size - 1) // size
                got = http(
                    b'{"code":"0","msg":"ok","data":{"total":%d,"pages":%d,"current":%d,"size":%d,"records":['
                    % (len(rows), pages, page, size)
                    + b",".join(part)
                    + b"]}}",
                    b"application/json;charset=UTF-8",
                )
            else:
                got = http(
                    b'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap='
                    b'"http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><QueryHomesteadsResponse xmlns="'
                    + NS.encode()
                    + b'"><code>0</code><msg>ok</msg><total>%d</total>' % len(rows)
                    + b"".join(part)
                    + b"</QueryHomesteadsResponse></soap:Body></soap:Envelope>",
                    b"text/xml; charset=utf-8",
                )
            self.cache[key] = got
        return got

    def stat(self):
        u = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "cpu_s": u.ru_utime + u.ru_stime,
            "requests": self.requests,
            "bytes": self.bytes,
            "gen": self.gen,
            "rows": len(self.gens[0]),
        }


_LEN = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_NO, _SIZE, _SINCE = (re.compile(rb"<(?:\w+:)?%s>([^<]*)<" % t) for t in (b"pageNo", b"pageSize", b"updatedSince"))
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


class Conn(asyncio.Protocol):
    def __init__(self, store):
        self.store, self.buf = store, b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buf += data
        while True:
            end = self.buf.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self.buf[:end]
            m = _LEN.search(head)
            stop = end + 4 + (int(m.group(1)) if m else 0)
            if len(self.buf) < stop:
                return
            body, self.buf = self.buf[end + 4 : stop], self.buf[stop:]
            out = self.answer(head.split(b"\r\n", 1)[0].decode("latin-1").split(" "), body)
            self.store.requests += 1
            self.store.bytes += len(out)
            self.transport.write(out)

    def answer(self, line, body):
        s = self.store
        path, _, query = line[1].partition("?")
        if path == "/rest/homesteads":
            q = dict(parse_qsl(query))
            return s.page(0, int(q.get("page", 1)), int(q.get("size", 500)), q.get("updated_since", ""))
        if path == "/soap/homesteads":
            if line[0] == "GET":
                return s.wsdl
            since = _SINCE.search(body)
            return s.page(
                1,
                int(_NO.search(body).group(1)),
                int(_SIZE.search(body).group(1)),
                since.group(1).decode() if since else "",
            )
        if path == "/admin/gen":
            s.gen = int(dict(parse_qsl(query))["n"])
            return http(json.dumps(s.stat()).encode(), b"application/json")
        if path == "/admin/stat":
            return http(json.dumps(s.stat()).encode(), b"application/json")
        return NOT_FOUND


async def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--rows", type=int, default=20000)
    ap.add_argument("--port", type=int, default=18080)
    ap.add_argument("--seed", type=int, default=records.DEFAULT_SEED)
    ap.add_argument("--warm", type=int, default=500, help="page size to join before listening")
    a = ap.parse_args()
    listening = socket.create_server(("127.0.0.1", a.port), backlog=64)
    port = listening.getsockname()[1]
    store = Store(a.rows, a.seed, port)
    for gen in (1, 0):
        store.gen = gen
        for kind in (0, 1):
            for p in range(1, (a.rows + a.warm - 1) // a.warm + 1):
                store.page(kind, p, a.warm, "")
    server = await asyncio.get_running_loop().create_server(lambda: Conn(store), sock=listening)
    print(port, flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    try:
        import uvloop

        uvloop.run(main())
    except ImportError:
        asyncio.run(main())
