"""What lies between a gateway and its node: a proxy that loses answers, hangs, cuts, or is as narrow as FISCO BCOS."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FISCO_METHODS = {
    *("eth_chainId", "eth_gasPrice", "eth_blockNumber", "eth_getBalance", "eth_getStorageAt", "eth_getCode"),
    *("eth_getTransactionCount", "eth_sendRawTransaction", "eth_call", "eth_estimateGas", "eth_getBlockByHash"),
    *("eth_getBlockByNumber", "eth_getTransactionByHash", "eth_getTransactionReceipt", "eth_getLogs", "net_version"),
}
"""bcos-rpc/web3jsonrpc/endpoints/EthMethods.h, as chain.md §1 lists it."""


class Proxy:
    """Faults are switched while it runs. `lose` names methods whose answers never arrive, though the node has them."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.lose: set[str] = set()
        self.cut = self.hang = self.fisco = False
        self.latency = 0.0
        self.calls: Counter[str] = Counter()
        self.batches: list[int] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_POST(self) -> None:
                proxy._serve(self)

            def log_message(self, *_: Any) -> None:
                """Nobody reads it."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:
                """Whoever hung up was meant to."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self.hang = False
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        asked = json.loads(handler.rfile.read(int(handler.headers["content-length"])))
        methods = {call["method"] for call in (asked if isinstance(asked, list) else [asked])}
        self.calls.update(methods)
        while self.hang:
            time.sleep(0.05)
        time.sleep(self.latency)
        if not self.cut:
            try:
                told = json.dumps(self._ask(asked)).encode()
            except OSError:
                return self._drop(handler)
            if not methods & self.lose and not self.cut:
                handler.send_response(200)
                handler.send_header("content-type", "application/json")
                handler.send_header("content-length", str(len(told)))
                handler.end_headers()
                handler.wfile.write(told)
                return None
        return self._drop(handler)

    def _drop(self, handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)

    def _ask(self, asked: Any) -> Any:
        if not self.fisco:
            return self._upstream(asked)
        if isinstance(asked, list):
            self.batches.append(len(asked))
            if len(asked) > 8:
                return {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "batch size limit 8"}}
            return [self._fisco(call) for call in asked]
        return self._fisco(asked)

    def _fisco(self, call: dict[str, Any]) -> Any:
        method, params = call["method"], call["params"]
        if method not in FISCO_METHODS:
            return _error(call, -32601, "Method not found")
        if method == "eth_sendRawTransaction" and len(params[0]) // 2 > 49_152 + 200:
            return _error(call, 10013, "MaxInitCodeSizeExceeded")
        if method == "eth_getLogs":
            first, last = int(params[0]["fromBlock"], 16), int(params[0]["toBlock"], 16)
            call = {**call, "params": [{**params[0], "toBlock": hex(min(last, first + 9))}]}
        if method == "eth_getTransactionByHash":
            return {"jsonrpc": "2.0", "id": call["id"], "result": None}
        told = self._upstream(call)
        if method == "eth_sendRawTransaction" and "error" in told:
            known = "imported" in told["error"]["message"]
            return _error(call, 10004 if known else 10000, "AlreadyInTxPool" if known else "NonceCheckFail")
        if method.startswith("eth_getBlockBy") and told.get("result"):
            told["result"]["extraData"] = "0x" + "ab" * 97
            told["result"]["timestamp"] = hex(int(told["result"]["timestamp"], 16) * 1000)
        return told

    def _upstream(self, asked: Any) -> Any:
        body = json.dumps(asked).encode()
        request = urllib.request.Request(self.upstream, body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())


def _error(call: dict[str, Any], code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call["id"], "error": {"code": code, "message": message}}


@contextmanager
def proxy(upstream: str) -> Iterator[Proxy]:
    made = Proxy(upstream)
    try:
        yield made
    finally:
        made.close()
