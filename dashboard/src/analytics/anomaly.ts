/** An anomaly with what drove it, in plain words. Pure. */

import type { Figure } from "../socket/records.ts";
import { formatChange, formatCount, formatNumber, formatShare } from "../ui/format.ts";

import {
  type Card,
  cardOf,
  type Cell,
  current,
  type Heading,
  plain,
  type Row,
  type Source,
  stampOf,
  valueOf,
  windowLabel,
  windowsOf,
} from "./card.ts";
import { figureOf } from "./reducer.ts";
import { words } from "./words.ts";

type Component = keyof typeof words.components;

/** What distances are exceeded in one minute of a hundred, and of a thousand, if components were normal. */
const limits = { anomaly: [3.4, 4], marketAnomaly: [3.6, 4.3] } as const;
/** A component with less than this part of the distance didn't drive it. */
const leastPart = 0.2;

const components = Object.keys(words.components) as readonly Component[];

function presentIn(figure: Figure): readonly Component[] {
  return components.filter((name) => `${name}_share` in figure.values);
}

/** What made up most of the distance, the largest part first. */
export function driversOf(figure: Figure): string {
  const driving = presentIn(figure)
    .map((name) => ({
      name: words.components[name].label,
      part: valueOf(figure, `${name}_share`),
      deviation: valueOf(figure, `${name}_z`),
    }))
    .filter(({ part }) => part >= leastPart)
    .sort((one, other) => other.part - one.part);
  const told = driving.map(({ name, part, deviation }) => {
    const tell = deviation < 0 ? words.anomaly.below : words.anomaly.above;
    return tell(name, formatShare(part), formatNumber(Math.abs(deviation), 1));
  });
  return told.join(", ");
}

function storyOf(kind: keyof typeof limits, figure: Figure): readonly Cell[] {
  const [rare, rarer] = limits[kind];
  const distance = valueOf(figure, "distance");
  const said = formatNumber(distance, 1);
  if (!(distance > rare)) return [plain(words.anomaly.usual(said, formatNumber(rare, 1)))];
  const often = distance > rarer ? words.anomaly.rarer : words.anomaly.rare;
  const drivers = driversOf(figure);
  const told: Cell = { text: `▲ ${words.anomaly.unusual(said, often)}`, tone: "warn" };
  return drivers === "" ? [told] : [told, plain(words.anomaly.drivers(drivers))];
}

/** The components whose level has changed at this minute. */
function changesOf(figure: Figure | undefined): readonly Cell[] {
  return components.flatMap((name) => {
    const change = valueOf(figure, `${name}_change`);
    if (Number.isNaN(change) || change === 0) return [];
    const tell = change > 0 ? words.anomaly.rose : words.anomaly.fell;
    const minutes = formatCount(valueOf(figure, `${name}_minutes`));
    return [{ text: tell(words.components[name].label, minutes), tone: "warn" as const }];
  });
}

function partsOf(figure: Figure): readonly Row[] {
  return presentIn(figure).map((name) => ({
    name,
    ...words.components[name],
    cells: [
      plain(formatShare(valueOf(figure, `${name}_share`))),
      plain(formatChange(valueOf(figure, `${name}_z`), 1)),
    ],
  }));
}

export function anomalyCard(kind: keyof typeof limits, source: Source): Card {
  const { figures } = source;
  const [window] = windowsOf(figures, "anomaly");
  const figure = window === undefined ? undefined : figureOf(figures, "anomaly", window);
  if (window === undefined || figure === undefined) return cardOf(kind, {});
  const { share, deviation } = words.anomaly;
  const headings: Heading[] = [share, deviation].map((one) => ({ ...one, ...current }));
  const sentences = [...storyOf(kind, figure), ...changesOf(figureOf(figures, "change", window))];
  const made = cardOf(
    kind,
    { sentences, tables: [{ headings, rows: partsOf(figure) }] },
    stampOf(figure, source),
  );
  return { ...made, label: `${made.label}, ${windowLabel(window)}` };
}
