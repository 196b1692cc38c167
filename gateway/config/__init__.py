"""Configuration: drafts on disk, validated with places, published as versions."""

from gateway.config.cron import cron_trigger
from gateway.config.load import Config, Feed, digest, overlaid, read, read_texts, resolve
from gateway.config.models import AccountModel, CatalogueEntry, GatewayFile, MemberModel, SinkModel
from gateway.config.positions import Problem

__all__ = [
    "AccountModel",
    "CatalogueEntry",
    "Config",
    "Feed",
    "GatewayFile",
    "MemberModel",
    "Problem",
    "SinkModel",
    "cron_trigger",
    "digest",
    "overlaid",
    "read",
    "read_texts",
    "resolve",
]
