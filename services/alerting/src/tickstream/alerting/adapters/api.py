"""The HTTP API: rules, alerts and silences as JSON, problem details (RFC 9457) for errors."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

import orjson
import psycopg
from aiohttp import web
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from tickstream.alerting.adapters import acknowledgements, rule_versions, rules_table, silences
from tickstream.alerting.adapters.alerts_query import (
    ALERT,
    DECISIONS,
    TRANSITIONS,
    AlertQuery,
    alert_json,
    decision_json,
    transition_json,
)
from tickstream.alerting.adapters.rehearsals import TooLongError, read_rehearsal, rehearsal_json
from tickstream.alerting.spec import InvalidRuleError, Problem, RuleSpec, StoredRule, parse, schema
from tickstream.core.logging import logger

_LOG = logger(__name__)
_MAX_BODY: Final = 262_144
_WAIT: Final = 5.0
_TRIAL_SECONDS: Final = 3.0
_IN_FRAGMENTS: Final = "/~!$&'()*+,;=:@?"
"""What needn't be escaped in the fragment of a URL, which a pointer is there (RFC 6901, 6)."""

Rows = list[dict[str, Any]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Pool = AsyncConnectionPool[psycopg.AsyncConnection[dict[str, Any]]]
_POOL: Final[web.AppKey[Pool]] = web.AppKey("pool")
_CALENDAR: Final[web.AppKey[str]] = web.AppKey("calendar")
_TRIALS: Final[web.AppKey[asyncio.Semaphore]] = web.AppKey("trials")


class ProblemError(Exception):
    """An answer that isn't the one hoped for."""

    def __init__(self, status: int, title: str, detail: str = "", errors: tuple[Problem, ...] = ()) -> None:
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = errors
        super().__init__(f"{status} {title}: {detail}")

    def response(self) -> web.Response:
        """As RFC 9457 has it."""
        body: dict[str, Any] = {"type": "about:blank", "title": self.title, "status": self.status}
        if self.detail:
            body["detail"] = self.detail
        if self.errors:
            pointers = (f"#{quote(each.pointer, safe=_IN_FRAGMENTS)}" for each in self.errors)
            details = (each.detail for each in self.errors)
            body["errors"] = [{"pointer": p, "detail": d} for p, d in zip(pointers, details, strict=True)]
        headers = {"WWW-Authenticate": "Bearer"} if self.status == 401 else None
        return web.Response(
            body=orjson.dumps(body), status=self.status, headers=headers, content_type="application/problem+json"
        )


def make_app(database_url: str, api_key: str | None, calendar: str) -> web.Application:
    """The application; without a key everybody who reaches it may use it, `calendar` is of bars to try rules on."""
    app = web.Application(client_max_size=_MAX_BODY, middlewares=[_problems, _guard(api_key)])
    app[_CALENDAR] = calendar
    app[_TRIALS] = asyncio.Semaphore(1)

    async def pool(app: web.Application) -> AsyncIterator[None]:
        app[_POOL] = Pool(
            database_url,
            min_size=0,
            max_size=4,
            timeout=_WAIT,
            open=False,
            kwargs={"row_factory": dict_row, "connect_timeout": int(_WAIT)},
            check=AsyncConnectionPool.check_connection,
        )
        await app[_POOL].open()
        yield
        await app[_POOL].close()

    app.cleanup_ctx.append(pool)
    app.router.add_get("/api/v1/rules", _list_rules)
    app.router.add_post("/api/v1/rules", _create_rule)
    app.router.add_get("/api/v1/rules/schema", _rule_schema)
    app.router.add_post("/api/v1/rules/test", _test_rule)
    app.router.add_get("/api/v1/rules/{id}", _get_rule)
    app.router.add_put("/api/v1/rules/{id}", _replace_rule)
    app.router.add_delete("/api/v1/rules/{id}", _delete_rule)
    app.router.add_get("/api/v1/rules/{id}/versions", _list_versions)
    app.router.add_post("/api/v1/rules/{id}/versions/{version:[0-9]{1,9}}/restore", _restore_version)
    app.router.add_get("/api/v1/alerts", _list_alerts)
    app.router.add_get("/api/v1/alerts/{id}", _get_alert)
    app.router.add_put("/api/v1/alerts/{id}/acknowledgement", _acknowledge)
    app.router.add_delete("/api/v1/alerts/{id}/acknowledgement", _take_back)
    app.router.add_get("/api/v1/silences", _list_silences)
    app.router.add_post("/api/v1/silences", _create_silence)
    app.router.add_get("/api/v1/silences/{id}", _get_silence)
    app.router.add_delete("/api/v1/silences/{id}", _expire_silence)
    return app


@web.middleware
async def _problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ProblemError as problem:
        return problem.response()
    except InvalidRuleError as error:
        return ProblemError(422, "The rule isn't valid", str(error), tuple(error.problems)).response()
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return ProblemError(error.status, error.reason, error.text or "").response()
    except (psycopg.OperationalError, PoolTimeout):
        return ProblemError(503, "The database doesn't answer").response()
    except Exception:  # noqa: BLE001 - whatever it was, the client gets an answer and the log the trace
        _LOG.exception("request_failed", path=request.path)
        return ProblemError(500, "Something went wrong here").response()


def _guard(api_key: str | None) -> Any:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if api_key is not None and request.path.startswith("/api/"):
            given = request.headers.get("X-API-Key", "")
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            shown = given or (token.strip() if scheme.lower() == "bearer" else "")
            if not hmac.compare_digest(shown.encode(), api_key.encode()):
                raise ProblemError(401, "A valid API key is needed", "as X-API-Key, or as a bearer token")
        return await handler(request)

    return guard


async def _query(request: web.Request, statement: str, values: Mapping[str, Any]) -> Rows:
    async with request.app[_POOL].connection() as connection:
        cursor = await connection.execute(statement, values)
        return await cursor.fetchall() if cursor.description else [{"rows": cursor.rowcount}]


async def _change(request: web.Request, statement: str, values: Mapping[str, Any]) -> Rows:
    """Run a statement that changes rules, in the name of who asks for it."""
    by = rule_versions.changed_by(request.headers.get(acknowledgements.ACTOR_HEADER))
    async with request.app[_POOL].connection() as connection:
        await connection.execute(rule_versions.ACT, {"by": by})
        cursor = await connection.execute(statement, values)
        return await cursor.fetchall() if cursor.description else [{"rows": cursor.rowcount}]


async def _rule_schema(_request: web.Request) -> web.Response:
    return _json(schema())


async def _list_rules(request: web.Request) -> web.Response:
    rows = await _query(request, rules_table.ALL, {})
    return _json({"items": [_rule_json(rules_table.stored_rule(row)) for row in rows]})


async def _get_rule(request: web.Request) -> web.Response:
    rows = await _query(request, rules_table.ONE, {"id": _id_of(request)})
    return _json(_rule_json(_only_rule(rows)))


async def _create_rule(request: web.Request) -> web.Response:
    stored = _only_rule(await _write(request, rules_table.INSERT, {}))
    return _json(_rule_json(stored), 201, {"Location": f"/api/v1/rules/{stored.id}"})


async def _replace_rule(request: web.Request) -> web.Response:
    return _json(_rule_json(_only_rule(await _write(request, rules_table.UPDATE, {"id": _id_of(request)}))))


async def _delete_rule(request: web.Request) -> web.Response:
    rows = await _change(request, rules_table.DELETE, {"id": _id_of(request)})
    if rows[0]["rows"] == 0:
        raise ProblemError(404, "There is no such rule")
    return web.Response(status=204)


async def _write(request: web.Request, statement: str, values: Mapping[str, Any]) -> Rows:
    return await _write_spec(request, statement, values, parse(await _json_body(request)))


async def _write_spec(request: web.Request, statement: str, values: Mapping[str, Any], spec: RuleSpec) -> Rows:
    try:
        return await _change(request, statement, {**rules_table.parameters_of(spec), **values})
    except psycopg.errors.UniqueViolation:
        raise ProblemError(409, "There is another rule of this name", spec.name) from None


async def _list_versions(request: web.Request) -> web.Response:
    rows = await _query(request, rule_versions.VERSIONS, {"id": _id_of(request)})
    if not rows:
        raise ProblemError(404, "There is no such rule")
    return _json({"items": [rule_versions.version_json(row) for row in rows]})


async def _restore_version(request: web.Request) -> web.Response:
    wanted = {"id": _id_of(request), "version": int(request.match_info["version"])}
    rows = await _query(request, rule_versions.VERSION, wanted)
    if not rows:
        raise ProblemError(404, "There is no such version of a rule", "the last 100 are kept")
    restored = await _write_spec(request, rules_table.RESTORE, {"id": wanted["id"]}, parse(rows[0]["rule"]))
    return _json(_rule_json(_only_rule(restored)))


async def _list_alerts(request: web.Request) -> web.Response:
    query = AlertQuery.read(request.query)
    if query.problems:
        raise ProblemError(400, "The query isn't valid", errors=tuple(query.problems))
    rows = await _query(request, query.statement, query.values)
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    return _json(
        {"items": [alert_json(row) for row in shown], "next_cursor": query.cursor_after(shown) if more else None}
    )


async def _get_alert(request: web.Request) -> web.Response:
    rows = await _query(request, ALERT, {"id": _id_of(request)})
    if not rows:
        raise ProblemError(404, "There is no such alert")
    transitions = [transition_json(row) for row in await _query(request, TRANSITIONS, {"id": _id_of(request)})]
    decisions = [decision_json(row) for row in await _query(request, DECISIONS, {"id": _id_of(request)})]
    return _json(alert_json(rows[0]) | {"transitions": transitions, "decisions": decisions})


async def _acknowledge(request: web.Request) -> web.Response:
    given = acknowledgements.read(await _json_body(request))
    if isinstance(given, list):
        raise ProblemError(422, "The acknowledgement isn't valid", errors=tuple(given))
    values = given.values(request.headers.get(acknowledgements.ACTOR_HEADER))
    await _query(request, acknowledgements.ACKNOWLEDGE, {"id": _id_of(request), **values})
    return await _get_alert(request)


async def _take_back(request: web.Request) -> web.Response:
    await _query(request, acknowledgements.TAKE_BACK, {"id": _id_of(request)})
    return await _get_alert(request)


async def _list_silences(request: web.Request) -> web.Response:
    try:
        states = silences.states_of(request.query.get("state"))
    except ValueError as error:
        raise ProblemError(400, "The query isn't valid", errors=(Problem("/state", str(error)),)) from None
    rows = await _query(request, silences.LIST, {"states": states})
    return _json({"items": [silences.silence_json(row) for row in rows]})


async def _get_silence(request: web.Request) -> web.Response:
    return _json(silences.silence_json(_only_silence(await _query(request, silences.ONE, {"id": _id_of(request)}))))


async def _create_silence(request: web.Request) -> web.Response:
    given = silences.read(await _json_body(request))
    actor = request.headers.get(acknowledgements.ACTOR_HEADER)
    values = given if isinstance(given, list) else given.parameters(datetime.now(UTC), actor)
    if isinstance(values, list):
        raise ProblemError(422, "The silence isn't valid", errors=tuple(values))
    made = silences.silence_json(_only_silence(await _query(request, silences.INSERT, values)))
    return _json(made, 201, {"Location": f"/api/v1/silences/{made['id']}"})


async def _expire_silence(request: web.Request) -> web.Response:
    await _query(request, silences.EXPIRE, {"id": _id_of(request)})
    return await _get_silence(request)


async def _test_rule(request: web.Request) -> web.Response:
    rehearsal = read_rehearsal(await _json_body(request), request.app[_CALENDAR])
    turn = request.app[_TRIALS]
    try:
        await asyncio.wait_for(turn.acquire(), _WAIT)
    except TimeoutError:
        raise ProblemError(503, "Other rules are being tried", "try again in a few seconds") from None
    try:
        transitions = await asyncio.to_thread(rehearsal.run, _until(time.monotonic() + _TRIAL_SECONDS))
    except TooLongError:
        detail = f"it takes more than {_TRIAL_SECONDS:g} s on these bars: try fewer, or tickstream alerts test"
        raise ProblemError(422, "The rule can't be tried here", detail) from None
    finally:
        turn.release()
    return _json(rehearsal_json(rehearsal, transitions))


def _until(deadline: float) -> Callable[[], None]:
    def check() -> None:
        if time.monotonic() > deadline:
            raise TooLongError

    return check


async def _json_body(request: web.Request) -> Any:
    if request.content_type != "application/json":
        raise ProblemError(415, "The body must be application/json", f"was {request.content_type}")
    try:
        return orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise ProblemError(400, "The body isn't JSON", str(error)) from None


def _id_of(request: web.Request) -> UUID:
    try:
        return UUID(request.match_info["id"])
    except ValueError:
        raise ProblemError(404, "There is nothing of this id", "an id is a UUID") from None


def _only_rule(rows: Rows) -> StoredRule:
    if not rows:
        raise ProblemError(404, "There is no such rule")
    return rules_table.stored_rule(rows[0])


def _only_silence(rows: Rows) -> dict[str, Any]:
    if not rows:
        raise ProblemError(404, "There is no such silence")
    return rows[0]


def _rule_json(stored: StoredRule) -> dict[str, Any]:
    return {
        "id": str(stored.id),
        **stored.spec.model_dump(mode="json"),
        "version": stored.version,
        "created_at": stored.created_at.isoformat(),
        "updated_at": stored.updated_at.isoformat(),
    }


def _json(body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, headers=headers, content_type="application/json")
