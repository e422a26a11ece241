/** Forecasts, each beside a naive one, and a plain word on whether it is worth anything. Pure. */

import type { Figure } from "../socket/records.ts";
import { formatCount, formatShare } from "../ui/format.ts";

import {
  type Card,
  cardOf,
  type Cell,
  current,
  plain,
  type Row,
  type Source,
  stampOf,
  valueOf,
  windowLabel,
  windowsOf,
} from "./card.ts";
import { figureOf } from "./reducer.ts";
import { asLoss, asPercent } from "./units.ts";
import { words } from "./words.ts";

/** With fewer judged, the platform itself gives no verdict. */
const leastJudged = 30;

type Name = keyof typeof words.forecasts.names;
export type Verdict = "better" | "worse" | "early";

interface Forecast {
  label: string;
  hint: string;
  figure: Figure;
  verdict: Verdict;
}

export function verdictOf(figure: Figure): Verdict {
  if (!(valueOf(figure, "judged") >= leastJudged)) return "early";
  return valueOf(figure, "beats_naive") === 1 ? "better" : "worse";
}

function forecastsIn({ figures }: Source): readonly Forecast[] {
  const names = Object.keys(words.forecasts.names) as readonly Name[];
  return names.flatMap((name) =>
    windowsOf(figures, name).flatMap((window) => {
      const figure = figureOf(figures, name, window);
      if (figure === undefined) return [];
      const { label, hint } = words.forecasts.names[name];
      const named = words.forecasts.in(label, windowLabel(window));
      return [{ label: named, hint, figure, verdict: verdictOf(figure) }];
    }),
  );
}

const pair = (one: string, other: string): Cell => plain(`${one} / ${other}`);

const marks = { better: "up", worse: "warn", early: "" } as const;

function rowOf({ label, hint, figure, verdict }: Forecast): Row {
  const value = (name: string): number => valueOf(figure, name);
  const judged = formatCount(value("judged"));
  const direction = "probability" in figure.values;
  const foretold = direction
    ? pair(formatShare(value("probability")), formatShare(value("naive")))
    : pair(asPercent(value("volatility")), asPercent(value("naive")));
  const loss = direction ? "brier" : "qlike";
  const losses = pair(asLoss(value(loss)), asLoss(value(`naive_${loss}`)));
  const told = { text: words.forecasts[verdict](judged), tone: marks[verdict] };
  const name = `${figure.name} ${figure.window}`;
  return { name, label, hint, cells: [foretold, losses, told] };
}

function storyOf(forecasts: readonly Forecast[]): readonly Cell[] {
  const named = (verdict: Verdict): string =>
    forecasts
      .filter((one) => one.verdict === verdict)
      .map(({ label }) => label)
      .join("; ");
  const [worse, early] = [named("worse"), named("early")];
  if (worse === "" && early === "") return [plain(words.forecasts.allBetter)];
  return [
    ...(worse === "" ? [] : [{ text: words.forecasts.notBetter(worse), tone: "warn" as const }]),
    ...(early === "" ? [] : [plain(words.forecasts.notJudged(early))]),
  ];
}

export function forecastsCard(source: Source): Card {
  const forecasts = forecastsIn(source);
  const [first] = forecasts;
  if (first === undefined) return cardOf("forecasts", {});
  const { value, loss, verdict } = words.forecasts;
  const headings = [value, loss, verdict].map((one) => ({ ...one, ...current }));
  const tables = [{ headings, rows: forecasts.map(rowOf) }];
  const stamp = stampOf(first.figure, source);
  return cardOf("forecasts", { wide: true, tables, sentences: storyOf(forecasts) }, stamp);
}
