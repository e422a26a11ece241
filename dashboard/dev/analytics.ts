import type { Figure } from "../src/socket/records.ts";

import type { Market } from "./market.ts";

/** The groups of the made-up market. */
export const madeUpGroups: readonly string[] = ["Banks", "Technology"];

const minuteMs = 60_000;

type Values = Record<string, number>;

/** The change of each symbol over its last thirty minutes, in percent. */
function changesOf(market: Market): Map<string, number> {
  const changes = market.symbols.map((symbol): [string, number] => {
    const bars = market.bars(symbol, "1m").slice(-30);
    const [first, last] = [bars[0]?.open ?? 1, bars.at(-1)?.close ?? 1];
    return [symbol, (last / first - 1) * 100];
  });
  return new Map(changes);
}

const ranked = (changes: Map<string, number>, wanted: (change: number) => boolean): Values =>
  Object.fromEntries(
    [...changes]
      .filter(([, change]) => wanted(change))
      .sort(([, one], [, other]) => Math.abs(other) - Math.abs(one))
      .slice(0, 10),
  );

/** What a crowd of symbols has: of the whole market, or of a group, which is the same of a few. */
function ofCrowd(market: Market, symbols: readonly string[]): readonly [string, string, Values][] {
  const all = changesOf(market);
  const changes = new Map([...all].filter(([symbol]) => symbols.includes(symbol)));
  const values = [...changes.values()];
  const [up, down] = [
    values.filter((one) => one > 0).length,
    values.filter((one) => one < 0).length,
  ];
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const volume = Object.fromEntries(symbols.map((symbol, place) => [symbol, 1e6 / (place + 1)]));
  return [
    ["gainers", "1d", ranked(changes, (change) => change > 0)],
    ["losers", "1d", ranked(changes, (change) => change < 0)],
    ["most_active", "1d", volume],
    [
      "breadth",
      "1d",
      {
        advancers: up,
        decliners: down,
        unchanged: values.length - up - down,
        net_advances: up - down,
        up_volume: up * 4.1e5,
        down_volume: down * 3.7e5,
        unchanged_volume: 0,
        ...(down > 0 ? { advance_decline_ratio: up / down } : {}),
      },
    ],
    ["highs_lows", "1d", { new_highs: up % 4, new_lows: down % 3 }],
    ["highs_lows", "5d", { new_highs: 1, new_lows: 0, days: 5 }],
    [
      "returns",
      "1d",
      { equal_weighted: mean, volume_weighted: mean * 0.8, symbols: values.length },
    ],
  ];
}

const ofMarket: readonly [string, string, Values][] = [
  ...["30m", "60m", "1d"].map((window): [string, string, Values] => [
    "correlation",
    window,
    { mean: 0.31, first_eigenvalue_share: 0.42, symbols: 12, pairs: 66 },
  ]),
  [
    "anomaly",
    "60m",
    {
      distance: 4.6,
      return_share: 0.08,
      volume_share: 0.21,
      range_share: 0.1,
      dispersion_share: 0.61,
      return_z: -0.7,
      volume_z: 2.4,
      range_z: 1.1,
      dispersion_z: 4.9,
    },
  ],
];

function ofSymbol(market: Market, symbol: string): readonly [string, string, Values][] {
  const price = market.bars(symbol, "1m").at(-1)?.close ?? 100;
  const others = market.symbols.filter((other) => other !== symbol).slice(0, 5);
  const correlated = Object.fromEntries(others.map((other, place) => [other, 0.8 - place * 0.3]));
  const loss = { qlike: 0.412, naive_qlike: 0.447, judged: 140, beats_naive: 1 };
  return [
    ["trend", "30m", { slope: 2.4e-5, t_statistic: 4.18, r_squared: 0.384, bars: 30 }],
    ["realised_volatility", "30m", { volatility: 0.0021, annualised: 0.121, returns: 29 }],
    ["realised_volatility", "1d", { volatility: 0.0064, annualised: 0.134, returns: 220 }],
    ["ewma_volatility", "1d", { volatility: 0.0004, annualised: 0.118 }],
    ["garman_klass", "30m", { volatility: 0.0019, annualised: 0.109, bars: 30 }],
    [
      "levels",
      "1d",
      {
        support: price * 0.998,
        support_touches: 3,
        resistance: price * 1.002,
        resistance_touches: 1,
        levels: 7,
      },
    ],
    [
      "volume_profile",
      "1d",
      {
        point_of_control: price,
        value_area_low: price * 0.996,
        value_area_high: price * 1.003,
        volume: 4.4e6,
      },
    ],
    ["trade_flow", "30m", { buy_volume: 412_000, sell_volume: 301_000, imbalance: 0.156 }],
    ["liquidity", "30m", { amihud: 1.3e-5, spread: 0.00011, value: 1.19e8 }],
    ["relative_volume", "1d", { ratio: 1.32, volume: 4.4e6, usual: 3.33e6, days: 5 }],
    [
      "beta",
      "30m",
      { market: 1.1, benchmark: 0.94, market_correlation: 0.7, benchmark_correlation: 0.66 },
    ],
    [
      "beta",
      "1d",
      { market: 1.04, benchmark: 0.91, market_correlation: 0.64, benchmark_correlation: 0.6 },
    ],
    ["correlated", "30m", correlated],
    ["correlated", "1d", correlated],
    [
      "anomaly",
      "60m",
      {
        distance: 2.2,
        return_share: 0.2,
        volume_share: 0.5,
        range_share: 0.3,
        return_z: 0.9,
        volume_z: 1.7,
        range_z: 1,
      },
    ],
    ["change", "60m", { return_change: 0, volume_change: 1, volume_minutes: 14, range_change: 0 }],
    ["forecast_ewma", "5m", { volatility: 0.00092, naive: 0.0011, ...loss }],
    ["forecast_ewma", "30m", { volatility: 0.0024, naive: 0.0027, ...loss }],
    [
      "forecast_garch",
      "5m",
      { volatility: 0.00095, naive: 0.0011, ...loss, qlike: 0.46, beats_naive: 0 },
    ],
    [
      "forecast_garch",
      "30m",
      { volatility: 0.0025, naive: 0.0027, ...loss, judged: 12, beats_naive: 0 },
    ],
    [
      "forecast_direction",
      "1m",
      {
        probability: 0.52,
        naive: 0.5,
        brier: 0.249,
        naive_brier: 0.25,
        judged: 190,
        beats_naive: 1,
      },
    ],
  ];
}

/** Whether figures are made up of such a scope. */
export function isScope(scope: string): boolean {
  return scope === "market" || madeUpGroups.includes(scope.replace(/^group:/, ""));
}

/** Made-up figures of a scope at `now`, ms; good to look at, of no other meaning. */
export function madeUpFigures(market: Market, scope: string, now: number): Figure[] {
  const place = madeUpGroups.indexOf(scope.replace(/^group:/, ""));
  const own =
    scope === "market"
      ? [...ofCrowd(market, market.symbols), ...ofMarket]
      : place >= 0
        ? ofCrowd(
            market,
            market.symbols.filter((_, at) => at % madeUpGroups.length === place),
          )
        : ofSymbol(market, scope);
  const ts_event_ms = Math.floor(now / minuteMs) * minuteMs;
  return own.map(([name, window, values]) => ({ scope, name, ts_event_ms, window, values }));
}
