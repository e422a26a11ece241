import { describe, expect, it } from "vitest";

import type { Bar, Tick } from "../socket/records.ts";
import type { Action } from "../store/actions.ts";

import {
  changeOf,
  emptyWatchlist,
  neighbour,
  type Row,
  shownSymbols,
  type Watchlist,
  watchlistReducer,
} from "./reducer.ts";
import { sparkPath } from "./sparkline.ts";

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

  it("leaves out bars of symbols and intervals it does not show", () => {
    const before = after(loaded(tick("SPY", 100)));
    const others = bars(bar("XOM", "1m", morning), bar("SPY", "5m", morning));
    expect(watchlistReducer(before, others)).toBe(before);
  });
});

describe("finding a symbol", () => {
  const state = after(loaded(tick("AIG", 1), tick("BAC", 1), tick("SPY", 1)));
  const filtered = watchlistReducer(state, { type: "watchlistFilter", text: " a" });

  it("filters by any part of the name", () => {
    expect(shownSymbols(filtered)).toEqual(["AIG", "BAC"]);
  });

  it("steps through what is shown and stops at the ends", () => {
    expect(neighbour(state, "AIG", 1)).toBe("BAC");
    expect(neighbour(state, "AIG", -1)).toBe("AIG");
    expect(neighbour(filtered, "BAC", 1)).toBe("BAC");
    expect(neighbour(filtered, "SPY", 1)).toBe("AIG");
    expect(neighbour(emptyWatchlist, null, 1)).toBeNull();
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
  });
});
