import { describe, expect, it } from "vitest";

import { readAlerts, readBars, readIndicators, readMarketEvents, readTicks } from "./records.ts";

const tick = { symbol: "SPY", price: 165.48, volume: 100, ts_event_ms: 1, ts_ingest_ms: 2 };
const bar = {
  symbol: "SPY",
  interval: "1m",
  start_ms: 0,
  end_ms: 60_000,
  open: 1,
  high: 2,
  low: 0.5,
  close: 1.5,
  volume: 10,
  vwap: 1.2,
  trades: 3,
  state: "closed",
  revision: 2,
  activity: "quiet",
  session: "regular",
};

describe("reading what the server sent", () => {
  it("takes records as they are", () => {
    expect(readTicks([tick])).toEqual([tick]);
    expect(readBars([bar])).toEqual([bar]);
  });

  it("leaves out what is not a record", () => {
    const broken = [null, 7, "x", {}, { ...tick, price: "165" }, { ...tick, ts_event_ms: null }];
    expect(readTicks([...broken, tick])).toEqual([tick]);
    expect(readTicks("nothing")).toEqual([]);
    expect(readBars([{ ...bar, close: Number.NaN }])).toEqual([]);
    expect(readIndicators([{ symbol: "SPY" }])).toEqual([]);
    expect(readAlerts([{ alert_id: "a" }])).toEqual([]);
    expect(readMarketEvents([{ type: 3, ts_event_ms: 1 }])).toEqual([]);
  });

  it("takes a bar of an unknown state for a forming one", () => {
    expect(readBars([{ ...bar, state: "novel", activity: "novel", vwap: null }])).toEqual([
      { ...bar, state: "partial", activity: "traded", vwap: Number.NaN },
    ]);
  });

  it("keeps the indicators that have a value", () => {
    const set = { symbol: "SPY", interval: "1m", start_ms: 0, values: { rsi_14: 40, vwap: null } };
    expect(readIndicators([set])).toMatchObject([{ values: { rsi_14: 40 }, revision: 0 }]);
  });

  it("gives an alert and an event their defaults", () => {
    expect(readAlerts([{ alert_id: "a", ts_event_ms: 5, severity: "grave" }])).toMatchObject([
      { state: "unknown", severity: "info", symbol: "", value: null, revision: 0 },
    ]);
    expect(
      readMarketEvents([{ type: "halt", ts_event_ms: 5, detail: { code: 7 }, symbol: null }]),
    ).toEqual([
      { type: "halt", symbol: null, source: null, ts_event_ms: 5, detail: { code: "7" } },
    ]);
  });
});
