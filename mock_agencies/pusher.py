"""订阅推送: a platform that pushes changes as signed notifications, at least once and in any order (china-facts §1.6)."""

import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from datetime import time as dtime
from http.client import HTTPConnection, HTTPException
from queue import Empty, SimpleQueue
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

from mock_agencies.items import Raw
from mock_agencies.ledger import stamp
from mock_agencies.world import World

SECRET: Final = "demo-push-secret-360981"
RESOURCE: Final = "307036000001/000360"
OPS: Final = {"I": "新增", "U": "变更", "D": "注销"}
_HISTORY: Final = datetime.combine(date(2025, 2, 1), dtime(8))
_SHANGHAI: Final = timezone(timedelta(hours=8))


class Pusher:
    """One subscription: pushes to one address, again and again until it is answered `{"code":"0"}`."""

    def __init__(self, url: str, secret: str = SECRET, *, timeout: float = 10.0, pause: float = 0.1) -> None:
        self._address, self._secret, self._timeout, self._pause = urlsplit(url), secret, timeout, pause
        self._batch = 0
        self._sent: dict[str, Raw] = {}

    def notice(self, op: str, rows: Sequence[Raw], *, batch: str = "", pushed: str = "") -> bytes:
        """A signed notification; the batch number counts up and the push time is now, unless said."""
        self._batch += 1
        members: dict[str, Any] = {
            "resourceId": RESOURCE,
            "batchNo": batch or f"TS{self._batch:08d}",
            "opType": op,
            "pushTime": pushed or stamp(datetime.now(_SHANGHAI).replace(tzinfo=None)),
            "data": rows,
        }
        return json.dumps({**members, "sign": sign(members, self._secret)}, ensure_ascii=False).encode()

    def changes(self, world: World) -> list[bytes]:
        """What changed in the world's homesteads since this was asked last, one notification a row."""
        now = {f"{item.key}/{item.ordinal}": item.raw for item in world.items("homestead")}
        out = [
            self.notice("U" if key in self._sent else "I", [row])
            for key, row in now.items()
            if self._sent.get(key) != row
        ]
        out += [self.notice("D", [row]) for key, row in self._sent.items() if key not in now]
        self._sent = now
        return out

    def push(self, body: bytes, connection: HTTPConnection | None = None) -> str:
        """Pushes once; answers the code, or what went wrong."""
        used = connection or self._connection()
        try:
            used.request("POST", self._address.path, body, {"Content-Type": "application/json"})
            answer = json.loads(used.getresponse().read())
        except (OSError, HTTPException, ValueError) as error:
            used.close()
            return type(error).__name__
        finally:
            if connection is None:
                used.close()
        return str(answer.get("code"))

    def push_all(
        self, bodies: Iterable[bytes], *, threads: int = 4, stop: threading.Event | None = None
    ) -> Counter[str]:
        """Pushes each until it is acknowledged, several at a time; answers how often it heard what."""
        waiting: SimpleQueue[bytes] = SimpleQueue()
        for body in bodies:
            waiting.put(body)
        heard: Counter[str] = Counter()
        workers = [threading.Thread(target=self._work, args=(waiting, heard, stop)) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return heard

    def _work(self, waiting: "SimpleQueue[bytes]", heard: Counter[str], stop: threading.Event | None) -> None:
        connection = self._connection()
        while not (stop and stop.is_set()):
            try:
                body = waiting.get_nowait()
            except Empty:
                break
            while (code := self.push(body, connection)) != "0" and not (stop and stop.is_set()):
                heard[code] += 1
                time.sleep(self._pause)
            heard[code] += 1
        connection.close()

    def _connection(self) -> HTTPConnection:
        return HTTPConnection(self._address.hostname or "", self._address.port, timeout=self._timeout)


def sign(members: Mapping[str, Any], secret: str) -> str:
    """HMAC-SHA256, in hex, over `name=value` of every member that is not blank, sorted by name and joined with `&`.

    A text stands as it is, anything else as the JSON that is sent.
    """
    told = {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in members.items()
        if value not in ("", None)
    }
    text = "&".join(f"{name}={told[name]}" for name in sorted(told))
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def history(world: World, count: int, seed: int = 1) -> tuple[list[tuple[str, Raw]], list[Raw]]:
    """So many changes of the world's homesteads, oldest first, as (operation, row); and the rows that are left at the end.

    First every row is entered; then areas are corrected, rights withdrawn, and some of these entered again. A withdrawal
    has the row as it was last, with its old update time, as exchanges send it.
    """
    rng = Random(f"{seed}/push")
    twins = {key for key, n in Counter(item.key for item in world.items("homestead")).items() if n > 1}
    items = [item for item in world.items("homestead") if item.key not in twins][:count]
    rows: dict[str, Raw] = {}
    gone: dict[str, Raw] = {}
    out: list[tuple[str, Raw]] = []
    clean = [item.key for item in items if item.verdict == "accept" and not item.dirt]
    for second in range(count):
        updated = stamp(_HISTORY + timedelta(seconds=second))
        if second < len(items):
            key, op, row = items[second].key, "I", items[second].raw
        else:
            key = rng.choice(clean)
            op = "I" if key in gone else "D" if rng.random() < 0.1 else "U"
            row = gone.pop(key) if key in gone else rows[key]
        if op == "D":
            gone[key] = rows.pop(key)
            out.append((op, row))
            continue
        if second >= len(items):
            row = {**row, "SYQMJ": f"{rng.randint(4500, 24000) / 100:.2f}"}
        rows[key] = {**row, "GXSJ": updated}
        out.append((op, rows[key]))
    return out, list(rows.values())


def disordered(
    bodies: Sequence[bytes], seed: int = 1, *, repeated: float = 0.05, displaced: float = 0.05
) -> list[bytes]:
    """The same notifications with a share of them twice and a share of them much later than they should come."""
    rng = Random(f"{seed}/disorder")
    places: list[tuple[float, bytes]] = []
    for at, body in enumerate(bodies):
        late = rng.uniform(1, len(bodies) / 4) if rng.random() < displaced else 0.0
        places.append((at + late, body))
        if rng.random() < repeated:
            places.append((at + rng.uniform(0, len(bodies) / 4), body))
    return [body for _, body in sorted(places, key=lambda place: place[0])]
