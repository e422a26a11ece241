import { describe, expect, it } from "vitest";

import type { Tick } from "../socket/records.ts";

import type { Action, Frequency } from "./actions.ts";
import { initialState, rootReducer, type State } from "./state.ts";

const tick = (price: number, time = price): Tick => ({
  symbol: "SPY",
  price,
  volume: 1,
  ts_event_ms: time,
  ts_ingest_ms: time,
});
const ticks = (...prices: number[]): Action => ({
  type: "ticks",
  at: prices[0] ?? 0,
  records: prices.map((price) => tick(price)),
  lost: 0,
});
const loaded: Action = { type: "marketLoaded", at: 0, symbols: ["SPY"], records: [tick(1)] };
const pause = (paused: boolean): Action => ({ type: "pause", paused });
const frequency = (chosen: Frequency): Action => ({ type: "frequency", frequency: chosen });
const beat = (at: number): Action => ({ type: "beat", at });
const after = (...actions: Action[]): State => actions.reduce(rootReducer, initialState);
const price = (state: State) => state.watchlist.rows.SPY?.price;

describe("a paused screen", () => {
  it("holds still and counts what waits", () => {
    const state = after(loaded, pause(true), ticks(2, 3), ticks(4), beat(9_000));
    expect(price(state)).toBe(1);
    expect(state.pace).toMatchObject({ paused: true, waiting: 3 });
    expect(state.marketClock.time).toBe(1);
  });

  it("shows all that came once it goes on, as if it had never stood still", () => {
    const meanwhile = [
      ticks(2, 9),
      ticks(4),
      { type: "disconnected", at: 5, reason: "mute", retryAt: 6 } as const,
    ];
    const went = after(loaded, pause(true), ...meanwhile, pause(false));
    const never = after(loaded, ...meanwhile);
    expect(went).toEqual({ ...never, pace: went.pace });
    expect(went.pace).toMatchObject({ paused: false, ahead: null, waiting: 0 });
  });

  it("does what the user asks of it", () => {
    const state = after(
      loaded,
      pause(true),
      ticks(2),
      { type: "toggleTable" },
      { type: "select", symbol: "SPY" },
      { type: "chartLoading", symbol: "SPY", interval: "1m" },
      { type: "chartLoaded", symbol: "SPY", interval: "1m", bars: [] },
    );
    expect(state.chart).toMatchObject({ symbol: "SPY", phase: "ready", table: true });
    expect(price(state)).toBe(1);
    expect(rootReducer(state, pause(false)).chart).toMatchObject({ symbol: "SPY", table: true });
  });

  it("is not moved by a snapshot of what it shows already", () => {
    const again: Action = { ...loaded, records: [tick(7)] };
    const state = after(loaded, pause(true), again);
    expect(price(state)).toBe(1);
    expect(price(rootReducer(state, pause(false)))).toBe(7);
  });

  it("still has alerts and the connection's state", () => {
    const alert = {
      alert_id: "a",
      rule_id: "r",
      symbol: "SPY",
      state: "firing",
      severity: "info",
      ts_event_ms: 1,
      value: 1,
      threshold: 1,
      summary: "",
      revision: 0,
    } as const;
    const state = after(
      pause(true),
      { type: "alerts", at: 1, records: [alert], lost: 0 },
      { type: "offline", at: 2, offline: true },
    );
    expect(state.alerts.list).toEqual([alert]);
    expect(state.connection.offline).toBe(true);
    expect(state.activity.entries).toEqual([]);
  });
});

describe("a screen with a frequency", () => {
  it("shows what there is once its time has come", () => {
    const waiting = after(loaded, frequency("5s"), beat(5_000), ticks(2), beat(9_750));
    expect(price(waiting)).toBe(1);
    expect(price(rootReducer(waiting, beat(10_000)))).toBe(2);
  });

  it("follows at once when it is live again", () => {
    const state = after(loaded, frequency("1s"), beat(1_000), ticks(2), frequency("live"));
    expect(price(rootReducer(state, beat(1_250)))).toBe(2);
  });
});
