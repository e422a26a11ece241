"""What may change while a producer runs: its symbols, their characters, its rate and speed.

They are set like every other setting; a file can set them too, wins, and is read again on SIGHUP.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from tickstream.core.settings import Names
from tickstream.producer.domain.characters import KNOWN, Character, character_of
from tickstream.producer.domain.names import is_symbol
from tickstream.producer.domain.simulator import paced


def _speed(value: object) -> object:
    if value in ("max", math.inf):
        return math.inf
    try:
        speed = float(str(value))
    except ValueError:
        speed = math.nan
    if not (speed > 0 and math.isfinite(speed)):
        raise ValueError('must be a positive number or "max"')
    return speed


def _symbols(names: tuple[str, ...]) -> tuple[str, ...]:
    wrong = [name for name in names if not is_symbol(name)]
    if wrong:
        raise ValueError(f"must be upper-case symbols such as SPY or BRK.B, and {', '.join(wrong)} can't be one")
    return tuple(dict.fromkeys(names))


Speed = Annotated[float, BeforeValidator(_speed)]
Symbols = Annotated[Names, AfterValidator(_symbols)]
Rate = Annotated[float, Field(gt=0, le=100_000)]
_Positive = Annotated[float, Field(gt=0, le=1e9)]
_Part = Annotated[float, Field(ge=0, le=1)]


class CharacterTable(BaseModel):
    """A table `[characters.SYMBOL]`: what it leaves out is as the symbol has it by itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    price: _Positive | None = None
    drift: Annotated[float, Field(ge=-5, le=5)] | None = None
    volatility: Annotated[float, Field(ge=0, le=10)] | None = None
    market: Annotated[float, Field(ge=-1, le=1)] | None = None
    jumps: Annotated[float, Field(ge=0, le=1000)] | None = None
    jump: _Part | None = None
    interval: Annotated[float, Field(ge=0.001, le=86_400)] | None = None
    size: _Positive | None = None
    tick: Annotated[float, Field(gt=0, le=1000)] | None = None


class ConfigFile(BaseModel):
    """The file's content."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    speed: Speed | None = None
    symbols: Symbols | None = None
    rate: Rate | None = None
    characters: dict[str, CharacterTable] = Field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> ConfigFile:
        """Read and check the file.

        Raises:
            ValueError: names everything that is wrong with it.
        """
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise ValueError(f"must be a file that can be read: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"must be TOML: {error}") from None
        except ValidationError as error:
            raise ValueError(f"must be right in every line: {'; '.join(map(_told, error.errors()))}") from None


@dataclass(frozen=True, slots=True)
class Changeable:
    """What holds now.

    Attributes:
        speed: seconds of event time a second.
        symbols: the wanted ones; empty wants all of a recording, or the known ones of the simulator.
        rate: trades a second in total; None leaves each symbol its own.
        characters: the behaviour of symbols that have it set.
    """

    speed: float
    symbols: tuple[str, ...]
    rate: float | None
    characters: dict[str, Character]

    def over(self, file: ConfigFile) -> Changeable:
        """The same, with what a file sets in its place."""
        given = {
            symbol: Character(**(_fields(character_of(symbol)) | table.model_dump(exclude_none=True)))
            for symbol, table in file.characters.items()
        }
        return Changeable(
            self.speed if file.speed is None else file.speed,
            self.symbols if file.symbols is None else file.symbols,
            self.rate if file.rate is None else file.rate,
            self.characters | given,
        )

    def simulated(self) -> dict[str, Character]:
        """The simulated symbols and how they behave."""
        symbols = self.symbols or tuple({**KNOWN, **self.characters})
        found = {symbol: self.characters.get(symbol) or character_of(symbol) for symbol in symbols}
        return found if self.rate is None else paced(found, self.rate)


def _fields(character: Character) -> dict[str, float]:
    return {name: getattr(character, name) for name in Character.__slots__}


def _told(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    return f"{where} {problem['msg'].removeprefix('Value error, ')}, was {problem['input']!r}"
