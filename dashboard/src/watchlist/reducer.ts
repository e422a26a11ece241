import type { Activity, Bar, MarketEvent, Tick } from "../socket/records.ts";
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
  /** As far as the day's bar says. */
  trades: number;
  known: boolean;
}

interface Minute {
  start: number;
  close: number;
  trades: number;
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
  /** The last minutes: what each closed at, and how many trades it had. */
  spark: readonly Minute[];
  activity: Activity;
  /** When the platform got the price, ms of the server's clock. */
  ingest: number;
  /** Where the price came from. */
  source: string;
}

export interface Watchlist {
  rows: Readonly<Record<string, Row>>;
  /** By name. */
  symbols: readonly string[];
  /** The first prices have come. */
  loaded: boolean;
  /** All that is known of the past has come. */
  settled: boolean;
  /** The sources that are down, and the event time, ms, at which they went. */
  down: Readonly<Record<string, number>>;
}

export const emptyWatchlist: Watchlist = {
  rows: {},
  symbols: [],
  loaded: false,
  settled: false,
  down: {},
};

function newDay(key: string, price: number): Day {
  return { key, open: price, high: price, low: price, volume: null, trades: 0, known: false };
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
    ingest: tick.ts_ingest_ms,
    source: tick.source ?? "",
  };
}

/** A symbol of which only bars are known: its price is the last close, until a trade says otherwise. */
function rowOfBar(bar: Bar): Row {
  const { symbol, close, start_ms } = bar;
  return newRow({ symbol, price: close, volume: 0, ts_event_ms: start_ms, ts_ingest_ms: start_ms });
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
    ingest: tick.ts_ingest_ms,
    source: tick.source ?? "",
    direction: changed ? (tick.price > row.price ? 1 : -1) : row.direction,
    changes: row.changes + (changed ? 1 : 0),
    day: dayAfter(row.day, tick),
  };
}

function withDayBar(row: Row, bar: Bar): Row {
  // The middle of the bar: a day that begins at midnight UTC is still the evening before in New York.
  const key = tradingDay((bar.start_ms + bar.end_ms) / 2);
  if (key < row.day.key) return row;
  const { open, high, low, volume, trades } = bar;
  return { ...row, day: { key, open, high, low, volume, trades, known: true } };
}

function withMinuteBar(row: Row, bar: Bar): Row {
  const point = { start: bar.start_ms, close: bar.close, trades: bar.trades };
  const last = row.spark.at(-1);
  if (last === undefined || point.start > last.start) {
    const spark = [...row.spark, point].slice(-sparkPoints);
    return { ...row, spark, activity: bar.activity };
  }
  const spark = row.spark.map((shown) => (shown.start === point.start ? point : shown));
  return { ...row, spark, activity: point.start === last.start ? bar.activity : row.activity };
}

/** The row of a snapshot: its price is what holds, what bars have said of its day stays until they say otherwise. */
function begun(row: Row | undefined, tick: Tick): Row {
  if (row === undefined) return newRow(tick);
  return traded({ ...row, time: Number.NEGATIVE_INFINITY }, tick);
}

/** Only the symbols of the snapshot; those that were shown stay as they look, so that nothing blinks. */
function loaded(state: Watchlist, ticks: readonly Tick[]): Watchlist {
  const rows = ticks.map((tick) => [tick.symbol, begun(state.rows[tick.symbol], tick)]);
  const found = Object.fromEntries(rows) as Watchlist["rows"];
  return { ...state, rows: found, symbols: Object.keys(found).sort(), loaded: true };
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
  const count = state.symbols.length;
  let changed = false;
  for (const bar of bars) {
    if (bar.interval !== "1d" && bar.interval !== "1m") continue;
    const row = rows[bar.symbol] ?? rowOfBar(bar);
    rows[bar.symbol] = bar.interval === "1d" ? withDayBar(row, bar) : withMinuteBar(row, bar);
    changed = true;
  }
  if (!changed) return state;
  const names = Object.keys(rows);
  return { ...state, rows, symbols: names.length === count ? state.symbols : names.sort() };
}

/** A snapshot of bars: the minutes that it has are all that there are. */
function barsBegun(state: Watchlist, bars: readonly Bar[]): Watchlist {
  const rows: Record<string, Row> = { ...state.rows };
  for (const { symbol, interval } of bars) {
    const row = rows[symbol];
    if (interval === "1m" && row !== undefined && row.spark.length > 0)
      rows[symbol] = { ...row, spark: [] };
  }
  return barred({ ...state, rows }, bars);
}

function sourcesAfter(state: Watchlist, events: readonly MarketEvent[]): Watchlist {
  const down = new Map(Object.entries(state.down));
  let changed = false;
  for (const { type, source, ts_event_ms } of events) {
    if (source === null) continue;
    if (type === "feed_down") down.set(source, ts_event_ms);
    else if (type === "feed_up") down.delete(source);
    else continue;
    changed = true;
  }
  return changed ? { ...state, down: Object.fromEntries(down) } : state;
}

/** Whether no trade of the symbol can come: its source is down, or the platform says that its feed is. */
export function isCutOff({ down }: Watchlist, row: Row): boolean {
  return row.activity === "feed_down" || row.time <= (down[row.source] ?? Number.NaN);
}

export function watchlistReducer(state: Watchlist, action: Action): Watchlist {
  switch (action.type) {
    case "marketLoaded":
      return loaded(state, action.records);
    case "barsLoaded":
      return barsBegun(state, action.records);
    case "ticks":
      return ticked(state, action.records);
    case "bars":
      return barred(state, action.records);
    case "marketEvents":
      return sourcesAfter(state, action.records);
    case "caughtUp":
      return state.settled ? state : { ...state, settled: true };
    default:
      return state;
  }
}

/** The change since the day's open, and its fraction of that open. */
export function changeOf(row: Row): { change: number; fraction: number } {
  const change = row.price - row.day.open;
  return { change, fraction: row.day.open === 0 ? Number.NaN : change / row.day.open };
}
