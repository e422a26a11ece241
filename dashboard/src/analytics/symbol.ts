/** The cards of one symbol. Pure. */

import {
  formatChange,
  formatCount,
  formatPercent,
  formatPrice,
  formatVolume,
} from "../ui/format.ts";

import { anomalyCard } from "./anomaly.ts";
import {
  type Card,
  cardOf,
  type Column,
  current,
  plain,
  type Source,
  stampOf,
  valueOf,
  windowed,
  windowLabel,
  windowsOf,
} from "./card.ts";
import { forecastsCard } from "./forecasts.ts";
import { figureOf } from "./reducer.ts";
import { asNumber, asPercent, asPoints, asRatio, asSlope } from "./units.ts";
import { words } from "./words.ts";

const day = "1d";

const column = (figure: string, value: string, format: Column["format"]): Column => ({
  figure,
  value,
  format,
});

function trendCard(source: Source): Card {
  const lines = {
    slope: { ...column("trend", "slope", asSlope), signed: true },
    t: column("trend", "t_statistic", formatChange),
    fit: column("trend", "r_squared", asPercent),
    bars: column("trend", "bars", formatCount),
  };
  return cardOf("trend", { tables: windowed(source, lines, words.trend) });
}

function volatilityCard(source: Source): Card {
  const lines = {
    realised: column("realised_volatility", "annualised", asPercent),
    ewma: column("ewma_volatility", "annualised", asPercent),
    garmanKlass: column("garman_klass", "annualised", asPercent),
    window: column("realised_volatility", "volatility", asPercent),
  };
  return cardOf("volatility", { tables: windowed(source, lines, words.volatility) });
}

function volumeCard(source: Source): Card {
  const lines = {
    ratio: column("relative_volume", "ratio", asRatio),
    volume: column("relative_volume", "volume", formatVolume),
    usual: column("relative_volume", "usual", formatVolume),
    days: column("relative_volume", "days", formatCount),
  };
  return cardOf("volume", { tables: windowed(source, lines, words.volume) });
}

function flowCard(source: Source): Card {
  const lines = {
    imbalance: { ...column("trade_flow", "imbalance", formatPercent), signed: true },
    bought: column("trade_flow", "buy_volume", formatVolume),
    sold: column("trade_flow", "sell_volume", formatVolume),
  };
  const tables = windowed(source, lines, words.flow);
  const [window = ""] = windowsOf(source.figures, "trade_flow");
  const figure = figureOf(source.figures, "trade_flow", window);
  if (figure === undefined) return cardOf("flow", { tables });
  const balance = {
    up: valueOf(figure, "buy_volume"),
    rest: 0,
    down: valueOf(figure, "sell_volume"),
  };
  return cardOf("flow", { balance, tables });
}

function liquidityCard(source: Source): Card {
  const lines = {
    spread: column("liquidity", "spread", asPoints),
    impact: column("liquidity", "amihud", asPoints),
    value: column("liquidity", "value", formatVolume),
  };
  return cardOf("liquidity", { tables: windowed(source, lines, words.liquidity) });
}

function profileCard(source: Source): Card {
  const lines = {
    high: column("volume_profile", "value_area_high", formatPrice),
    control: column("volume_profile", "point_of_control", formatPrice),
    low: column("volume_profile", "value_area_low", formatPrice),
    volume: column("volume_profile", "volume", formatVolume),
  };
  return cardOf("profile", { tables: windowed(source, lines, words.profile) });
}

function levelsCard(source: Source): Card {
  const figure = figureOf(source.figures, "levels", day);
  const { price, touches, resistance, support } = words.levels;
  const rows = (["resistance", "support"] as const).flatMap((name) => {
    const level = valueOf(figure, name);
    if (Number.isNaN(level)) return [];
    const turns = formatCount(valueOf(figure, `${name}_touches`));
    const text = name === "resistance" ? resistance : support;
    return [{ name, ...text, cells: [plain(formatPrice(level)), plain(turns)] }];
  });
  if (rows.length === 0) return cardOf("levels", {});
  const headings = [price, touches].map((one) => ({ ...one, ...current }));
  return cardOf("levels", { tables: [{ headings, rows }] }, stampOf(figure, source));
}

function betaCard(source: Source): Card {
  const lines = {
    market: column("beta", "market", asNumber),
    benchmark: column("beta", "benchmark", asNumber),
    marketCorrelation: column("beta", "market_correlation", asNumber),
    benchmarkCorrelation: column("beta", "benchmark_correlation", asNumber),
  };
  return cardOf("beta", { tables: windowed(source, lines, words.beta) });
}

function correlatedCard(source: Source): Card {
  const { figures } = source;
  const lists = windowsOf(figures, "correlated").map((window) => {
    const figure = figureOf(figures, "correlated", window);
    const ranked = Object.entries(figure?.values ?? {}).sort(
      ([name, one], [other, two]) => Math.abs(two) - Math.abs(one) || (name < other ? -1 : 1),
    );
    const items = ranked.map(([symbol, rho]) => ({ symbol, ...plain(formatChange(rho)) }));
    const stamp = stampOf(figure, source);
    return {
      name: window,
      label: windowLabel(window),
      hint: "",
      ...stamp,
      items,
      ...words.correlated,
    };
  });
  return cardOf("correlated", { lists });
}

export function symbolCards(source: Source): readonly Card[] {
  return [
    anomalyCard("anomaly", source),
    trendCard(source),
    volatilityCard(source),
    levelsCard(source),
    profileCard(source),
    flowCard(source),
    volumeCard(source),
    liquidityCard(source),
    betaCard(source),
    correlatedCard(source),
    forecastsCard(source),
  ];
}
