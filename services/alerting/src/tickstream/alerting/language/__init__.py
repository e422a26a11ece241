"""The language of expressions: grammar, names, errors."""
