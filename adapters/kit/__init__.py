"""What an adapter is built from: the one door to floor 1."""

from adapters.kit import registry
from adapters.kit.auth import GJ, Auth, Bearer, LoginBearer, NoAuth, Signed, exchange
from adapters.kit.base import (
    Adapter,
    Answer,
    Budget,
    Cursor,
    Item,
    Page,
    Ports,
    Probe,
    Rotating,
    Rows,
    Secrets,
    SourceSettings,
    Stream,
)
from adapters.kit.budget import AccountState, Allowance, LocalBudget, after, may_call, resume
from adapters.kit.envelope import Envelope, JsonRows, Opened
from adapters.kit.errors import RecordRejected, SourceDenied, SourceError, SourceMalformed, SourceUnavailable
from adapters.kit.files import TOTALS_AND_NOTES, FilesAdapter, FilesSettings, FilesStream
from adapters.kit.http import Http, Response
from adapters.kit.mapping import Deleted, Rejected, Translated, Translator
from adapters.kit.paging import DaySlice, Offset, PageNumber, Paging, Since, Single, Walk
from adapters.kit.relation import TableStream
from adapters.kit.rest import RestAdapter, RestSettings, RestStream, WebAdapter, WebSettings
from adapters.kit.rules import DeletedRule, FieldRule, IgnoreRule, MappingError, moment
from adapters.kit.soap import InnerXml, SoapAdapter, SoapSettings, SoapStream
from adapters.kit.table import TableAdapter, TableSettings
from adapters.kit.xmlrows import XmlRows, decode_xml_row

__all__ = [
    "GJ",
    "TOTALS_AND_NOTES",
    "AccountState",
    "Adapter",
    "Allowance",
    "Answer",
    "Auth",
    "Bearer",
    "Budget",
    "Cursor",
    "DaySlice",
    "Deleted",
    "DeletedRule",
    "Envelope",
    "FieldRule",
    "FilesAdapter",
    "FilesSettings",
    "FilesStream",
    "Http",
    "IgnoreRule",
    "InnerXml",
    "Item",
    "JsonRows",
    "LocalBudget",
    "LoginBearer",
    "MappingError",
    "NoAuth",
    "Offset",
    "Opened",
    "Page",
    "PageNumber",
    "Paging",
    "Ports",
    "Probe",
    "RecordRejected",
    "Rejected",
    "Response",
    "RestAdapter",
    "RestSettings",
    "RestStream",
    "Rotating",
    "Rows",
    "Secrets",
    "Signed",
    "Since",
    "Single",
    "SoapAdapter",
    "SoapSettings",
    "SoapStream",
    "SourceDenied",
    "SourceError",
    "SourceMalformed",
    "SourceSettings",
    "SourceUnavailable",
    "Stream",
    "TableAdapter",
    "TableSettings",
    "TableStream",
    "Translated",
    "Translator",
    "Walk",
    "WebAdapter",
    "WebSettings",
    "XmlRows",
    "after",
    "decode_xml_row",
    "exchange",
    "may_call",
    "moment",
    "registry",
    "resume",
]
