import { describe, expect, it } from "vitest";

import type { Figure } from "../socket/records.ts";
import type { Action } from "../store/actions.ts";

import { anomalyCard, driversOf } from "./anomaly.ts";
import { forecastsCard, verdictOf } from "./forecasts.ts";
import {
  after,
  figure,
  followed,
  loaded,
  minute,
  minutes,
  named,
  said,
  source,
  texts,
} from "./made.ts";
import { groupCards, marketCards } from "./market.ts";
import { symbolCards } from "./symbol.ts";
import { german } from "./words-de.ts";
import { english } from "./words-en.ts";

describe("the market's cards", () => {
  const breadth = figure("breadth", "1d", {
    advancers: 2,
    decliners: 1,
    unchanged: 0,
    net_advances: 1,
    advance_decline_ratio: 2,
    up_volume: 1_200_000,
    down_volume: 300_000,
    unchanged_volume: 0,
  });

  it("count who rises and who falls, with their volume", () => {
    const returns = figure("returns", "1d", { equal_weighted: 0.5, volume_weighted: -0.25 });
    const card = named(marketCards(source(breadth, returns)), "breadth");
    expect(texts(card)).toEqual({
      symbols: ["2", "1", "0"],
      volume: ["1.20M", "300K", "0"],
      net: ["+1"],
      ratio: ["2.00"],
      equal: ["+0.50%"],
      weighted: ["−0.25%"],
    });
    expect(card.balance).toEqual({ up: 2, rest: 0, down: 1 });
  });

  it("leave out what can't be worked out", () => {
    const values = { ...breadth.values };
    delete values.advance_decline_ratio;
    const card = named(marketCards(source(figure("breadth", "1d", values))), "breadth");
    expect(Object.keys(texts(card))).toEqual(["symbols", "volume", "net"]);
  });

  it("rank symbols, equal ones by name", () => {
    const card = named(
      marketCards(
        source(
          figure("gainers", "1d", { B: 1, C: 2, A: 1 }),
          figure("losers", "1d", { D: -1, E: -3 }),
          figure("most_active", "1d", {}),
        ),
      ),
      "movers",
    );
    expect(
      card.lists.map(({ items }) => items.map(({ symbol, text }) => `${symbol} ${text}`)),
    ).toEqual([["C +2.00%", "A +1.00%", "B +1.00%"], ["E −3.00%", "D −1.00%"], []]);
  });

  it("have a column for each window", () => {
    const card = named(
      marketCards(
        source(
          figure("correlation", "60m", { mean: 0.3, first_eigenvalue_share: 0.4567, symbols: 3 }),
          figure(
            "correlation",
            "30m",
            { mean: -0.2, symbols: 3 },
            { ts_event_ms: minute - minutes(9) },
          ),
        ),
      ),
      "together",
    );
    expect(card.tables[0]?.headings).toMatchObject([
      { label: "30 min", text: "10:33", stale: true },
      { label: "60 min", text: "", stale: false },
    ]);
    expect(texts(card)).toEqual({
      mean: ["−0.20", "0.30"],
      share: ["", "45.7%"],
      symbols: ["3", "3"],
    });
  });

  it("say in one sentence why they are empty", () => {
    for (const card of marketCards(source())) {
      expect(card.tables).toEqual([]);
      expect(card.sentences).toHaveLength(1);
      expect(said(card)).toMatch(/^[A-Z].*\.$/);
    }
  });

  it("list the groups that have figures, and mark one that has fallen behind", () => {
    const group = (name: string, behind = 0): Action => {
      const fields = { scope: `group:${name}`, ts_event_ms: minute - minutes(behind) };
      return loaded(
        `group:${name}`,
        { ...breadth, ...fields },
        figure("returns", "1d", { equal_weighted: 1.5 }, fields),
      );
    };
    const scopes = ["group:Banks", "group:Old", "group:Quiet"];
    const names: Action = { type: "groups", names: ["Banks", "Old", "Quiet"] };
    const state = after(
      names,
      followed(...scopes),
      group("Banks"),
      group("Old", 5),
      loaded("group:Quiet"),
    );
    const [card, ...others] = groupCards(state, minute, "UTC");
    expect(others).toEqual([]);
    expect(
      card?.tables[0]?.rows.map(({ label, cells }) => [label, ...cells.map(({ text }) => text)]),
    ).toEqual([
      ["Banks", "+1.50%", "2", "1", "1.50M"],
      ["Old ◷ 14:37", "+1.50%", "2", "1", "1.50M"],
    ]);
    expect(groupCards(after(), minute, "UTC")).toEqual([]);
  });
});

describe("a symbol's cards", () => {
  it("show values in their units", () => {
    const cards = symbolCards(
      source(
        figure("trend", "30m", { slope: -0.0001, t_statistic: -3.456, r_squared: 0.5, bars: 30 }),
        figure("realised_volatility", "1d", { volatility: 0.01, annualised: 0.2 }),
        figure("garman_klass", "30m", { annualised: 0.1 }),
        figure("trade_flow", "30m", { buy_volume: 300, sell_volume: 100, imbalance: 0.5 }),
        figure("levels", "1d", { support: 165.5, support_touches: 3, levels: 4 }),
        figure("volume_profile", "1d", {
          point_of_control: 165.5,
          value_area_low: 165,
          value_area_high: 166,
          volume: 1e6,
        }),
        figure("relative_volume", "1d", { ratio: 1.5, volume: 3e6, usual: 2e6, days: 5 }),
        figure("correlated", "30m", { AIG: 0.4, BAC: -0.9 }),
      ),
    );
    expect(texts(named(cards, "trend"))).toMatchObject({
      slope: ["−1.00 bp/min"],
      t: ["−3.46"],
      fit: ["50.0%"],
    });
    expect(texts(named(cards, "volatility"))).toEqual({
      realised: ["", "20.0%"],
      garmanKlass: ["10.0%", ""],
      window: ["", "1.00%"],
    });
    expect(texts(named(cards, "flow")).imbalance).toEqual(["+50.00%"]);
    expect(texts(named(cards, "levels"))).toEqual({ support: ["165.50", "3"] });
    expect(texts(named(cards, "profile"))).toMatchObject({
      high: ["166.00"],
      control: ["165.50"],
      low: ["165.00"],
    });
    expect(texts(named(cards, "volume"))).toMatchObject({
      ratio: ["1.50×"],
      usual: ["2.00M"],
      days: ["5"],
    });
    expect(named(cards, "correlated").lists[0]?.items.map(({ symbol }) => symbol)).toEqual([
      "BAC",
      "AIG",
    ]);
  });

  it("say in one sentence why they are empty", () => {
    for (const card of symbolCards(source())) expect(said(card)).toMatch(/^[A-Z].*\.$/);
  });
});

describe("an anomaly", () => {
  const anomaly = (distance: number): Figure =>
    figure("anomaly", "60m", {
      distance,
      return_share: 0.25,
      volume_share: 0.7,
      range_share: 0.05,
      return_z: -2.04,
      volume_z: 4.96,
      range_z: 1,
    });

  it("names what drove it, the largest part first", () => {
    expect(driversOf(anomaly(5))).toBe(
      "Volume (70%, 5.0 deviations above its usual), Return (25%, 2.0 deviations below its usual)",
    );
  });

  it.each([
    [3.4, "Nothing unusual"],
    [3.5, "one minute of a hundred"],
    [4.1, "one minute of a thousand"],
  ])("of distance %d is told as %s", (distance, words) => {
    expect(said(anomalyCard("anomaly", source(anomaly(distance))))).toContain(words);
  });

  it("of the market counts from a larger distance", () => {
    expect(said(anomalyCard("marketAnomaly", source(anomaly(3.5))))).toContain("Nothing unusual");
  });

  it("tells of a level that has changed", () => {
    const change = figure("change", "60m", {
      volume_change: -1,
      volume_minutes: 14,
      return_change: 0,
    });
    const told = said(anomalyCard("anomaly", source(anomaly(1), change)));
    expect(told).toContain("Volume: on a lower level for 14 min.");
    expect(told).not.toContain("Return: ");
  });
});

describe("forecasts", () => {
  const forecast = (name: string, window: string, values: Record<string, number>): Figure =>
    figure(name, window, {
      volatility: 0.001,
      naive: 0.002,
      qlike: 0.4,
      naive_qlike: 0.5,
      ...values,
    });
  const good = forecast("forecast_ewma", "5m", { judged: 30, beats_naive: 1 });
  const bad = forecast("forecast_garch", "30m", { judged: 90, beats_naive: 0 });
  const early = forecast("forecast_garch", "5m", { judged: 29, beats_naive: 0 });

  it("are judged as the platform judges them, and not before thirty", () => {
    expect([good, bad, early, forecast("x", "5m", {})].map(verdictOf)).toEqual([
      "better",
      "worse",
      "early",
      "early",
    ]);
  });

  it("stand beside the naive ones, and those that don't beat them are named", () => {
    const direction = figure("forecast_direction", "1m", {
      probability: 0.53,
      naive: 0.5,
      brier: 0.2481,
      naive_brier: 0.25,
      judged: 200,
      beats_naive: 1,
    });
    const card = forecastsCard(source(good, bad, early, direction));
    expect(texts(card)).toEqual({
      "forecast_ewma 5m": ["0.10% / 0.20%", "0.400 / 0.500", "✓ better (30)"],
      "forecast_garch 5m": ["0.10% / 0.20%", "0.400 / 0.500", "too few (29)"],
      "forecast_garch 30m": ["0.10% / 0.20%", "0.400 / 0.500", "✗ not better (90)"],
      "forecast_direction 1m": ["53% / 50%", "0.248 / 0.250", "✓ better (200)"],
    });
    expect(card.sentences.map(({ text }) => text)).toEqual([
      "Doesn't beat the naive forecast today: Volatility, GARCH, 30 min.",
      "Too few judged today to tell (thirty are needed): Volatility, GARCH, 5 min.",
    ]);
    expect(said(forecastsCard(source(good)))).toBe("All of them beat the naive forecast today.");
  });
});

describe("the words", () => {
  /** Every text of a language by its place, those of functions by what they make of the same values. */
  const flat = (value: unknown, path = ""): [string, string][] => {
    if (typeof value === "string") return [[path, value]];
    if (typeof value === "function")
      return [[path, (value as (...all: string[]) => string)("a", "b", "c")]];
    return Object.entries(value as object).flatMap(([name, one]) => flat(one, `${path}.${name}`));
  };

  it("say in every language all that they say in any", () => {
    const [one, other] = [flat(english), flat(german)];
    expect(other.map(([path]) => path)).toEqual(one.map(([path]) => path));
    expect([...one, ...other].filter(([, text]) => text.trim() === "")).toEqual([]);
  });

  it("have a hint for each figure", () => {
    expect(flat(english).filter(([path]) => path.endsWith(".hint")).length).toBeGreaterThan(50);
  });
});
