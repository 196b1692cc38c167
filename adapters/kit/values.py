"""Values as people write them in a county's file: spans, addresses, charsets, formats of time, texts with places to fill in."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from string import Formatter
from typing import Annotated, Any, Final, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, StrictStr

from adapters.kit.rules import CHINA
from schemas import DATASETS

PLACES: Final = ("county", "today", "month")
"""What a text may hold in braces: the county's code and the business date; `{today:%Y%m%d}` writes the date in another form."""
EPOCHS: Final[Mapping[str, int]] = {"epoch_ms": 1000, "epoch_s": 1}
"""Formats of time that no `%` can say: milliseconds and seconds since 1970."""

_SPAN: Final = re.compile(r"^(\d+)\s*(s|m|h|d)$")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PASSWORD: Final = re.compile(r"^[^/?#]*//[^/?#@]*:[^/?#@]*@")
_CHINESE: Final = frozenset({"gb2312", "gbk", "936", "cp936", "ms936", "gb18030", "gb_2312-80", "hz"})


def _span(value: Any) -> Any:
    if isinstance(value, str) and (found := _SPAN.match(value)):
        return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])
    if isinstance(value, timedelta):
        return value
    raise ValueError("请写时长，如 30s、5m、2h、1d")


def _said_in_seconds(span: timedelta) -> str:
    return f"{span // timedelta(seconds=1)}s"


def _without_password(value: Any) -> Any:
    if isinstance(value, str) and _PASSWORD.match(value):
        raise ValueError("密码不要写在地址里，请放进账号的 secrets")
    return value


def charset(name: str) -> str:
    """The codec for a declared name: gb2312, gbk and 936 are read as gb18030, which holds them and more.

    Raises:
        LookupError: there is no such encoding.
    """
    folded = name.strip().lower()
    return "gb18030" if folded in _CHINESE else codecs.lookup(folded).name


def _charset(name: str) -> str:
    try:
        charset(name)
    except LookupError as error:
        raise ValueError(f"没有文字编码 {name}。常用的有：utf-8、gb18030、gbk、gb2312") from error
    return name


def _time_format(text: str) -> str:
    if text not in EPOCHS and "%" not in text:
        raise ValueError(f"时间格式“{text}”里没有 %。写成 %Y-%m-%d %H:%M:%S 的样子，或 epoch_ms、epoch_s")
    return text


def _with_places(places: Sequence[str], text: str) -> str:
    try:
        named = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError as error:
        raise ValueError("花括号没有成对") from error
    if strange := [name for name in named if name not in places]:
        raise ValueError(f"花括号里不能写 {strange[0]}。可用的有：{'、'.join(places)}")
    return text


def _dataset(value: str) -> str:
    if value not in DATASETS:
        raise ValueError(f"没有数据资源 {value}。可用的有：{'、'.join(DATASETS)}")
    return value


Span: TypeAlias = Annotated[timedelta, BeforeValidator(_span), PlainSerializer(_said_in_seconds, when_used="json")]
DatasetName: TypeAlias = Annotated[StrictStr, AfterValidator(_dataset)]
Address: TypeAlias = Annotated[
    str, BeforeValidator(_without_password), Field(pattern=r"^https?://[^/?#]+[^?#]*[^/?#]$")
]
"""Where calls go: neither a password nor a query in it, and no slash at its end."""
Charset: TypeAlias = Annotated[str, AfterValidator(_charset)]
TimeFormat: TypeAlias = Annotated[str, AfterValidator(_time_format)]
Text: TypeAlias = Annotated[str, AfterValidator(partial(_with_places, PLACES))]
"""May hold the `PLACES` in braces."""
CountyText: TypeAlias = Annotated[str, AfterValidator(partial(_with_places, PLACES[:1]))]
"""May hold `{county}`."""
Count: TypeAlias = Annotated[int, Field(ge=1, le=100_000)]
WithoutPassword: Final = BeforeValidator(_without_password)


def written(moment: datetime, how: str) -> str:
    """A wall clock of Asia/Shanghai as a source wants it: a `strftime` format or one of `EPOCHS`."""
    if how in EPOCHS:
        return str(int(moment.replace(tzinfo=CHINA).timestamp() * EPOCHS[how]))
    return moment.strftime(how)
