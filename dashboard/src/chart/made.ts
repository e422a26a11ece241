import type { Bar } from "../socket/records.ts";

export const minute = 60_000;

/** The bar that begins so many minutes after the epoch. */
export const bar = (index: number, fields: Partial<Bar> = {}): Bar => ({
  symbol: "SPY",
  interval: "1m",
  start_ms: index * minute,
  end_ms: (index + 1) * minute,
  open: 10,
  high: 12,
  low: 9,
  close: 11,
  volume: 100,
  vwap: 10.5,
  trades: 3,
  state: "closed",
  revision: 0,
  activity: "traded",
  session: "regular",
  ...fields,
});
