"""What the dashboard and the API show of many things at once, each put together from the store by one function."""

from gateway.board.accounts import AccountView, account_view, account_views
from gateway.board.batches import BatchLine, BatchView, MemberLine, batch_lines, batch_view, member_lines, sink_lines
from gateway.board.configuration import ConfigurationView, CountyFileView, configuration, county_file
from gateway.board.feeds import FeedLine, FeedView, Year, feed_lines, feed_view, year_of
from gateway.board.letter import Letter
from gateway.board.metrics import Metrics
from gateway.board.overview import Changes, Overview, Today, overview
from gateway.board.runs import RunView, run_view
from gateway.board.seat import Invitation, invite

__all__ = [
    "AccountView",
    "BatchLine",
    "BatchView",
    "Changes",
    "ConfigurationView",
    "CountyFileView",
    "FeedLine",
    "FeedView",
    "Invitation",
    "Letter",
    "MemberLine",
    "Metrics",
    "Overview",
    "RunView",
    "Today",
    "Year",
    "account_view",
    "account_views",
    "batch_lines",
    "batch_view",
    "configuration",
    "county_file",
    "feed_lines",
    "feed_view",
    "invite",
    "member_lines",
    "overview",
    "run_view",
    "sink_lines",
    "year_of",
]
