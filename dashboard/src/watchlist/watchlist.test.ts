import { describe, expect, it } from "vitest";

import type { Bar, Tick } from "../socket/records.ts";
import type { Action } from "../store/actions.ts";
import { initialState, rootReducer } from "../store/state.ts";

import { changeOf, emptyWatchlist, type Row, type Watchlist, watchlistReducer } from "./reducer.ts";
import { sparkArea, sparkPath } from "./sparkline.ts";
import { rowAge } from "./staleness.ts";

const morning = Date.UTC(2013, 9, 8, 13, 30);
const day = 86_400_000;

const tick = (symbol: string, price: number, after = 0): Tick => ({
  symbol,
  price,
  volume: 100,
  ts_event_ms: morning + after,
  ts_ingest_ms: morning + after,
});

const bar = (symbol: string, interval: string, start: number, fields: Partial<Bar> = {}): Bar => ({
  symbol,
  interval,
  start_ms: start,
  end_ms: start + (interval === "1d" ? day : 60_000),
  open: 100,
  high: 110,
  low: 90,
  close: 105,
  volume: 5000,
  vwap: 101,
  trades: 9,
  state: "partial",
  revision: 0,
  activity: "traded",
  session: "regular",
  ...fields,
});

const ticks = (...records: Tick[]): Action => ({ type: "ticks", at: 0, records, lost: 0 });
const bars = (...records: Bar[]): Action => ({ type: "bars", at: 0, records, lost: 0 });
const loaded = (...records: Tick[]): Action => ({
  type: "marketLoaded",
  at: 0,
  symbols: records.map(({ symbol }) => symbol),
  records,
});
const after = (...actions: Action[]) => actions.reduce(watchlistReducer, emptyWatchlist);

function rowOf(state: Watchlist): Row {
  const row = state.rows.SPY;
  if (row === undefined) throw new Error("no row of SPY");
  return row;
}

describe("the watchlist", () => {
  it("shows the symbols of the snapshot and each new one with its first trade, in order", () => {
    const state = after(loaded(tick("SPY", 165), tick("AIG", 48)), ticks(tick("BAC", 14)));
    expect(state.symbols).toEqual(["AIG", "BAC", "SPY"]);
    expect(state.loaded).toBe(true);
  });

  it("is settled once everything of the past has come, and stays so", () => {
    const state = after(loaded(tick("SPY", 165)));
    expect(state.settled).toBe(false);
    const settled = watchlistReducer(state, { type: "caughtUp", at: 0, resumed: 0, anew: 0 });
    expect(settled.settled).toBe(true);
    expect(watchlistReducer(settled, { type: "caughtUp", at: 1, resumed: 5, anew: 0 })).toBe(
      settled,
    );
  });

  it("tells where a price went and how often it changed", () => {
    const state = after(
      loaded(tick("SPY", 165)),
      ticks(tick("SPY", 166, 1)),
      ticks(tick("SPY", 166, 2)),
      ticks(tick("SPY", 164, 3)),
    );
    expect(state.rows.SPY).toMatchObject({ price: 164, direction: -1, changes: 2 });
  });

  it("does not go back to an older trade", () => {
    const state = after(loaded(tick("SPY", 165, 10)), ticks(tick("SPY", 1, 5)));
    expect(state.rows.SPY?.price).toBe(165);
  });

  it("begins anew with a new snapshot", () => {
    const state = after(loaded(tick("SPY", 165, 10)), loaded(tick("AIG", 48, 5)));
    expect(state.symbols).toEqual(["AIG"]);
  });

  it("counts the change from the first price seen until the day's bar is known", () => {
    const seen = after(loaded(tick("SPY", 100)), ticks(tick("SPY", 103, 1)));
    expect(changeOf(rowOf(seen))).toEqual({ change: 3, fraction: 0.03 });
    const known = watchlistReducer(seen, bars(bar("SPY", "1d", morning, { open: 50 })));
    expect(changeOf(rowOf(known)).change).toBe(53);
    expect(known.rows.SPY?.day).toMatchObject({ high: 110, low: 90, volume: 5000, known: true });
  });

  it("takes a day that begins at midnight UTC for the day it mostly is in New York", () => {
    const state = after(loaded(tick("SPY", 100)), bars(bar("SPY", "1d", Date.UTC(2013, 9, 8))));
    expect(state.rows.SPY?.day).toMatchObject({ key: "2013-10-08", known: true });
  });

  it("starts a new day with its first trade and ignores yesterday's bar", () => {
    const state = after(
      loaded(tick("SPY", 100)),
      ticks(tick("SPY", 120, day)),
      bars(bar("SPY", "1d", morning)),
    );
    expect(state.rows.SPY?.day).toMatchObject({ key: "2013-10-09", open: 120, known: false });
  });

  it("widens the day's range with each trade", () => {
    const state = after(loaded(tick("SPY", 100)), ticks(tick("SPY", 99, 1), tick("SPY", 102, 2)));
    expect(state.rows.SPY?.day).toMatchObject({ low: 99, high: 102 });
  });

  it("draws the last 60 minutes, a revised one in place", () => {
    const minutes = Array.from({ length: 70 }, (_, index) =>
      bar("SPY", "1m", morning + index * 60_000, { close: index }),
    );
    const revised = bar("SPY", "1m", morning + 68 * 60_000, { close: 1000, activity: "halted" });
    const state = after(loaded(tick("SPY", 100)), bars(...minutes), bars(revised));
    const spark = state.rows.SPY?.spark ?? [];
    expect(spark).toHaveLength(60);
    expect(spark.slice(-3).map(({ close }) => close)).toEqual([67, 1000, 69]);
    expect(state.rows.SPY?.activity).toBe("traded");
  });

  it("marks a symbol as its newest minute says", () => {
    const quiet = bar("SPY", "1m", morning, { activity: "quiet" });
    expect(after(loaded(tick("SPY", 100)), bars(quiet)).rows.SPY?.activity).toBe("quiet");
  });

  it("leaves out bars of intervals it does not show", () => {
    const before = after(loaded(tick("SPY", 100)));
    expect(watchlistReducer(before, bars(bar("SPY", "5m", morning)))).toBe(before);
  });

  it("shows a symbol of which only bars are known, until a trade says what it costs", () => {
    const state = after(bars(bar("XOM", "1d", morning), bar("XOM", "1m", morning)));
    expect(state.rows.XOM).toMatchObject({ price: 105, day: { known: true } });
    const known = watchlistReducer(state, ticks(tick("XOM", 88, 1)));
    expect(known.rows.XOM).toMatchObject({ price: 88 });
  });

  it("begins anew without a blink: what the snapshot doesn't say stays until it is told", () => {
    const before = after(
      loaded(tick("SPY", 165, 50), tick("AIG", 48)),
      bars(bar("SPY", "1d", morning), bar("SPY", "1m", morning), bar("AIG", "1m", morning)),
    );
    const anew = watchlistReducer(before, loaded(tick("SPY", 150, 10)));
    expect(anew.symbols).toEqual(["SPY"]);
    expect(anew.rows.SPY).toMatchObject({ price: 150, day: { known: true } });
    expect(anew.rows.SPY?.spark).toHaveLength(1);
    const minutes = [bar("SPY", "1m", morning + 600_000), bar("SPY", "1m", morning + 660_000)];
    const filled = watchlistReducer(anew, { type: "barsLoaded", at: 0, records: minutes });
    expect(filled.rows.SPY?.spark.map(({ start }) => start - morning)).toEqual([600_000, 660_000]);
  });
});

describe("the sparkline", () => {
  it("spans its box, highest on top", () => {
    expect(sparkPath([1, 3, 2], 10, 8)).toBe("0.0,8.0 5.0,0.0 10.0,4.0");
  });

  it("runs through the middle when nothing moves", () => {
    expect(sparkPath([5, 5], 10, 8)).toBe("0.0,4.0 10.0,4.0");
  });

  it("needs two values", () => {
    expect(sparkPath([5], 10, 8)).toBe("");
    expect(sparkArea("", 10, 8)).toBe("");
  });

  it("has an area down to its floor", () => {
    expect(sparkArea("0.0,8.0 10.0,4.0", 10, 8)).toBe("0,8 0.0,8.0 10.0,4.0 10,8");
  });
});

describe("a row", () => {
  const at = 100_000;
  const event = (type: string, time = morning): Action => ({
    type: "marketEvents",
    at,
    lost: 0,
    records: [{ type, symbol: null, source: "feed", ts_event_ms: time, detail: {} }],
  });
  const trade = { ...tick("SPY", 165), ts_ingest_ms: at - 9_000, source: "feed" };
  const opening: Action[] = [
    { type: "connected", at },
    loaded(trade),
    { type: "caughtUp", at, resumed: 0, anew: 0 },
  ];
  const age = (...actions: Action[]): number | null => {
    const state = [...opening, ...actions].reduce(rootReducer, initialState);
    return rowAge(rowOf(state.watchlist), state);
  };
  const beat = (time: number): Action => ({ type: "beat", at: time });
  const heard = (time: number): Action => ({ type: "heard", at: time });

  it("is not old because nobody trades", () => {
    expect(age(heard(at + 60_000), beat(at + 60_000))).toBeNull();
  });

  it("is as old as its last trade when its feed is down, and only while its session is open", () => {
    const later = [heard(at + 1_000), beat(at + 1_000)];
    expect(age(event("feed_down"), ...later)).toBe(10_000);
    expect(age(event("feed_down"), event("feed_up", morning + 1), ...later)).toBeNull();
    expect(age(event("feed_down"), event("session_close", morning + 1), ...later)).toBeNull();
    const down = bars(bar("SPY", "1m", morning, { activity: "feed_down" }));
    expect(age(down, ...later)).toBe(10_000);
  });

  it("is as old as the whole page when the server is silent", () => {
    expect(age(beat(at + 4_000))).toBe(4_000);
  });
});
