"""`check` goes to where a source is, whatever it calls the place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.checks import check_feed
from gateway.config import read
from gateway.config.models import SourceModel
from gateway.errors import Usage
from gateway.sorter import FeedWork
from tests.support.house import FEEDS, ROOT


def nowhere() -> FeedWork:
    raise Usage("到此为止")


@pytest.mark.sockets
@pytest.mark.parametrize(
    ("key", "address", "told"),
    [
        ("base_url", "http://127.0.0.1:1/api", "127.0.0.1:1 连不上"),
        ("wsdl", "http://127.0.0.1:1/x?wsdl", "127.0.0.1:1 连不上"),
        ("url", "postgresql+psycopg://u@127.0.0.1:1/front", "127.0.0.1:1 连不上"),
        ("directory", "sftp://u@127.0.0.1:1/upload", "127.0.0.1:1 连不上"),
        ("url", "dm+dmPython://u@127.0.0.1", "127.0.0.1:5236 连不上"),
        ("url", "unheard+of://u@127.0.0.1/front", "到此为止"),
        ("url", "sqlite:////srv/front.db", "到此为止"),
        ("directory", "/srv/drop", "到此为止"),
    ],
)
def test_it_stops_where_nobody_answers(key: str, address: str, told: str) -> None:
    feed = read(ROOT / "config").feeds[FEEDS["homestead"]]
    source = SourceModel.model_validate({"adapter": "x", "account": "y", key: address})
    assert check_feed(replace(feed, source=source), nowhere, [])[-1].sentence.startswith(told)
