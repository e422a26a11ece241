import type { Activity, Bar, Tick } from "../socket/records.ts";
import type { Action } from "../store/actions.ts";
import { tradingDay } from "../ui/trading-day.ts";

const sparkPoints = 60;

/** What a trading day has been so far; `known` when it comes from the day's bar and not from what passed by here. */
export interface Day {
  key: string;
  open: number;
  high: number;
  low: number;
  volume: number | null;
  known: boolean;
}

export interface Row {
  symbol: string;
  price: number;
  /** Event time of the price, ms. */
  time: number;
  /** Where the last change of the price went: -1, 0 or 1. */
  direction: -1 | 0 | 1;
  /** How often the price has changed, so that a view knows when to flash. */
  changes: number;
  day: Day;
  spark: readonly { start: number; close: number }[];
  activity: Activity;
}

export interface Watchlist {
  rows: Readonly<Record<string, Row>>;
  /** The symbols in the order they are shown. */
  symbols: readonly string[];
  filter: string;
  loaded: boolean;
}

export const emptyWatchlist: Watchlist = {
  rows: {},
  symbols: [],
  filter: "",
  loaded: false,
};

function newDay(key: string, price: number): Day {
  return { key, open: price, high: price, low: price, volume: null, known: false };
}

function newRow(tick: Tick): Row {
  return {
    symbol: tick.symbol,
    price: tick.price,
    time: tick.ts_event_ms,
    direction: 0,
    changes: 0,
    day: newDay(tradingDay(tick.ts_event_ms), tick.price),
    spark: [],
    activity: "traded",
  };
}

function dayAfter(day: Day, tick: Tick): Day {
  const key = tradingDay(tick.ts_event_ms);
  if (key !== day.key) return newDay(key, tick.price);
  if (tick.price <= day.high && tick.price >= day.low) return day;
  return { ...day, high: Math.max(day.high, tick.price), low: Math.min(day.low, tick.price) };
}

/** The row after a trade; a trade older than the one shown changes nothing. */
function traded(row: Row | undefined, tick: Tick): Row {
  if (row === undefined) return newRow(tick);
  if (tick.ts_event_ms < row.time) return row;
  const changed = tick.price !== row.price;
  return {
    ...row,
    price: tick.price,
    time: tick.ts_event_ms,
    direction: changed ? (tick.price > row.price ? 1 : -1) : row.direction,
    changes: row.changes + (changed ? 1 : 0),
    day: dayAfter(row.day, tick),
  };
}

function withDayBar(row: Row, bar: Bar): Row {
  // The middle of the bar: a day that begins at midnight UTC is still the evening before in New York.
  const key = tradingDay((bar.start_ms + bar.end_ms) / 2);
  if (key < row.day.key) return row;
  const { open, high, low, volume } = bar;
  return { ...row, day: { key, open, high, low, volume, known: true } };
}

function withMinuteBar(row: Row, bar: Bar): Row {
  const point = { start: bar.start_ms, close: bar.close };
  const last = row.spark.at(-1);
  if (last === undefined || point.start > last.start) {
    const spark = [...row.spark, point].slice(-sparkPoints);
    return { ...row, spark, activity: bar.activity };
  }
  const spark = row.spark.map((shown) => (shown.start === point.start ? point : shown));
  return { ...row, spark, activity: point.start === last.start ? bar.activity : row.activity };
}

function ticked(state: Watchlist, ticks: readonly Tick[]): Watchlist {
  if (ticks.length === 0) return state;
  const rows: Record<string, Row> = { ...state.rows };
  let known = true;
  for (const tick of ticks) {
    known &&= tick.symbol in rows;
    rows[tick.symbol] = traded(rows[tick.symbol], tick);
  }
  const symbols = known ? state.symbols : Object.keys(rows).sort();
  return { ...state, rows, symbols };
}

function barred(state: Watchlist, bars: readonly Bar[]): Watchlist {
  const rows: Record<string, Row> = { ...state.rows };
  let changed = false;
  for (const bar of bars) {
    const row = rows[bar.symbol];
    if (row === undefined) continue;
    if (bar.interval === "1d") rows[bar.symbol] = withDayBar(row, bar);
    else if (bar.interval === "1m") rows[bar.symbol] = withMinuteBar(row, bar);
    else continue;
    changed = true;
  }
  return changed ? { ...state, rows } : state;
}

export function watchlistReducer(state: Watchlist, action: Action): Watchlist {
  switch (action.type) {
    case "marketLoaded":
      return ticked({ ...state, rows: {}, symbols: [], loaded: true }, action.records);
    case "ticks":
      return ticked(state, action.records);
    case "bars":
      return barred(state, action.records);
    case "watchlistFilter":
      return { ...state, filter: action.text };
    default:
      return state;
  }
}

/** The change since the day's open, and its fraction of that open. */
export function changeOf(row: Row): { change: number; fraction: number } {
  const change = row.price - row.day.open;
  return { change, fraction: row.day.open === 0 ? Number.NaN : change / row.day.open };
}

/** The symbols that match the filter, in order. */
export function shownSymbols(state: Watchlist): readonly string[] {
  const wanted = state.filter.trim().toUpperCase();
  if (wanted === "") return state.symbols;
  return state.symbols.filter((symbol) => symbol.toUpperCase().includes(wanted));
}

/** The symbol `step` rows away from `symbol` in the shown list, stopping at its ends. */
export function neighbour(state: Watchlist, symbol: string | null, step: number): string | null {
  const shown = shownSymbols(state);
  const from = symbol === null ? -1 : shown.indexOf(symbol);
  const to = from < 0 ? 0 : Math.min(shown.length - 1, Math.max(0, from + step));
  return shown[to] ?? null;
}
