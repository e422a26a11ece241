"""What the parameters of rules are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Margin = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Pattern = Annotated[str, Field(pattern=r"^[A-Za-z0-9.^=_:*?/-]{1,64}$")]
Watched = Annotated[str, Field(pattern=r"^(?:group:[\w .&*?/-]{1,58}|[A-Za-z0-9.^=_:*?/-]{1,64})$")]
"""A pattern of symbols, or of groups."""
Symbol = Annotated[str, Field(pattern=r"^[A-Za-z0-9.^=_:/-]{1,64}$")]


class Strict(BaseModel):
    """Takes what it knows, and nothing else."""

    model_config = ConfigDict(frozen=True, extra="forbid")
