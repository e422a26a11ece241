import { describe, expect, it } from "vitest";

import { type Figure, readFigures } from "../socket/records.ts";
import type { Action } from "../store/actions.ts";
import { initialState, rootReducer, type State } from "../store/state.ts";

import { minutesOf, stampOf, windowLabel, windowsOf } from "./card.ts";
import { scopesOf } from "./follow.ts";
import { after, came, figure, followed, loaded, minute, minutes, source } from "./made.ts";
import { analyticsReducer, emptyAnalytics, newestMinute } from "./reducer.ts";
import { asPercent, asPoints, asSlope } from "./units.ts";

describe("figures of the socket", () => {
  it("are read, and left out where they make no sense", () => {
    const whole = { ...figure("trend", "30m", { slope: 1 }), extra: 1 };
    const odd = { ...whole, values: { slope: 1, t_statistic: null, bars: "many" } };
    const broken = [
      null,
      { ...whole, scope: "" },
      { ...whole, values: 3 },
      { ...whole, ts_event_ms: "x" },
    ];
    expect(readFigures([...broken, whole, odd])).toEqual([
      figure("trend", "30m", { slope: 1 }),
      figure("trend", "30m", { slope: 1 }),
    ]);
    expect(readFigures("nonsense")).toEqual([]);
  });
});

describe("the scopes that are followed", () => {
  it("load, and are ready with what there is", () => {
    const breadth = figure("breadth", "1d", { advancers: 2 });
    expect(after(followed("market", "SPY")).scopes.SPY?.phase).toBe("loading");
    const state = after(followed("market", "SPY"), loaded("market", breadth), loaded("SPY"));
    expect(state.scopes.market).toEqual({
      phase: "ready",
      error: null,
      figures: { "breadth 1d": breadth },
    });
    expect(state.scopes.SPY).toEqual({ phase: "ready", error: null, figures: {} });
  });

  it("keep the newest minute of each figure, and the last record of it", () => {
    const at = (time: number, advancers: number) =>
      figure("breadth", "1d", { advancers }, { ts_event_ms: minute + time });
    const state = after(
      followed("market"),
      loaded("market", at(0, 1)),
      came(at(9, 2), at(5, 3), at(9, 4)),
    );
    expect(state.scopes.market?.figures["breadth 1d"]).toEqual(at(9, 4));
    expect(newestMinute(state)).toBe(minute + 9);
    expect(newestMinute(emptyAnalytics)).toBeNaN();
  });

  it("begin anew with a snapshot, even where that is older", () => {
    const old = figure("returns", "1d", {}, { ts_event_ms: 1 });
    const state = after(
      followed("market"),
      loaded("market", figure("breadth", "1d")),
      loaded("market", old),
    );
    expect(state.scopes.market?.figures).toEqual({ "returns 1d": old });
  });

  it("are forgotten when they are followed no more, and what comes late for them counts for nothing", () => {
    const state = after(followed("SPY"), loaded("SPY", figure("trend", "30m")), followed("AIG"));
    expect(Object.keys(state.scopes)).toEqual(["AIG"]);
    const trend = figure("trend", "30m", {}, { scope: "SPY" });
    expect(analyticsReducer(state, came(trend))).toBe(state);
    expect(analyticsReducer(state, loaded("SPY", trend)).scopes.SPY).toBeUndefined();
  });

  it("say why there are no figures of them", () => {
    const error = { code: "unknown_symbol", message: "" };
    const failed: Action = { type: "analyticsFailed", scopes: ["NONE"], error };
    const state = after(followed("market", "NONE"), failed);
    expect(state.scopes.NONE).toEqual({ phase: "failed", error, figures: {} });
    expect(state.scopes.market?.phase).toBe("loading");
  });

  it("are the market, the symbol and the groups, while the view is open", () => {
    const actions: Action[] = [
      { type: "groups", names: ["Energy"] },
      { type: "select", symbol: "SPY" },
    ];
    const state = actions.reduce(rootReducer, initialState);
    expect(scopesOf(state)).toEqual([]);
    const open = rootReducer(state, { type: "tab", tab: "analytics" });
    expect(scopesOf(open)).toEqual([["market"], ["SPY"], ["group:Energy"]]);
    const { chart } = initialState;
    expect(scopesOf({ ...open, chart, analytics: emptyAnalytics })).toEqual([["market"], [], []]);
  });
});

describe("figures on a paused screen", () => {
  const breadth = (advancers: number): Figure => figure("breadth", "1d", { advancers });
  const shown = (state: State): number | undefined =>
    state.analytics.scopes.market?.figures["breadth 1d"]?.values.advancers;
  const begun = [
    followed("market"),
    loaded("market", breadth(1)),
    { type: "pause", paused: true },
  ] as Action[];

  it("stand still, are counted, and come once it goes on", () => {
    const state = [...begun, came(breadth(2)), loaded("market", breadth(3))].reduce(
      rootReducer,
      initialState,
    );
    expect(shown(state)).toBe(1);
    expect(state.pace.waiting).toBe(1);
    expect(shown(rootReducer(state, { type: "pause", paused: false }))).toBe(3);
  });

  it("come at once for a symbol that is chosen meanwhile", () => {
    const trend = figure("trend", "30m", {}, { scope: "SPY" });
    const state = [...begun, followed("market", "SPY"), loaded("SPY", trend)].reduce(
      rootReducer,
      initialState,
    );
    expect(state.analytics.scopes.SPY?.phase).toBe("ready");
    expect(shown(state)).toBe(1);
  });

  it("follow every five seconds where the user wants it so", () => {
    const slow: Action[] = [
      { type: "frequency", frequency: "5s" },
      followed("market"),
      loaded("market", breadth(1)),
      { type: "beat", at: 5_000 },
      came(breadth(2)),
      { type: "beat", at: 9_000 },
    ];
    const state = slow.reduce(rootReducer, initialState);
    expect(shown(state)).toBe(1);
    expect(shown(rootReducer(state, { type: "beat", at: 10_000 }))).toBe(2);
  });
});

describe("windows and minutes", () => {
  it("are named, and in order of their length", () => {
    expect(["30m", "1d", "5d", "60m", "2h"].map(windowLabel)).toEqual([
      "30 min",
      "day so far",
      "5 days",
      "60 min",
      "120 min",
    ]);
    expect(windowLabel("session")).toBe("session");
    expect(minutesOf("session")).toBeNaN();
    const { figures } = source(
      figure("beta", "1d"),
      figure("beta", "60m"),
      figure("beta", "5m"),
      figure("trend", "7m"),
    );
    expect(windowsOf(figures, "beta")).toEqual(["5m", "60m", "1d"]);
  });

  it.each([
    ["trend", 0, "", false],
    ["trend", 1, "10:41", false],
    ["trend", 3, "10:39", true],
    ["beta", 6, "10:36", false],
    ["beta", 7, "10:35", true],
  ])("of %s that is %i minutes behind are told by '%s', old: %s", (name, behind, text, stale) => {
    const old = figure(name, "30m", {}, { ts_event_ms: minute - minutes(behind) });
    expect(stampOf(old, source())).toEqual({ text, stale });
  });
});

describe("units", () => {
  it("are those that people read", () => {
    expect([0.1234, 0.01234, 0.000123].map(asPercent)).toEqual(["12.3%", "1.23%", "0.012%"]);
    expect([0.0012, 0.000025, 0.0000003, 0].map(asPoints)).toEqual([
      "12.0 bp",
      "0.25 bp",
      "0.0030 bp",
      "0.0 bp",
    ]);
    expect([0.00002, -0.0001].map(asSlope)).toEqual(["+0.20 bp/min", "−1.00 bp/min"]);
    expect(asPercent(Number.NaN)).toBe("–");
  });
});
