"""What is wrong with what a client sent, as problem details name it."""

from __future__ import annotations

from pydantic import ValidationError

from tickstream.alerting.spec import Problem


def problems_of(error: ValidationError) -> list[Problem]:
    """Every fault that was found, each with its place."""
    return [
        Problem("".join(f"/{part}" for part in one["loc"]), one["msg"].removeprefix("Value error, "))
        for one in error.errors(include_url=False, include_context=False)
    ]
