import { describe, expect, it } from "vitest";

import type { Bar, IndicatorSet } from "../socket/records.ts";
import type { Action } from "../store/actions.ts";

import { pictureOf } from "./picture.ts";
import { chartReducer, emptyChart } from "./reducer.ts";
import { merge, seriesLimit } from "./series.ts";

const minute = 60_000;

const bar = (index: number, fields: Partial<Bar> = {}): Bar => ({
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

const indicators = (index: number, values: Record<string, number>): IndicatorSet => ({
  symbol: "SPY",
  interval: "1m",
  start_ms: index * minute,
  state: "closed",
  revision: 0,
  values,
});

const key = { symbol: "SPY", interval: "1m" } as const;
const select: Action = { type: "select", symbol: "SPY" };
const loaded = (bars: Bar[]): Action => ({ type: "chartLoaded", ...key, bars });
const studied = (indicators: IndicatorSet[]): Action => ({
  type: "studiesLoaded",
  ...key,
  indicators,
});
const live = (...records: Bar[]): Action => ({ type: "bars", at: 0, records, lost: 0 });
const after = (...actions: Action[]) => actions.reduce(chartReducer, emptyChart);
const closes = (bars: readonly Bar[]) => bars.map(({ close }) => close);

describe("a series", () => {
  it("is ordered by start whatever the order of arrival", () => {
    const series = merge([], [bar(3), bar(1), bar(2)]);
    expect(series.map(({ start_ms }) => start_ms / minute)).toEqual([1, 2, 3]);
  });

  it("lets the forming bar grow in place and close", () => {
    const forming = bar(1, { state: "partial", close: 5 });
    const series = [forming, { ...forming, close: 6 }, bar(1, { close: 7 })].reduce(
      (shown: readonly Bar[], next) => merge(shown, [next]),
      [],
    );
    expect(series).toHaveLength(1);
    expect(series[0]).toMatchObject({ state: "closed", close: 7 });
  });

  it("takes a revision and no older one, nor a forming bar after the close", () => {
    const shown = merge([bar(1, { revision: 2, close: 20 })], [bar(2)]);
    expect(closes(merge(shown, [bar(1, { revision: 3, close: 30 })]))).toEqual([30, 11]);
    expect(closes(merge(shown, [bar(1, { revision: 1, close: 10 })]))).toEqual([20, 11]);
    expect(closes(merge(shown, [bar(1, { state: "partial", revision: 9, close: 1 })]))).toEqual([
      20, 11,
    ]);
  });

  it("forgets its oldest beyond the limit", () => {
    const many = Array.from({ length: seriesLimit + 5 }, (_, index) => bar(index));
    const series = merge([], many);
    expect(series).toHaveLength(seriesLimit);
    expect(series[0]?.start_ms).toBe(5 * minute);
  });

  it("is left as it is by nothing", () => {
    const series = [bar(1)];
    expect(merge(series, [])).toBe(series);
  });
});

describe("the chart", () => {
  it("joins history to what comes live", () => {
    const state = after(
      select,
      loaded([bar(1), bar(2, { state: "partial" })]),
      live(bar(2), bar(3)),
    );
    expect(state.phase).toBe("ready");
    expect(state.bars.map(({ start_ms }) => start_ms / minute)).toEqual([1, 2, 3]);
    expect(state.bars[1]?.state).toBe("closed");
  });

  it("takes no bar of another symbol or interval", () => {
    const before = after(select, loaded([bar(1)]));
    const others = live(bar(2, { symbol: "AIG" }), bar(2, { interval: "5m" }));
    expect(chartReducer(before, others)).toBe(before);
  });

  it("shows nothing of the series before when it turns to another", () => {
    const state = after(select, loaded([bar(1)]), { type: "timeframe", interval: "5m" });
    expect(state).toMatchObject({ phase: "loading", interval: "5m", bars: [] });
  });

  it("drops what arrives for a series it has turned away from", () => {
    const turned = after(select, { type: "timeframe", interval: "5m" });
    expect(chartReducer(turned, loaded([bar(1)]))).toBe(turned);
  });

  it("keeps the series on screen while it is loaded anew, then replaces it", () => {
    const again: Action = { type: "chartLoading", ...key };
    const state = after(select, loaded([bar(1), bar(2)]), again);
    expect(state).toMatchObject({ phase: "loading" });
    expect(state.bars).toHaveLength(2);
    expect(chartReducer(state, loaded([bar(9)])).bars).toHaveLength(1);
  });

  it("tells why it could not be loaded", () => {
    const error = { code: "unknown_symbol", message: "" };
    expect(after(select, { type: "chartFailed", ...key, error })).toMatchObject({
      phase: "failed",
      error,
    });
  });

  it("keeps its place in the past while bars arrive, and follows the newest otherwise", () => {
    const history = Array.from({ length: 300 }, (_, index) => bar(index));
    const following = after(select, loaded(history), live(bar(300)));
    expect(following.viewport.behind).toBe(0);
    const past = after(
      select,
      loaded(history),
      { type: "pan", bars: 50 },
      live(bar(300), bar(301)),
    );
    expect(past.viewport.behind).toBe(52);
    expect(chartReducer(past, { type: "fit" }).viewport.behind).toBe(0);
  });

  it("shows as many bars as its width has room for until the user zooms", () => {
    const wide: Action = { type: "chartWidth", width: 700 };
    const narrow: Action = { type: "chartWidth", width: 350 };
    const zoom: Action = { type: "zoom", factor: 0.5, anchor: 1 };
    const history = Array.from({ length: 300 }, (_, index) => bar(index));
    expect(after(wide, narrow).viewport.bars).toBe(50);
    expect(after(wide, select, loaded(history), zoom, narrow).viewport.bars).toBe(50);
    expect(after(narrow, select, loaded(history), zoom, wide).viewport.bars).toBe(25);
  });

  it("toggles studies and the table", () => {
    const state = after({ type: "toggleStudy", study: "rsi" }, { type: "toggleTable" });
    expect(state.studies).toMatchObject({ rsi: false, vwap: true });
    expect(state.table).toBe(true);
  });
});

describe("the picture", () => {
  const sets = [1, 3, 4].map((index) => indicators(index, { vwap: index, rsi_14: 40 + index }));

  it("puts each bar beside the indicators of its start", () => {
    const state = after(select, studied(sets), loaded([bar(2), bar(3), bar(4)]));
    const { points } = pictureOf(state, "UTC");
    expect(points.map(({ vwap }) => vwap)).toEqual([Number.NaN, 3, 4]);
    expect(points[2]).toMatchObject({ rsi: 44, upper: Number.NaN });
  });

  it("has the newest bar even while the past is in view", () => {
    const history = Array.from({ length: 300 }, (_, index) => bar(index));
    const state = after(select, loaded(history), { type: "pan", bars: 100 });
    const picture = pictureOf(state, "UTC");
    expect(picture.points.at(-1)?.bar.start_ms).toBe(199 * minute);
    expect(picture.last?.start_ms).toBe(299 * minute);
  });

  it("has the price of the last trade, else the newest close", () => {
    const state = after(select, loaded([bar(1)]));
    expect(pictureOf(state, "UTC", 12.5).price).toBe(12.5);
    expect(pictureOf(state, "UTC").price).toBe(11);
    expect(pictureOf(emptyChart, "UTC").price).toBeNaN();
  });

  it("gives a study no pane before it has a value", () => {
    const warm = after(select, loaded([bar(1)]), studied([indicators(1, { rsi_14: 50 })]));
    const cold = after(select, loaded([bar(1)]), studied([indicators(1, { vwap: 1 })]));
    expect(pictureOf(warm, "UTC").studies.rsi).toBe(true);
    expect(pictureOf(cold, "UTC").studies.rsi).toBe(false);
  });

  it("does not stretch a few bars over the whole width", () => {
    expect(pictureOf(after(select, loaded([bar(1)])), "UTC")).toMatchObject({ slots: 40 });
  });
});
