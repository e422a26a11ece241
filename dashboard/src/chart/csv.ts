import type { Bar, IndicatorSet } from "../socket/records.ts";
import { csvText } from "../ui/csv.ts";

const barColumns = [
  "symbol",
  "interval",
  "start",
  "end",
  "open",
  "high",
  "low",
  "close",
  "volume",
  "vwap",
  "trades",
  "state",
  "revision",
  "activity",
  "session",
] as const;

export interface CsvTable {
  bars: readonly Bar[];
  indicators: readonly IndicatorSet[];
  /** Names of the indicators' values, each a column. */
  names: readonly string[];
  /** The other symbol of a comparison, and its close for each bar. */
  rival?: { symbol: string; closes: readonly number[] } | undefined;
}

/** An indicator's column: never that of a bar, which has a VWAP of its own. */
const columnOf = (name: string): string =>
  barColumns.some((column) => column === name) ? `indicator_${name}` : name;

/** Bars as CSV with a header: times in ISO 8601, UTC; numbers as they are, not rounded; empty where there is none. */
export function csvOf({ bars, indicators, names, rival }: CsvTable): string {
  const sets = new Map(indicators.map((set) => [set.start_ms, set.values]));
  const header = [
    ...barColumns,
    ...names.map(columnOf),
    ...(rival === undefined ? [] : [`${rival.symbol} close`]),
  ];
  const rows = bars.map((bar, index) => [
    ...barColumns.map((column) => {
      if (column === "start" || column === "end")
        return new Date(column === "start" ? bar.start_ms : bar.end_ms).toISOString();
      return bar[column];
    }),
    ...names.map((name) => sets.get(bar.start_ms)?.[name]),
    ...(rival === undefined ? [] : [rival.closes[index]]),
  ]);
  return csvText([header, ...rows]);
}

/** `SPY 1m 2013-10-08`, with nothing in it that a file's name can't have. */
export function fileName(symbol: string, interval: string, day: string): string {
  return `${symbol}-${interval}-${day}`.replaceAll(/[^\w.-]+/g, "_");
}
