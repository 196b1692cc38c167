"""What vendors do differently around the rows: envelopes (china-facts §1.2) and ways to page (§1.7)."""

import base64
import binascii
import json
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mock_agencies.items import Item
from mock_agencies.wording import row_number


@dataclass(frozen=True)
class Slice:
    """One page as an envelope must show it."""

    rows: Sequence[Item]
    total: int
    """What the source claims the whole holds."""
    errors: int
    start: int
    size: int


@dataclass(frozen=True)
class Wrap:
    """One envelope, as text in which @…@ stands for what changes; `empty` is sent instead where nothing is found."""

    page: str
    refusal: str
    empty: str = ""
    media: str = "application/json"

    def write(self, page: Slice) -> str:
        if self.empty and not page.rows:
            return self.empty
        rows = f"[{','.join(item.json for item in page.rows)}]"
        following = page.start + len(page.rows)
        values = {
            "@total@": str(page.total),
            "@count@": str(len(page.rows)),
            "@pages@": str(-(-page.total // page.size)),
            "@size@": str(page.size),
            "@number@": str(page.start // page.size),
            "@errors@": f',"errItems":{page.errors}' if page.errors else "",
            "@next@": token_of(following) if page.rows and following < page.total else "",
        }
        out = self.page
        for name, value in values.items():
            out = out.replace(name, value)
        if "@text@" in out:
            inner = f'{{"total":"{page.total}","rows":{rows}}}'
            return out.replace("@text@", json.dumps(inner, ensure_ascii=False))
        return out.replace("@rows@", rows)

    def refuse(self, code: str, message: str) -> str:
        return self.refusal.replace("@code@", code).replace("@msg@", message)


_PLAIN: Final = '{"code":"@code@","msg":"@msg@","data":null}'
WRAPS: Final[Mapping[str, Wrap]] = {
    "list": Wrap('{"code":"0","msg":"成功","data":{"total":@total@,"list":@rows@}@errors@}', _PLAIN),
    "records": Wrap(
        '{"code":200,"msg":"操作成功","data":{"records":@rows@,"total":"@total@","size":@size@,"pages":@pages@}@errors@}',
        _PLAIN,
    ),
    "datas": Wrap(
        '{"recode":"000000","msg":"成功","datas":@rows@,"totalDataCount":@total@,"totalPage":@pages@@errors@}',
        '{"recode":"@code@","msg":"@msg@","datas":""}',
    ),
    "fwxx": Wrap(
        '{"type":"success","data":{"fwxx":@rows@,"total":@total@}@errors@}',
        '{"type":"fail","data":"@msg@"}',
    ),
    "state": Wrap(
        '{"state":200,"message":"success","data":@rows@,"totalItems":@total@@errors@}',
        '{"state":@code@,"message":"@msg@","data":[]}',
    ),
    "content": Wrap(
        '{"status":"1","message":"","result":{"content":@rows@,"totalElements":@total@,"totalPages":@pages@,'
        '"number":@number@}@errors@}',
        '{"status":"@code@","message":"@msg@","result":null}',
    ),
    "text": Wrap('{"code":"0000","message":"","data":@text@@errors@}', '{"code":"@code@","message":"@msg@","data":""}'),
    "pages": Wrap(
        '{"isSuccessful":"true","message":"查询成功","data":@rows@,"total":@pages@@errors@}',
        '{"isSuccessful":"fail","message":"@msg@","data":""}',
    ),
    "next": Wrap(
        '{"retcode":"0","retmsg":"ok","rows":@rows@,"totalCount":@total@,"next":"@next@"@errors@}',
        '{"retcode":"@code@","retmsg":"@msg@"}',
    ),
    "bare": Wrap("@rows@", _PLAIN),
    "day": Wrap(
        '{"code":"1","msg":"查询成功","result":@rows@,"count":@count@@errors@}',
        _PLAIN,
        empty='{"code":"0","msg":"未查询到数据","result":null}',
    ),
}
"""Name -> envelope. `pages` puts the number of pages where its neighbours put the number of rows."""


def token_of(start: int) -> str:
    """Where the next page begins, said so that nobody counts on it."""
    return base64.urlsafe_b64encode(f"page@{start}".encode()).decode()


class Pager(ABC):
    """One way to ask for a page."""

    @abstractmethod
    def slice(self, asked: Mapping[str, str], rows: Sequence[Item]) -> tuple[int, int]:
        """Where the page begins in `rows` and how many are asked for. Raises ValueError: the parameters are no such page."""


@dataclass(frozen=True)
class Numbered(Pager):
    """Page and size, the first page being `first`; PAGENUM is the size at some platforms."""

    page: str
    size: str
    first: int = 1

    def slice(self, asked: Mapping[str, str], rows: Sequence[Item]) -> tuple[int, int]:
        size = int(asked[self.size])
        return max(0, int(asked.get(self.page, self.first)) - self.first) * size, size


@dataclass(frozen=True)
class Started(Pager):
    """The number of the first row and how many."""

    offset: str
    size: str
    first: int = 0

    def slice(self, asked: Mapping[str, str], rows: Sequence[Item]) -> tuple[int, int]:
        return max(0, int(asked.get(self.offset, self.first)) - self.first), int(asked[self.size])


@dataclass(frozen=True)
class After(Pager):
    """The rows after the last one the caller has."""

    last: str
    size: str

    def slice(self, asked: Mapping[str, str], rows: Sequence[Item]) -> tuple[int, int]:
        return bisect_right(rows, asked.get(self.last, ""), key=row_number), int(asked[self.size])


@dataclass(frozen=True)
class Tokens(Pager):
    """With what the page before said."""

    token: str
    size: str

    def slice(self, asked: Mapping[str, str], rows: Sequence[Item]) -> tuple[int, int]:
        given, start = asked.get(self.token, ""), 0
        if given:
            try:
                start = int(base64.urlsafe_b64decode(given).decode().removeprefix("page@"))
            except (binascii.Error, UnicodeDecodeError) as error:
                raise ValueError("no token of ours") from error
        return start, int(asked[self.size])


@dataclass(frozen=True)
class Whole(Pager):
    """Everything at once."""

    def slice(self, asked: Mapping[str, str], rows: Sequence[Item]) -> tuple[int, int]:
        return 0, max(1, len(rows))
