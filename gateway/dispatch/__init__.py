"""Carrying out runs: the port (`Dispatcher`), the embedded engine (threads), the shared one (PgQueuer), and what one run does."""

from gateway.dispatch.again import Rerunner
from gateway.dispatch.base import Dispatcher, Queued
from gateway.dispatch.execute import Executor, Outcome
from gateway.dispatch.shared import SharedDispatcher
from gateway.dispatch.threads import ThreadDispatcher

__all__ = ["Dispatcher", "Executor", "Outcome", "Queued", "Rerunner", "SharedDispatcher", "ThreadDispatcher"]
