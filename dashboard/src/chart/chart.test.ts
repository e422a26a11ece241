import { describe, expect, it } from "vitest";

import type { AlertEvent, Bar, IndicatorSet } from "../socket/records.ts";
import type { Action } from "../store/actions.ts";

import { bar, minute } from "./made.ts";
import { onScale, pictureOf } from "./picture.ts";
import { chartReducer, emptyChart, olderWanted } from "./reducer.ts";
import { merge, seriesLimit } from "./series.ts";

const indicators = (index: number, values: Record<string, number>): IndicatorSet => ({
  symbol: "SPY",
  interval: "1m",
  start_ms: index * minute,
  state: "closed",
  revision: 0,
  values,
});

const alert: AlertEvent = {
  alert_id: "a",
  rule_id: "r",
  symbol: "SPY",
  state: "firing",
  severity: "info",
  ts_event_ms: 0,
  value: 1,
  threshold: 1,
  summary: "",
  revision: 0,
};

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

  it("takes many records at once as it takes them one by one", () => {
    const first = Array.from({ length: 30 }, (_, index) => bar(index * 2, { close: 1 }));
    const records = Array.from({ length: 40 }, (_, index) =>
      bar((index * 7) % 50, { close: index, revision: index % 3 }),
    );
    const single = records.reduce<readonly Bar[]>((shown, next) => merge(shown, [next]), first);
    expect(merge(first, records)).toEqual(single);
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
    const state = after(
      { type: "toggleStudy", study: "rsi_14" },
      { type: "toggleStudy", study: "obv" },
      { type: "toggleTable" },
    );
    expect(state.studies).toEqual(["volume", "vwap", "bbands_20_2", "obv"]);
    expect(state.table).toBe(true);
  });

  it("keeps what alerts have said, each change once", () => {
    const event = (revision: number, ts_event_ms: number) =>
      ({ ...alert, revision, ts_event_ms }) as const;
    const state = after(
      { type: "alertsLoaded", at: 0, records: [event(0, 5), event(1, 9)] },
      { type: "alerts", at: 0, lost: 0, records: [event(1, 9), event(2, 7)] },
    );
    expect(state.alerts.map(({ revision }) => revision)).toEqual([0, 2, 1]);
  });
});

describe("older bars", () => {
  const page = (bars: Bar[], more = true): Action => ({
    type: "olderLoaded",
    ...key,
    bars,
    indicators: [],
    more,
  });
  const history = Array.from({ length: 300 }, (_, index) => bar(1000 + index));
  const atStart = after(select, loaded(history), { type: "pan", bars: 1e9 });

  it("are wanted near the oldest, and not elsewhere", () => {
    expect(olderWanted(after(select, loaded(history)))).toBeUndefined();
    expect(olderWanted(atStart)).toEqual({ symbol: "SPY", before: 1000 * minute });
  });

  it("join without a seam, and the view stays where it was", () => {
    const before = pictureOf(atStart, "UTC").bars[0]?.start_ms;
    const state = chartReducer(atStart, page([bar(998), bar(999), bar(1000, { close: 1 })]));
    expect(state.bars).toHaveLength(302);
    expect(state.bars.map(({ start_ms }) => start_ms / minute).slice(0, 3)).toEqual([
      998, 999, 1000,
    ]);
    expect(pictureOf(state, "UTC").bars[0]?.start_ms).toBe(before);
  });

  it("never put back what was revised since", () => {
    const revised = chartReducer(atStart, live(bar(1000, { revision: 1, close: 77 })));
    expect(chartReducer(revised, page([bar(1000)])).bars[0]?.close).toBe(77);
  });

  it("are not asked for twice, nor beyond the first bar there is", () => {
    const asked = chartReducer(atStart, { type: "olderAsked", ...key });
    expect(olderWanted(asked)).toBeUndefined();
    expect(olderWanted(chartReducer(asked, page([bar(999)], false)))).toBeUndefined();
    expect(olderWanted(chartReducer(asked, page([])))).toBeUndefined();
  });

  it("are asked for again after a failure once the user goes on", () => {
    const error = { code: "internal", message: "" };
    const failed = chartReducer(atStart, { type: "olderFailed", ...key, error });
    expect(olderWanted(failed)).toBeUndefined();
    expect(olderWanted(chartReducer(failed, { type: "pan", bars: 1 }))).toBeDefined();
  });

  it("stop at what a chart may hold", () => {
    const many = Array.from({ length: seriesLimit }, (_, index) => bar(1000 + index));
    const full = after(select, loaded(many), { type: "pan", bars: 1e9 });
    expect(olderWanted(full)).toBeUndefined();
    expect(chartReducer(full, page([bar(999)])).bars).toHaveLength(seriesLimit);
  });

  it("of a rival are wanted as far back as the chart is looked at", () => {
    const rival = { symbol: "QQQ", interval: "1m" } as const;
    const bars = history.slice(100).map((own) => ({ ...own, symbol: "QQQ" }));
    const state = after(
      select,
      loaded(history),
      { type: "compare", symbol: "QQQ" },
      { type: "chartLoaded", ...rival, bars },
      { type: "olderLoaded", ...key, bars: [], indicators: [], more: false },
      { type: "showAll" },
    );
    expect(olderWanted(state)).toEqual({ symbol: "QQQ", before: 1100 * minute });
  });
});

describe("the picture", () => {
  const sets = [1, 3, 4].map((index) => indicators(index, { vwap: index, rsi_14: 40 + index }));

  it("puts each bar beside the indicators of its start", () => {
    const state = after(select, studied(sets), loaded([bar(2), bar(3), bar(4)]));
    const values = pictureOf(state, "UTC").lines.map(({ output, values }) => [output.name, values]);
    expect(values).toEqual([
      ["vwap", [Number.NaN, 3, 4]],
      ["rsi_14", [Number.NaN, 43, 44]],
    ]);
  });

  it("has the newest bar even while the past is in view", () => {
    const history = Array.from({ length: 300 }, (_, index) => bar(index));
    const state = after(select, loaded(history), { type: "pan", bars: 100 });
    const picture = pictureOf(state, "UTC");
    expect(picture.points.at(-1)?.bar.start_ms).toBe(199 * minute);
    expect(picture.last?.start_ms).toBe(299 * minute);
    expect(picture.live).toBe(false);
  });

  it("has the price of the last trade, else the newest close", () => {
    const state = after(select, loaded([bar(1)]));
    expect(pictureOf(state, "UTC", 12.5).price).toBe(12.5);
    expect(pictureOf(state, "UTC").price).toBe(11);
    expect(pictureOf(emptyChart, "UTC").price).toBeNaN();
  });

  it("gives a study no pane before it has a value", () => {
    const panes = (values: Record<string, number>) =>
      pictureOf(after(select, loaded([bar(1)]), studied([indicators(1, values)])), "UTC").lines.map(
        ({ study }) => study.id,
      );
    expect(panes({ rsi_14: 50 })).toEqual(["rsi_14"]);
    expect(panes({ obv: 50 })).toEqual([]);
  });

  it("does not stretch a few bars over the whole width", () => {
    expect(pictureOf(after(select, loaded([bar(1)])), "UTC")).toMatchObject({ slots: 40 });
  });

  it("has no more places than pixels, and every bar in them", () => {
    const history = Array.from({ length: 5000 }, (_, index) => bar(index, { volume: 1 }));
    const state = after({ type: "chartWidth", width: 800 }, select, loaded(history), {
      type: "showAll",
    });
    const { bars, points } = pictureOf(state, "UTC");
    expect(bars).toHaveLength(5000);
    expect(points.length).toBeLessThanOrEqual(400);
    expect(points.reduce((sum, { count }) => sum + count, 0)).toBe(5000);
    expect(points.reduce((sum, point) => sum + point.bar.volume, 0)).toBe(5000);
  });
});

describe("a comparison", () => {
  const rival = { symbol: "QQQ", interval: "1m" } as const;
  const theirs = (index: number, close: number) => bar(index, { symbol: "QQQ", close });
  const compared = after(
    select,
    loaded([bar(1, { close: 10 }), bar(2, { close: 20 }), bar(3, { close: 25 })]),
    { type: "compare", symbol: "QQQ" },
    { type: "chartLoaded", ...rival, bars: [theirs(1, 200), theirs(3, 100)] },
  );

  it("counts both from the first bar that both have", () => {
    const picture = pictureOf(compared, "UTC");
    expect(picture.base).toBe(10);
    expect([10, 20, 25].map((close) => onScale(picture, close))).toEqual([0, 100, 150]);
    expect(picture.comparison?.percents).toEqual([0, 0, -50]);
  });

  it("follows the other symbol's bars as they come", () => {
    const state = chartReducer(compared, live(theirs(3, 300)));
    expect(pictureOf(state, "UTC").comparison?.percents).toEqual([0, 0, 50]);
    expect(state.bars).toBe(compared.bars);
  });

  it("begins anew with another timeframe, and ends when its symbol becomes the chart's", () => {
    const turned = chartReducer(compared, { type: "timeframe", interval: "5m" });
    expect(turned.rival).toMatchObject({ symbol: "QQQ", phase: "loading", bars: [] });
    expect(chartReducer(compared, { type: "select", symbol: "QQQ" }).rival).toBeNull();
    expect(chartReducer(compared, { type: "compare", symbol: null }).rival).toBeNull();
    expect(chartReducer(compared, { type: "compare", symbol: "SPY" }).rival).toBeNull();
  });

  it("tells why there is none", () => {
    const error = { code: "unknown_symbol", message: "" };
    const state = chartReducer(compared, { type: "chartFailed", ...rival, error });
    expect(state).toMatchObject({ phase: "ready", rival: { phase: "failed", error } });
  });
});
