"""Real estate: a WSDL that zeep reads, typed rows, XML inside XML, faults."""

from collections.abc import Iterator

import pytest
import zeep
from lxml import etree
from requests import Session

from mock_agencies.homesteads import ELEMENTS

NS = "{urn:fengcheng:bdc:1}"


@pytest.fixture
def service(mocks) -> Iterator:
    with Session() as session:
        session.headers["Authorization"] = "Bearer demo-real-estate-token"
        # forbid_external would forbid the schema the WSDL itself imports over HTTP.
        settings = zeep.Settings(forbid_dtd=True, forbid_entities=True, forbid_external=False)
        url = mocks.urls["real_estate"] + "/services/RealEstate?wsdl"
        yield zeep.Client(url, transport=zeep.Transport(session=session), settings=settings).service


def rows_of(answer) -> list[dict]:
    return [
        {etree.QName(cell).localname: cell.text for cell in record}
        for record in etree.fromstring(answer.content).iter(f"{NS}record")
    ]


def sent(items) -> list[dict]:
    """Rows as XML shows them: a missing element is None, an empty one has no text."""
    return [{k: (str(v) or None) for k, v in item.raw.items() if v is not None} for item in items]


def test_the_description_imports_its_schema(client):
    url = client.mocks.urls["real_estate"] + "/services/RealEstate"
    wsdl = etree.fromstring(client.http.get(f"{url}?wsdl").content)
    (location,) = wsdl.xpath("//*[local-name()='import']/@schemaLocation")
    assert location == f"{url}?xsd=1"
    schema = etree.fromstring(client.http.get(location).content)
    names = schema.xpath("//*[@name='Homestead']//*[local-name()='element']/@name")
    assert names == ELEMENTS


def test_zeep_reads_typed_rows(service, mocks):
    answer = service.QueryHomesteads(pageNo=2, pageSize=20, qxdm="360981")
    items = mocks.world.items("homestead")
    assert (answer.code, answer.total, len(answer.record)) == ("0", len(items), 20)
    for record, item in zip(answer.record, items[20:40], strict=True):
        given = {name: record[name] or None for name in ELEMENTS}
        assert given == {name: None if value is None else str(value) or None for name, value in item.raw.items()}


def test_zeep_reads_xml_inside_xml(service, mocks):
    request = "<REQUEST><PAGENUM>1</PAGENUM><PAGESIZE>30</PAGESIZE><GXSJ/><QXDM>360981</QXDM></REQUEST>"
    text = service.QueryHomesteadsXml(request)
    declaration = '<?xml version="1.0" encoding="GBK"?>'
    assert text.startswith(declaration)
    root = etree.fromstring(text.removeprefix(declaration))
    items = mocks.world.items("homestead")
    assert [root.findtext("CODE"), root.findtext("MSG"), root.findtext("TOTAL")] == ["0", "", str(len(items))]
    assert [{c.tag: c.text for c in r} for r in root.iter("RECORD")] == sent(items[:30])


def test_pages_hold_every_row_and_are_capped(client):
    items = client.mocks.world.items("homestead")
    rows = [row for number in (1, 2, 3) for row in rows_of(client.homesteads(number, 200))]
    assert rows == sent(items)
    assert len(items) <= 500
    assert len(rows_of(client.homesteads(1, 10**6))) == len(items)


def test_rows_are_capped_at_500(monkeypatch, client):
    monkeypatch.setattr("mock_agencies.real_estate.PAGE_CAP", 40)
    answer = client.homesteads(2, 500)
    assert rows_of(answer) == sent(client.mocks.world.items("homestead")[40:80])


def test_rows_since_and_of_another_county(client):
    items = client.mocks.world.items("homestead")
    since = items[-9].updated
    assert len(rows_of(client.homesteads(since=since))) == sum(item.updated >= since for item in items)
    other = client.soap("QueryHomesteads", "<pageNo>1</pageNo><pageSize>9</pageSize><qxdm>360982</qxdm>")
    assert etree.fromstring(other.content).findtext(f".//{NS}total") == "0"


@pytest.mark.parametrize(
    ("operation", "body", "token"),
    [
        ("QueryHomesteads", "<pageNo>1</pageNo><pageSize>1</pageSize><qxdm>360981</qxdm>", "wrong"),
        ("QueryHomesteads", "<pageNo>one</pageNo><pageSize>1</pageSize><qxdm>360981</qxdm>", "demo-real-estate-token"),
        ("QueryHomesteadsXml", "<request>not xml</request>", "demo-real-estate-token"),
        ("Unknown", "", "demo-real-estate-token"),
    ],
)
def test_errors_are_soap_faults(client, operation, body, token):
    answer = client.soap(operation, body, token=token)
    assert answer.status_code == 500
    assert etree.fromstring(answer.content).findtext(".//faultstring")
