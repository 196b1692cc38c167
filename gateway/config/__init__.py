"""Configuration: drafts on disk, validated with places, published as versions."""

from gateway.config.alerting import AlertsModel, HookModel, MailModel, RouteModel
from gateway.config.cron import cron_trigger
from gateway.config.duties import impossible
from gateway.config.load import Config, Feed, digest, overlaid, read, read_texts, resolve
from gateway.config.models import (
    AccountModel,
    CatalogueEntry,
    DriftModel,
    EvmSinkModel,
    FeedModel,
    GatewayFile,
    LocalSinkModel,
    MemberModel,
)
from gateway.config.positions import Problem

__all__ = [
    "AccountModel",
    "AlertsModel",
    "CatalogueEntry",
    "Config",
    "DriftModel",
    "EvmSinkModel",
    "Feed",
    "FeedModel",
    "GatewayFile",
    "HookModel",
    "LocalSinkModel",
    "MailModel",
    "MemberModel",
    "Problem",
    "RouteModel",
    "cron_trigger",
    "digest",
    "impossible",
    "overlaid",
    "read",
    "read_texts",
    "resolve",
]
