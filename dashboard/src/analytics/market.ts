/** The cards of the market and of its groups. Pure. */

import type { Figure } from "../socket/records.ts";
import { formatChange, formatCount, formatPercent, formatVolume } from "../ui/format.ts";

import { anomalyCard } from "./anomaly.ts";
import {
  type Card,
  cardOf,
  type Cell,
  current,
  type Heading,
  type Item,
  type List,
  plain,
  type Row,
  signedCell,
  type Source,
  stampOf,
  type Table,
  valueOf,
  windowed,
} from "./card.ts";
import { type Analytics, figureOf, groupScope } from "./reducer.ts";
import { asNumber, asPercent } from "./units.ts";
import { words } from "./words.ts";

const day = "1d";

/** A change that comes in percent. */
const changeCell = (percent: number): Cell => signedCell(formatPercent(percent / 100));

const heading = (label: string, hint = ""): Heading => ({ label, hint, ...current });

/** The rows that have anything to say. */
function known(rows: readonly [string, Cell][]): readonly Row[] {
  const texts: Readonly<Record<string, { label: string; hint: string }>> = words.breadth;
  return rows
    .filter(([, { text }]) => text !== "–")
    .map(([name, cell]) => ({
      name,
      label: texts[name]?.label ?? name,
      hint: texts[name]?.hint ?? "",
      cells: [cell],
    }));
}

function sidesOf(breadth: Figure): Table {
  const value = (name: string): number => valueOf(breadth, name);
  const { sides, breadth: texts } = words;
  const counts = ["advancers", "decliners", "unchanged"].map((name) => formatCount(value(name)));
  const volumes = ["up_volume", "down_volume", "unchanged_volume"].map((name) =>
    formatVolume(value(name)),
  );
  const row = (name: "symbols" | "volume", cells: readonly string[]): Row => ({
    name,
    ...texts[name],
    cells: cells.map((text, place) => ({ text, tone: (["up", "down", ""] as const)[place] ?? "" })),
  });
  return {
    headings: [sides.up, sides.down, sides.rest].map((label) => heading(label)),
    rows: [row("symbols", counts), row("volume", volumes)],
  };
}

function breadthCard(source: Source): Card {
  const breadth = figureOf(source.figures, "breadth", day);
  const returns = figureOf(source.figures, "returns", day);
  if (breadth === undefined) return cardOf("breadth", {});
  const net = valueOf(breadth, "net_advances");
  const rest: readonly [string, Cell][] = [
    ["net", signedCell(formatChange(net, 0))],
    ["ratio", plain(asNumber(valueOf(breadth, "advance_decline_ratio")))],
    ["equal", changeCell(valueOf(returns, "equal_weighted"))],
    ["weighted", changeCell(valueOf(returns, "volume_weighted"))],
  ];
  const balance = {
    up: valueOf(breadth, "advancers"),
    rest: valueOf(breadth, "unchanged"),
    down: valueOf(breadth, "decliners"),
  };
  const tables = [sidesOf(breadth), { headings: [], rows: known(rest) }];
  return cardOf("breadth", { balance, tables }, stampOf(breadth, source));
}

/** Gainers and losers in percent, the most active by volume; in the order in which the platform ranks them. */
function rankingOf(name: keyof typeof words.movers, figure: Figure | undefined): readonly Item[] {
  const ranked = Object.entries(figure?.values ?? {});
  const byValue = (one: [string, number], other: [string, number]): number =>
    (name === "losers" ? one[1] - other[1] : other[1] - one[1]) || (one[0] < other[0] ? -1 : 1);
  return ranked.sort(byValue).map(([symbol, value]) => ({
    symbol,
    ...(name === "most_active" ? plain(formatVolume(value)) : changeCell(value)),
  }));
}

function moversCard(source: Source): Card {
  const names = ["gainers", "losers", "most_active"] as const;
  const figures = names.map((name) => figureOf(source.figures, name, day));
  if (figures.every((figure) => figure === undefined)) return cardOf("movers", {});
  const lists = names.map((name, place): List => {
    const figure = figures[place];
    return {
      name,
      ...words.movers[name],
      ...stampOf(figure, source),
      items: rankingOf(name, figure),
    };
  });
  return cardOf("movers", { lists });
}

function togetherCard(source: Source): Card {
  const correlation = (value: string, format: (value: number) => string) => ({
    figure: "correlation",
    value,
    format,
  });
  const lines = {
    mean: correlation("mean", asNumber),
    share: correlation("first_eigenvalue_share", asPercent),
    symbols: correlation("symbols", formatCount),
  };
  return cardOf("together", { tables: windowed(source, lines, words.together) });
}

function highsLowsCard(source: Source): Card {
  const count = (value: string) => ({ figure: "highs_lows", value, format: formatCount });
  const lines = { highs: count("new_highs"), lows: count("new_lows"), days: count("days") };
  return cardOf("highsLows", { tables: windowed(source, lines, words.highsLows) });
}

export function marketCards(source: Source): readonly Card[] {
  return [
    breadthCard(source),
    moversCard(source),
    highsLowsCard(source),
    togetherCard(source),
    anomalyCard("marketAnomaly", source),
  ];
}

function groupRow(name: string, source: Source): Row | undefined {
  const { figures } = source;
  const breadth = figureOf(figures, "breadth", day);
  const returns = figureOf(figures, "returns", day);
  if (breadth === undefined) return undefined;
  const volumes = ["up_volume", "down_volume", "unchanged_volume"].map((one) =>
    valueOf(breadth, one),
  );
  const cells = [
    changeCell(valueOf(returns, "equal_weighted")),
    plain(formatCount(valueOf(breadth, "advancers"))),
    plain(formatCount(valueOf(breadth, "decliners"))),
    plain(formatVolume(volumes.reduce((sum, one) => sum + one, 0))),
  ];
  const { text, stale } = stampOf(breadth, source);
  return { name, label: stale ? `${name} ${words.old(text)}` : name, hint: "", cells };
}

/** The groups that have figures, as one card; none where there are no groups. */
export function groupCards(
  { scopes, groups }: Analytics,
  newest: number,
  zone: string,
): readonly Card[] {
  const rows = groups.flatMap((name) => {
    const figures = scopes[groupScope + name]?.figures ?? {};
    return groupRow(name, { figures, newest, zone }) ?? [];
  });
  if (rows.length === 0) return [];
  const { groups: texts } = words;
  const columns = [texts.return, texts.rising, texts.falling, texts.volume];
  const headings = columns.map(({ label, hint }) => heading(label, hint));
  return [cardOf("groups", { tables: [{ headings, rows }] })];
}
