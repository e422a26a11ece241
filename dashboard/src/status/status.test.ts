import { describe, expect, it } from "vitest";

import type { Bar, MarketEvent, Tick } from "../socket/records.ts";
import type { Action } from "../store/actions.ts";

import {
  ageOf,
  connectionReducer,
  countdown,
  initialConnection,
  noticeForMs,
  shownState,
  staleAfterMs,
} from "./connection.ts";
import { initialMarketClock, isOpen, marketClockReducer, sessionWords } from "./market-clock.ts";
import { emptyMetrics, metricsReducer, quantile } from "./metrics.ts";
import { closingWords, disconnectWords, errorWords, statusWords } from "./words.ts";

const tick = (event: number, ingest: number): Tick => ({
  symbol: "SPY",
  price: 1,
  volume: 1,
  ts_event_ms: event,
  ts_ingest_ms: ingest,
});
const ticks = (at: number, records: Tick[], lost = 0): Action => ({
  type: "ticks",
  at,
  records,
  lost,
});
const connected: Action = { type: "connected", at: 1000 };
const beat = (at: number): Action => ({ type: "beat", at });
const connection = (...actions: Action[]) => actions.reduce(connectionReducer, initialConnection);

describe("the connection", () => {
  it("connects, lives and gets lost", () => {
    expect(shownState(connection({ type: "connecting", at: 0 }), true)).toBe("connecting");
    expect(shownState(connection(connected), true)).toBe("live");
    const lost = connection(connected, {
      type: "disconnected",
      at: 2000,
      reason: "ping timeout",
      retryAt: 5500,
    });
    expect(shownState(lost, true)).toBe("reconnecting");
    expect(lost.notice).toBe("The server went silent");
    expect(countdown(lost)).toBe(4);
    expect(countdown(connectionReducer(lost, beat(5000)))).toBe(1);
    expect(countdown(connectionReducer(lost, beat(9000)))).toBe(0);
  });

  it("is stale when nothing has come for five seconds while the session is open", () => {
    const quiet = connection(connected, beat(1000 + staleAfterMs));
    expect(shownState(quiet, true)).toBe("stale");
    expect(ageOf(quiet)).toBe(staleAfterMs);
    expect(shownState(quiet, false)).toBe("live");
    const heard = connectionReducer(quiet, ticks(7000, [tick(1, 1)]));
    expect(shownState(heard, true)).toBe("live");
  });

  it("does not take an empty frame for news", () => {
    const quiet = connection(connected, ticks(5999, []), beat(6000));
    expect(shownState(quiet, true)).toBe("stale");
  });

  it("stays in sight as reconnecting while it tries", () => {
    const lost: Action = { type: "disconnected", at: 2, reason: "x", retryAt: 3 };
    const trying = connection(connected, lost, { type: "connecting", at: 3 });
    expect(trying.phase).toBe("reconnecting");
    expect(countdown(trying)).toBe(0);
  });

  it("is refused with the server's reason", () => {
    const error = { code: "unauthorized", message: "no such key" };
    const refused = connection({ type: "refused", at: 1, error });
    expect(refused).toMatchObject({ phase: "refused", error, everConnected: false });
    expect(refused.notice).toBe("The server asks for a valid API key");
  });

  it("remembers why the server closed it", () => {
    const closed = connection(
      connected,
      { type: "closing", at: 2, code: "shutting_down" },
      { type: "disconnected", at: 3, reason: "io server disconnect", retryAt: 9 },
    );
    expect(closed.notice).toContain("shutting down");
    expect(connectionReducer(closed, { type: "connected", at: 10 }).notice).toBe("");
  });

  it("passes on what the server announces", () => {
    const status = { code: "rate", message: "Updates come once a second now" };
    const told = connection(connected, { type: "serverStatus", at: 2, status });
    expect(told.notice).toBe("Updates come once a second now");
    expect(told.phase).toBe("live");
    expect(connectionReducer(told, beat(2 + noticeForMs)).notice).toBe("");
  });
});

describe("the figures", () => {
  const measure = (...actions: Action[]) => actions.reduce(metricsReducer, emptyMetrics);

  it("count what conflation left out as ticks, not as lost", () => {
    const state = measure(beat(0), ticks(500, [tick(1, 490), tick(1, 480)], 8), beat(1000));
    expect(state.ticksPerSecond).toBe(10);
    expect(state.lost).toBe(0);
  });

  it("measure latency by the server's clock", () => {
    const state = measure(
      { type: "clock", offsetMs: 100, roundTripMs: 4 },
      beat(0),
      ticks(500, [tick(1, 590), tick(1, 580)]),
      beat(1000),
    );
    expect(state).toMatchObject({ medianMs: 10, p99Ms: 20, roundTripMs: 4 });
  });

  it("take a recording's times for no latency", () => {
    const state = measure(beat(0), ticks(10_000_000, [tick(1, 1)]), beat(10_001_000));
    expect(state.p99Ms).toBeNaN();
  });

  it("average over ten seconds at most", () => {
    let state = measure(beat(0));
    for (let second = 1; second <= 30; second += 1) {
      const records = second <= 20 ? [tick(1, 1), tick(1, 1)] : [tick(1, 1)];
      state = [ticks(second * 1000 - 1, records), beat(second * 1000)].reduce(
        metricsReducer,
        state,
      );
    }
    expect(state.ticksPerSecond).toBeCloseTo(1, 0);
    expect(state.windows.length).toBeLessThanOrEqual(10);
  });

  it("add up what was lost where nothing may be", () => {
    const lost = (type: "alerts" | "indicators" | "marketEvents", count: number): Action => ({
      type,
      at: 0,
      records: [],
      lost: count,
    });
    expect(measure(lost("alerts", 2), lost("indicators", 3), lost("marketEvents", 1)).lost).toBe(6);
  });

  it("find quantiles by nearest rank", () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
    expect([0, 0.5, 0.99, 1].map((share) => quantile(hundred, share))).toEqual([1, 50, 99, 100]);
    expect(quantile([], 0.5)).toBeNaN();
  });
});

describe("the market's clock", () => {
  const clock = (...actions: Action[]) => actions.reduce(marketClockReducer, initialMarketClock);
  const now = Date.UTC(2026, 5, 1, 15);
  const then = Date.UTC(2013, 9, 8, 14);
  const event = (type: string, time: number): MarketEvent => ({
    type,
    symbol: null,
    source: null,
    ts_event_ms: time,
    detail: {},
  });
  const events = (...records: MarketEvent[]): Action => ({
    type: "marketEvents",
    at: now,
    records,
    lost: 0,
  });
  const minuteBar = (session: string, start: number): Action => ({
    type: "bars",
    at: now,
    lost: 0,
    records: [{ interval: "1m", session, start_ms: start } as Bar],
  });
  const loaded = (record: Tick): Action => ({
    type: "marketLoaded",
    at: now,
    symbols: ["SPY"],
    records: [record],
  });

  it("knows a replay by its distance from the wall clock", () => {
    expect(clock(ticks(now, [tick(then, now)]))).toMatchObject({ time: then, replay: true });
    expect(clock(ticks(now, [tick(now - 50, now - 40)]))).toMatchObject({ replay: false });
  });

  it("does not take the last trade before a weekend for a replay", () => {
    const friday = now - 2 * 86_400_000;
    expect(clock(loaded(tick(friday, friday + 5)))).toMatchObject({ time: friday, replay: false });
    expect(clock(loaded(tick(then, friday)))).toMatchObject({ replay: true });
  });

  it("does not run backwards within a connection, and begins anew with the next", () => {
    const late = clock(ticks(now, [tick(then, now)]), ticks(now, [tick(then - 5, now)]));
    expect(late.time).toBe(then);
    expect(marketClockReducer(late, loaded(tick(then - 99, now))).time).toBe(then - 99);
  });

  it("learns the session from bars and events, the newest telling", () => {
    expect(sessionWords(clock(minuteBar("pre", 5)))).toBe("pre-market");
    expect(clock(minuteBar("pre", 5), events(event("session_open", 9))).session).toBe("regular");
    expect(clock(events(event("session_close", 9)), minuteBar("regular", 5)).session).toBe(
      "closed",
    );
    expect(clock(events(event("feed_up", 9))).session).toBe("unknown");
  });

  it("expects records unless the session is closed", () => {
    expect(isOpen(initialMarketClock)).toBe(true);
    expect(isOpen(clock(events(event("session_close", 9))))).toBe(false);
  });
});

describe("plain words", () => {
  it("are there for every code of the server", () => {
    const codes =
      "bad_request unauthorized forbidden unknown_channel unknown_symbol unknown_subscription too_many_symbols too_many_subscriptions rate_limited too_large slow_consumer auth_expired shutting_down internal";
    for (const code of codes.split(" ")) {
      expect(errorWords({ code, message: "" })).not.toContain(code);
    }
  });

  it("fall back on the server's message, then its code", () => {
    expect(errorWords({ code: "novel", message: "A new thing" })).toBe("A new thing");
    expect(errorWords({ code: "novel", message: "" })).toBe("The server reported novel");
    expect(statusWords({ code: "internal", message: "a new thing" })).toBe("A new thing");
  });

  it("tell why a connection ended", () => {
    expect(closingWords("auth_expired")).toBe(
      "The server closed the connection: the sign-in has expired",
    );
    expect(disconnectWords("transport close")).toBe("The connection was lost");
    expect(disconnectWords("xhr poll error")).toBe("The server can't be reached");
  });
});
