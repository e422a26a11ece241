"""Text to expressions: a LALR grammar, and a builder that checks kinds and names as it goes.

The parser builds from the bottom up and never calls itself, so no text can make it run out of stack; length and
depth are bounded all the same.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Final, NoReturn

from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from tickstream.alerting.domain.expression import Expression
from tickstream.alerting.language.builder import Builder, Misfit
from tickstream.alerting.language.errors import At, ExpressionError

MAX_LENGTH: Final = 4_000

_WORDS: Final = {
    "NUMBER": "a number",
    "NAME": "a name",
    "STRING": "a symbol",
    "DURATION": "a time such as 5m",
    "COMPARATOR": "a comparison such as >",
    "CROSSES": "crosses_above or crosses_below",
    "MOVES": "rises, falls or moves",
    "PLUS": "+",
    "MINUS": "-",
    "TIMES": "*",
    "OVER": "/",
    "LPAR": "(",
    "RPAR": ")",
    "LSQB": "[",
    "RSQB": "]",
    "COMMA": "a comma",
    "DOT": "a dot",
    "PERCENT": "%",
    "$END": "the end",
}
_VALUE: Final = frozenset({"NUMBER", "NAME", "STRING", "MINUS", "LPAR"})
_ARITHMETIC: Final = frozenset({"PLUS", "MINUS", "TIMES", "OVER"})
_CLAUSES: Final = frozenset({"UNTIL", "ON", "DURING", "FOR"})
_JOINS: Final = frozenset({"AND", "OR", "THEN"})


def parse(text: str) -> Expression:
    """The expression of a text.

    Raises:
        ExpressionError: it isn't one; says where, and what was expected.
    """
    if len(text) > MAX_LENGTH:
        reason = f"an expression must have at most {MAX_LENGTH} characters, this one has {len(text)}"
        raise ExpressionError(text, At(MAX_LENGTH, MAX_LENGTH + 1), reason)
    try:
        built: Any = _parser().parse(text)
    except Misfit as misfit:
        raise ExpressionError(text, misfit.at, misfit.reason) from None
    except UnexpectedInput as error:
        _complain(text, error)
    expression: Expression = built
    return expression


@cache
def _parser() -> Lark:
    grammar = files("tickstream.alerting.language").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="basic", transformer=Builder())


def _complain(text: str, error: UnexpectedInput) -> NoReturn:
    start = error.pos_in_stream if error.pos_in_stream is not None else len(text)
    if isinstance(error, UnexpectedCharacters):
        found = "a quoted symbol without its end" if text[start] == '"' else repr(text[start])
        quoted = ': what has one is quoted, such as "group:NAME"' if text[start] == ":" else ""
        raise ExpressionError(text, At(start, start + 1), f"{found} has no meaning here{quoted}") from None
    if not isinstance(error, UnexpectedToken):
        raise ExpressionError(text, At(start, start + 1), "the expression isn't complete") from None
    expected = _said(set(error.accepts or error.expected))
    if error.token.type == "$END":
        end = len(text.rstrip())
        raise ExpressionError(text, At(end, end + 1), f"the expression ends too early: expected {expected}") from None
    at = At(start, start + len(error.token))
    raise ExpressionError(text, at, f"expected {expected}, found {str(error.token)!r}") from None


def _said(expected: set[str]) -> str:
    """What could have stood there, in as few words as it takes."""
    said = []
    if expected >= _VALUE:
        said.append("a value")
        expected = expected - _VALUE
    for group, words in (
        (_ARITHMETIC, "an operator (+ - * /)"),
        (_JOINS, "and, or, then"),
        (_CLAUSES, "a clause (until, on, during, for)"),
    ):
        if expected >= group:
            said.append(words)
            expected = expected - group
    said += sorted(_WORDS.get(name, name.lower()) for name in expected)
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} or {said[-1]}"
