"""Services that nobody here shaped, reached by YAML alone.

The descriptions are public ones (webserviceX, CDYNE) and the servers those of the npm package `soap` and of PHP; `install`
fetches both, and CI runs it. No farmer is in a stock quote or a weather report, so nothing of them is mapped: what is shown is
that description, call, SOAP 1.1 and 1.2, faults and rows of servers other than our mocks are met.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from adapters.kit import Http, Ports, SourceUnavailable
from adapters.kit.recording import FreeBudget, ReplaySecrets
from adapters.soap import Soap
from gateway.clock import Clock

pytestmark = pytest.mark.sockets

HERE = Path(__file__).parent
MODULES = HERE.parents[1] / "build" / "foreign" / "node_modules"
WSDLS = MODULES / "strong-soap" / "example" / "wsdls"
QUOTES = """
wsdl: wsdl/stockquote.wsdl
endpoint: {url}/quotes
port: {port}
datasets:
  homestead:
    operation: GetQuote
    params: {{symbol: "{symbol}"}}
    xml_in_xml: {{result: GetQuoteResult}}
    row: StockQuotes/Stock
    code: null
    total: null
    mapping: {{}}
"""
WEATHER = """
wsdl: {url}/?wsdl
endpoint: {url}/
datasets:
  homestead:
    operation: GetWeatherInformation
    row: WeatherDescription
    code: null
    total: null
    mapping: {{}}
  homestead_approval:
    operation: GetCityWeatherByZIP
    params: {{ZIP: "{{county}}"}}
    row: WeatherDescription
    mapping: {{}}
"""


def needs(*programs: str) -> None:
    missing = [name for name in programs if shutil.which(name) is None]
    if missing or not WSDLS.is_dir():
        pytest.skip(f"tests/foreign/install 没有装上：{'、'.join(missing) or WSDLS}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def running(command: Callable[[int], list[str]], **environment: str) -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen(command(port), env={**os.environ, **environment}, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            assert process.poll() is None, "the service ended by itself"
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def quotes() -> Iterator[str]:
    needs("node")
    described = str(WSDLS / "stockquote.wsdl")
    with running(lambda port: ["node", str(HERE / "quotes.js"), str(MODULES), str(port), described]) as url:
        yield url


@pytest.fixture(scope="module")
def weather() -> Iterator[str]:
    needs("php")
    if "soap" not in subprocess.run(["php", "-m"], capture_output=True, text=True, check=True).stdout.split():
        pytest.skip("tests/foreign/install 没有装上：php-soap")
    with running(
        lambda port: ["php", "-S", f"127.0.0.1:{port}", str(HERE / "weather.php")], WSDL=str(WSDLS / "weather.wsdl")
    ) as url:
        yield url


class Files:
    """The packages' own folder in place of a configuration's directory."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def get(self, name: str) -> Any:
        return self.kept.get(name)

    def keep(self, name: str, documents: Any, *, anew: bool = False) -> Any:
        return self.kept.setdefault(name, documents)

    def file(self, path: str) -> bytes:
        return (WSDLS / Path(path).name).read_bytes()


@pytest.fixture
def source() -> Iterator[Callable[[str], Soap]]:
    http = Http()
    ports = Ports(http, ReplaySecrets(), FreeBudget(), Clock.real, lambda: Clock.real().date(), documents=Files())
    yield lambda text: Soap(ports, Soap.Settings.model_validate(YAML(typ="safe").load(text)), "360981")
    http.close()


@pytest.mark.parametrize("port", ["StockQuoteSoap", "StockQuoteSoap12"])
def test_quotes_of_a_node_server_come_as_rows(source: Any, quotes: str, port: str) -> None:
    reader = source(QUOTES.format(url=quotes, port=port, symbol="IBM MSFT"))
    assert [(layer.layer, layer.ok) for layer in reader.probe()] == [("auth", True), ("wsdl", True)]
    assert reader.fetch("homestead", None).rows.decode() == [
        {"Symbol": "IBM", "Last": "27.66", "Name": "IBM & Co"},
        {"Symbol": "MSFT", "Last": "27.66", "Name": "MSFT & Co"},
    ]


def test_a_node_servers_fault_is_read(source: Any, quotes: str) -> None:
    page = source(QUOTES.format(url=quotes, port="StockQuoteSoap", symbol="NONE")).fetch("homestead", None)
    assert (list(page.rows.raw), page.empty_confirmed) == ([], True)


def test_rows_of_a_php_server_are_read_by_its_own_description(source: Any, weather: str) -> None:
    reader = source(WEATHER.format(url=weather))
    assert "GetCityForecastByZIP" in reader.probe()[-1].sentence
    items = reader.fetch("homestead", None).rows.decode()
    assert [(item["WeatherID"], item["Description"]) for item in items] == [("1", "晴"), ("2", "多云"), ("3", "雷阵雨")]


def test_a_php_servers_fault_is_named_by_what_it_says(source: Any, weather: str) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        source(WEATHER.format(url=weather)).fetch("homestead_approval", None)
    assert caught.value.code == "SOURCE_5XX"
