import { describe, expect, it } from "vitest";

import type { Action } from "../store/actions.ts";
import { initialState, rootReducer } from "../store/state.ts";

import { actionOf } from "./keyboard.ts";
import { spoken, spokenOf } from "./language.ts";
import { readPlace, writePlace } from "./location.ts";
import { defaultPreferences, deserialize, preferencesReducer, serialize } from "./preferences.ts";
import { zoneOf } from "./time-zone.ts";
import { tradingDay } from "./trading-day.ts";

describe("preferences", () => {
  it("come back as they were kept", () => {
    const chosen = {
      ...defaultPreferences,
      theme: "light",
      palette: "blue-orange",
      zone: "UTC",
      frequency: "5s",
      notify: true,
    } as const;
    expect(deserialize(serialize(chosen))).toEqual(chosen);
  });

  it.each([null, "", "{", "7", "null", '{"theme":"pink"}'])("are the defaults for %j", (text) => {
    expect(deserialize(text)).toEqual(defaultPreferences);
  });

  it("change as the user says", () => {
    const state = [
      { type: "theme", theme: "dark" } as const,
      { type: "palette", palette: "blue-orange" } as const,
      { type: "zone", zone: "local" } as const,
      { type: "frequency", frequency: "1s" } as const,
      { type: "notify", on: true } as const,
      { type: "sound", on: true } as const,
      { type: "tab", tab: "alerts" } as const,
    ].reduce(preferencesReducer, defaultPreferences);
    expect(state).toEqual({
      theme: "dark",
      palette: "blue-orange",
      zone: "local",
      frequency: "1s",
      notify: true,
      sound: true,
      tab: "alerts",
    });
  });
});

describe("the URL", () => {
  it("names symbol and timeframe", () => {
    expect(readPlace("?symbol=spy&interval=5m")).toMatchObject({ symbol: "SPY", interval: "5m" });
    expect(readPlace("?symbol=BRK.B&interval=2m")).toMatchObject({
      symbol: "BRK.B",
      interval: null,
    });
    expect(readPlace("?view=market").view).toBe("market");
    expect(readPlace("?view=analytics").view).toBe("analytics");
    expect(readPlace("?view=moon").view).toBeNull();
    expect(readPlace("")).toEqual({ symbol: null, interval: null, view: null });
  });

  it("is not trusted", () => {
    expect(readPlace("?symbol=<script>").symbol).toBeNull();
    expect(readPlace(`?symbol=${"A".repeat(40)}`).symbol).toBeNull();
  });

  it("keeps what else it says", () => {
    const place = { symbol: "SPY", interval: "1h", view: "chart" } as const;
    expect(writePlace("?a=1&symbol=AIG&view=system", place)).toBe("?a=1&symbol=SPY&interval=1h");
    const market = { ...place, view: "market" } as const;
    expect(readPlace(writePlace("?a=1", market))).toEqual(market);
  });
});

describe("the keys", () => {
  const record = { symbol: "AIG", price: 1, volume: 1, ts_event_ms: 1, ts_ingest_ms: 1 };
  const actions: Action[] = [
    {
      type: "marketLoaded",
      at: 0,
      symbols: ["AIG", "SPY"],
      records: [record, { ...record, symbol: "SPY" }],
    },
    { type: "select", symbol: "AIG" },
  ];
  const state = actions.reduce(rootReducer, initialState);

  it("choose the timeframe", () => {
    expect(actionOf("1", state)).toEqual({ type: "timeframe", interval: "1s" });
    expect(actionOf("6", state)).toEqual({ type: "timeframe", interval: "1d" });
    expect(actionOf("7", state)).toBeUndefined();
  });

  it("walk through the watchlist", () => {
    expect(actionOf("ArrowDown", state)).toEqual({ type: "select", symbol: "SPY" });
    expect(actionOf("ArrowDown", initialState)).toBeUndefined();
  });

  it("turn to the whole market and back, and pin", () => {
    expect(actionOf("m", state)).toEqual({ type: "tab", tab: "market" });
    const whole = rootReducer(state, { type: "tab", tab: "market" });
    expect(actionOf("m", whole)).toEqual({ type: "tab", tab: "chart" });
    expect(actionOf("y", state)).toEqual({ type: "tab", tab: "analytics" });
    expect(actionOf("y", rootReducer(state, { type: "tab", tab: "analytics" }))).toEqual({
      type: "tab",
      tab: "chart",
    });
    expect(actionOf("*", state)).toEqual({ type: "pin", symbol: "AIG" });
    expect(actionOf("*", initialState)).toBeUndefined();
  });

  it("move and zoom the chart", () => {
    expect(actionOf("0", state)).toEqual({ type: "fit" });
    expect(actionOf("ArrowLeft", state)).toEqual({ type: "pan", bars: 10 });
    expect(actionOf("+", state)).toMatchObject({ type: "zoom", factor: 0.8 });
    expect(actionOf("-", state)).toMatchObject({ type: "zoom", factor: 1.25 });
    expect(actionOf("t", state)).toEqual({ type: "toggleTable" });
    expect(actionOf("x", state)).toBeUndefined();
  });

  it("pause and go on", () => {
    expect(actionOf("p", state)).toEqual({ type: "pause", paused: true });
    const paused = rootReducer(state, { type: "pause", paused: true });
    expect(actionOf("p", paused)).toEqual({ type: "pause", paused: false });
  });
});

describe("the language", () => {
  it.each([
    [["de-CH", "en"], "de"],
    [["fr", "de"], "de"],
    [["en-GB", "de"], "en"],
    [["fr"], "en"],
    [[], "en"],
  ])("of a browser that speaks %j is %s", (tags, wanted) => {
    expect(spokenOf(tags)).toBe(wanted);
  });

  it("chooses among a feature's words", () => {
    expect(spoken({ en: { yes: "yes" }, de: { yes: "ja" } }).yes).toBe("yes");
  });
});

describe("the time zone", () => {
  it("is the exchange's, the user's or the world's", () => {
    expect(zoneOf("exchange")).toBe("America/New_York");
    expect(zoneOf("UTC")).toBe("UTC");
    expect(zoneOf("local")).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone);
  });
});

describe("the trading day", () => {
  it("changes at midnight of the exchange", () => {
    expect(tradingDay(Date.UTC(2013, 9, 9, 3, 59))).toBe("2013-10-08");
    expect(tradingDay(Date.UTC(2013, 9, 9, 4))).toBe("2013-10-09");
  });
});
