"""Forecasts of the next minutes, each judged against a naive one as soon as they have passed.

Returns are log returns of one minute, [symbols], NaN where there is none. Every state is immutable:
a step gives another one, made of the minutes up to its own and of nothing later.
"""
