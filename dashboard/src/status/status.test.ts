import { describe, expect, it } from "vitest";

import type { Bar, MarketEvent, Tick } from "../socket/records.ts";
import type { Action } from "../store/actions.ts";

import {
  ageOf,
  connectionReducer,
  countdown,
  initialConnection,
  isStale,
  noticeForMs,
  quietAfterMs,
  shownState,
  staleAfterMs,
} from "./connection.ts";
import { initialMarketClock, isOpen, marketClockReducer } from "./market-clock.ts";
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
const caughtUp = (at: number, resumed = 0, anew = 0): Action => ({
  type: "caughtUp",
  at,
  resumed,
  anew,
});
const lost = (at: number, retryAt = at): Action => ({
  type: "disconnected",
  at,
  reason: "ping timeout",
  retryAt,
});
const beat = (at: number): Action => ({ type: "beat", at });
const heard = (at: number): Action => ({ type: "heard", at });
const status = (at: number, code: string, fields: object = {}): Action => ({
  type: "serverStatus",
  at,
  status: { code, message: "", ...fields },
});
const connection = (...actions: Action[]) => actions.reduce(connectionReducer, initialConnection);
const live = (...actions: Action[]) => connection(connected, caughtUp(1000), ...actions);

describe("the connection", () => {
  it("connects, lives and gets lost", () => {
    expect(shownState(connection({ type: "connecting", at: 0 }), true)).toBe("connecting");
    expect(shownState(connection(connected), true)).toBe("connecting");
    expect(shownState(live(), true)).toBe("live");
    const gone = live(lost(2000, 5500));
    expect(shownState(gone, true)).toBe("reconnecting");
    expect(gone.notice).toBe("The server went silent");
    expect(countdown(gone)).toBe(4);
    expect(countdown(connectionReducer(gone, beat(5000)))).toBe(1);
    expect(countdown(connectionReducer(gone, beat(9000)))).toBe(0);
  });

  it("looks stale within five seconds of the server's last sign of life", () => {
    const paintedWithinMs = 500;
    expect(staleAfterMs + paintedWithinMs).toBeLessThan(5_000);
    const silent = live(heard(3000), beat(3000 + staleAfterMs - 1));
    expect(isStale(silent)).toBe(false);
    const mute = connectionReducer(silent, beat(3000 + staleAfterMs));
    expect(shownState(mute, true)).toBe("stale");
    expect(shownState(mute, false)).toBe("stale");
    expect(ageOf(mute)).toBe(staleAfterMs);
    expect(shownState(connectionReducer(mute, ticks(9000, [tick(1, 1)])), true)).toBe("live");
  });

  it("is quiet, not stale, when the server lives and nobody trades", () => {
    const quiet = live(ticks(2000, [tick(1, 1)]), heard(2000 + quietAfterMs), ticks(7000, []));
    expect(shownState(quiet, true)).toBe("quiet");
    expect(isStale(quiet)).toBe(false);
    expect(shownState(quiet, false)).toBe("live");
  });

  it("is stale at once when the server says that it is cut off, however alive it is", () => {
    const cut = live(heard(2000), status(2500, "feed_down"), heard(9000), ticks(9500, []));
    expect(shownState(cut, true)).toBe("stale");
    expect(ageOf(cut)).toBe(7500);
    const back = connectionReducer(cut, status(9600, "feed_up"));
    expect(shownState(back, true)).toBe("quiet");
    expect(isStale(back)).toBe(false);
    const deaf = live({ type: "readiness", at: 3000, missing: ["kafka"] }, heard(8000));
    expect(ageOf(deaf)).toBe(7000);
    const hears = connectionReducer(deaf, { type: "readiness", at: 8500, missing: [] });
    expect(shownState(hears, true)).toBe("quiet");
  });

  it("dims what it shows a while after it went, and until it has caught up", () => {
    const gone = live(heard(2000), lost(2100), beat(2500));
    expect(isStale(gone)).toBe(false);
    const long = connectionReducer(gone, beat(7000));
    expect(isStale(long)).toBe(true);
    const back = [connected, heard(7500), ticks(7600, [tick(1, 1)])].reduce(
      connectionReducer,
      long,
    );
    expect(shownState(back, true)).toBe("catching-up");
    expect(ageOf(back)).toBe(5600);
    const current = connectionReducer(back, caughtUp(7700, 7));
    expect(shownState(current, true)).toBe("live");
    expect(isStale(current)).toBe(false);
    expect(current.notice).toBe("");
  });

  it("says that it had to begin anew", () => {
    const anew = live(lost(2000), { ...connected, at: 9000 }, caughtUp(9100, 5, 2));
    expect(anew.notice).toBe("Everything was loaded anew: too much had been missed to go on");
  });

  it("stays in sight as reconnecting while it tries", () => {
    const trying = connection(connected, lost(2, 3), { type: "connecting", at: 3 });
    expect(trying.phase).toBe("reconnecting");
    expect(countdown(trying)).toBe(0);
  });

  it("asks for another key while the one it has is refused, and while another is tried", () => {
    const error = { code: "unauthorized", message: "no such key" };
    const none = connection({ type: "refused", at: 1, error, keyGiven: false });
    expect(none).toMatchObject({ phase: "refused", error, keyWanted: true, freshAt: 0 });
    expect(none.notice).toBe("The server asks for an API key");
    const wrong = connection({ type: "refused", at: 1, error, keyGiven: true });
    expect(wrong.notice).toBe("The server does not take this API key");
    const tried = connectionReducer(wrong, { type: "connecting", at: 2 });
    expect(tried).toMatchObject({ phase: "connecting", keyWanted: true });
    expect(connectionReducer(tried, connected).keyWanted).toBe(false);
  });

  it("asks for another key when the one it has ended, and keeps what it shows", () => {
    const error = { code: "auth_expired", message: "" };
    const ended = live(
      { type: "closing", at: 2000, code: "auth_expired" },
      { type: "refused", at: 2001, error, keyGiven: true },
      beat(9000),
    );
    expect(ended).toMatchObject({ keyWanted: true, notice: "The API key has ended" });
    expect(isStale(ended)).toBe(true);
  });

  it("remembers why the server closed it, until a try fails for another reason", () => {
    const closed = live({ type: "closing", at: 2, code: "shutting_down" }, lost(3, 9));
    expect(closed.notice).toContain("shutting down");
    expect(connectionReducer(closed, lost(10, 12)).notice).toBe("The server went silent");
    expect(connectionReducer(closed, { type: "connected", at: 10 }).notice).toBe("");
  });

  it("passes the server's own reason on when it is full", () => {
    const error = { code: "rate_limited", message: "as many connections as it takes" };
    const full = connection({ ...lost(1, 2), error } as Action);
    expect(full.notice).toBe("Too many requests or connections in a short time");
  });

  it("shows a lower rate for as long as it holds", () => {
    const slow = live(status(2000, "slow_consumer", { rateHz: 10 }), beat(2000 + 2 * noticeForMs));
    expect(slow.rateHz).toBe(10);
    expect(connectionReducer(slow, status(3, "slow_consumer", { rateHz: 1 })).rateHz).toBe(1);
    const again = connectionReducer(slow, status(4, "slow_consumer", { rateHz: null }));
    expect(again.rateHz).toBeNull();
    expect(again.notice).toBe("This connection keeps up again: every update comes");
  });

  it("shows how late the server is for as long as it is", () => {
    const late = live(status(2000, "lagging", { lagMs: 4200 }), beat(2000 + 2 * noticeForMs));
    expect(late.lagMs).toBe(4200);
    const again = connectionReducer(late, status(4, "caught_up", { lagMs: 100 }));
    expect(again.lagMs).toBeNull();
    expect(again.notice).toBe("The server keeps up again: updates come in time");
  });

  it("shows an announcement for a while", () => {
    const told = live(status(2000, "shutting_down"));
    expect(told.notice).toContain("come back by itself");
    expect(told.phase).toBe("live");
    expect(connectionReducer(told, beat(2000 + noticeForMs)).notice).toBe("");
  });

  it("keeps in mind what the server won't give, and what can't be drawn", () => {
    const error = { code: "forbidden", message: "" };
    const state = live(
      { type: "unavailable", at: 2000, channel: "alerts", error },
      { type: "paintFailed", at: 2001, part: "chart" },
      { type: "paintFailed", at: 2002, part: "chart" },
    );
    expect(state).toMatchObject({ unavailable: { alerts: error }, broken: ["chart"] });
    expect(connectionReducer(state, connected).unavailable).toEqual({});
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

  it("count how the connection went and came back", () => {
    const away = measure(connected, lost(1), lost(2), connected, caughtUp(3, 7));
    expect(away).toMatchObject({ drops: 1, resumes: 1, freshStarts: 0 });
    const anew = [lost(4), connected, caughtUp(5, 6, 1)].reduce(metricsReducer, away);
    expect(anew).toMatchObject({ drops: 2, resumes: 1, freshStarts: 1 });
    const refused: Action = {
      type: "refused",
      at: 6,
      error: { code: "auth_expired", message: "" },
      keyGiven: true,
    };
    expect(metricsReducer(anew, refused).drops).toBe(3);
  });

  it("count how often anything stood still", () => {
    const stalls = measure(
      { type: "slept", at: 1, ms: 4e3 },
      { type: "paintStalled", at: 2, ms: 3e3 },
    );
    expect(stalls.stalls).toBe(2);
  });

  it("don't take what was missed for what comes now", () => {
    const missed = [tick(1, 1), tick(1, 2)];
    const state = measure(connected, lost(1), connected, beat(10_000), ticks(10_001, missed, 900));
    const later = [ticks(10_500, [tick(1, 10_490)]), beat(11_000)].reduce(metricsReducer, state);
    expect(later).toMatchObject({ ticksPerSecond: 1, p99Ms: 10 });
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
    expect(clock(minuteBar("pre", 5)).session).toBe("pre");
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

  it("are there for every announcement", () => {
    for (const code of ["feed_down", "feed_up", "slow_consumer", "shutting_down", "too_large"])
      expect(statusWords({ code, message: "" })).not.toContain(code);
    expect(statusWords({ code: "caught_up", message: "" })).not.toContain("caught");
    const slow = (rateHz: number | null) =>
      statusWords({ code: "slow_consumer", message: "", rateHz });
    expect(slow(10)).toBe("This connection can't keep up: updates come 10 times a second at most");
    expect(slow(1)).toBe("This connection can't keep up: updates come once a second at most");
    expect(slow(null)).toBe("This connection keeps up again: every update comes");
    expect(statusWords({ code: "lagging", message: "", lagMs: 4200 })).toBe(
      "The server can't keep up: updates come 4 s late",
    );
  });

  it("tell why a connection ended", () => {
    expect(closingWords("auth_expired")).toBe(
      "The server closed the connection: the API key has ended",
    );
    expect(disconnectWords("transport close")).toBe("The connection was lost");
    expect(disconnectWords("xhr poll error")).toBe("The server can't be reached");
  });
});
