"""`python -m mock_agencies`: serves until SIGTERM, SIGINT or, with --stdin-guard, the end of standard input."""

import argparse
import json
import os
import signal
import threading
from urllib.parse import urlsplit

from mock_agencies import start


def _guard(stop: threading.Event) -> None:
    while os.read(0, 4096):  # not sys.stdin: a daemon thread inside its buffer would upset the interpreter's exit
        pass
    stop.set()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m mock_agencies", description="模拟部门：一致的合成世界上的数据源")
    parser.add_argument("--households", type=int, default=2000, help="丰城市的户数")
    parser.add_argument("--others", type=int, default=0, help="其余九个县各自的户数，0 = 只有丰城市")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dirt", type=float, default=0.03, help="脏数据比例，0 到 1")
    parser.add_argument("--base-port", type=int, default=18600, help="控制端口，其后七个给部门；0 = 任选空闲端口")
    parser.add_argument("--stdin-guard", action="store_true", help="标准输入关闭时退出")
    options = parser.parse_args()
    if options.households < 1 or options.others < 0 or not 0 <= options.dirt <= 1:
        parser.error("--households 至少为 1，--others 不为负，--dirt 在 0 与 1 之间")

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if options.stdin_guard:
        threading.Thread(target=_guard, args=(stop,), daemon=True).start()
    with start(options.households, options.seed, options.dirt, options.base_port, others=options.others) as mocks:
        ports = {name: urlsplit(url).port for name, url in mocks.urls.items()}
        print(json.dumps({"ready": True, "ports": ports, "sources": mocks.sources}), flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
