"""What the gateway itself can refuse or fail at.

    GatewayError
    ├── ConfigInvalid    one or more sentences with file:line:column; exit 2
    ├── Usage            asked for something that does not exist or is not allowed here; exit 2
    ├── Busy             somebody else holds the lease; nothing was done
    ├── LeaseLost        our lease was taken over: stop, write nothing more
    ├── NeedsPerson      the next step is a person's (too many rows vanished, an account is stopped); exit 1
    └── Unreconciled     a promise of DESIGN §5.2 does not hold: an alarm, never a log line

Sentences are Chinese with named facts, translated by `gateway.i18n` when they are shown.
"""

from __future__ import annotations

from collections.abc import Sequence


class Told(Exception):
    """An error that is one Chinese sentence with named facts, so that it can be said in another language."""

    def __init__(self, sentence: str, **facts: object) -> None:
        super().__init__(sentence, facts)
        self.sentence = sentence
        self.facts = facts

    def __str__(self) -> str:
        return self.sentence.format(**self.facts)


class GatewayError(Told):
    """What the gateway refused or failed at. `exit_code` is what a command ends with."""

    exit_code = 1


class Usage(GatewayError):
    """Asked for something that does not exist or is not allowed here."""

    exit_code = 2


class Busy(GatewayError):
    """Somebody else holds the lease; nothing was done."""


class LeaseLost(GatewayError):
    """Our lease was taken over while we worked; what was committed stands, nothing more is written."""


class NeedsPerson(GatewayError):
    """The next step is a person's."""

    def __init__(self, sentence: str, *, code: str, owner: str, action: str, **facts: object) -> None:
        super().__init__(sentence, **facts)
        self.code = code
        self.owner = owner
        self.action = action


class Unreconciled(GatewayError):
    """What went in is not what came out."""


class ConfigInvalid(GatewayError):
    """One or more faults of configuration files, each with its place."""

    exit_code = 2

    def __init__(self, problems: Sequence[object]) -> None:
        super().__init__("配置有 {count} 处问题", count=len(problems))
        self.problems = list(problems)
