"""The exceptions of Tickstream.

Whether a failure may pass when tried again is its type: `RetryableError` or `FatalError`.
"""

from __future__ import annotations

from dataclasses import dataclass


class TickstreamError(Exception):
    """Everything that Tickstream raises on purpose."""


class RetryableError(TickstreamError):
    """The same call may succeed later: a server is away, a time ran out.

    Args:
        reason: what is away.
        retry_after: seconds that the server itself asked to be left alone, 0 when it didn't.
    """

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class FatalError(TickstreamError):
    """Trying again won't help; the service ends with exit code 1."""


class BadRecordError(TickstreamError):
    """A record that can't be taken; it goes to the topic's DLQ with this text as the reason."""


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """One setting, or several together, that break a rule.

    Attributes:
        name: the setting's; none when the rule, which then names them, is about several.
        value: what it was.
        rule: what it must be.
    """

    name: str
    value: str
    rule: str

    def __str__(self) -> str:
        return f"{self.name} {self.rule}, was {self.value}" if self.name else self.rule


class SettingsError(TickstreamError):
    """All settings that break a rule, found together; the service ends with exit code 2."""

    def __init__(self, problems: tuple[SettingProblem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))
