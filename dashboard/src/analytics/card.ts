/** What the view shows, as plain values: cards of tables, lists of symbols and sentences. */

import type { Figure } from "../socket/records.ts";
import { formatMinute } from "../ui/format.ts";

import { type Figures, figureOf } from "./reducer.ts";
import { words } from "./words.ts";

export type Tone = "up" | "down" | "warn" | "";

/** Of which minute something is, where that isn't the newest one; stale when it should have been given again since. */
export interface Stamp {
  text: string;
  stale: boolean;
}

export interface Heading extends Stamp {
  label: string;
  hint: string;
}

export interface Cell {
  text: string;
  tone: Tone;
}

export interface Row {
  name: string;
  label: string;
  hint: string;
  cells: readonly Cell[];
}

/** A column's heading may be empty where the card's title says it all. */
export interface Table {
  headings: readonly Heading[];
  rows: readonly Row[];
}

export interface Item extends Cell {
  symbol: string;
}

export interface List extends Heading {
  name: string;
  items: readonly Item[];
  /** What it says without any. */
  none: string;
}

/** How a whole divides, drawn as a bar; what it says stands beside it in figures. */
export interface Balance {
  up: number;
  rest: number;
  down: number;
}

export interface Card extends Heading {
  name: string;
  /** Over the whole width, or one of the columns. */
  wide: boolean;
  balance: Balance | null;
  tables: readonly Table[];
  lists: readonly List[];
  sentences: readonly Cell[];
}

/** What cards are made from. */
export interface Source {
  figures: Figures;
  /** The newest minute of all figures, ms. */
  newest: number;
  zone: string;
}

const minuteMs = 60_000;
/** Correlations are worked out every five minutes, all else every minute. */
const everyMs: Readonly<Record<string, number>> = {
  correlation: 5 * minuteMs,
  correlated: 5 * minuteMs,
  beta: 5 * minuteMs,
};
/** A minute's figures don't come in one frame. */
const graceMs = 2 * minuteMs;

export const plain = (text: string): Cell => ({ text, tone: "" });
export const current: Stamp = { text: "", stale: false };

export function stampOf(figure: Figure | undefined, { newest, zone }: Source): Stamp {
  if (figure === undefined || !(figure.ts_event_ms < newest)) return current;
  const due = (everyMs[figure.name] ?? minuteMs) + graceMs;
  return {
    text: formatMinute(figure.ts_event_ms, zone),
    stale: newest - figure.ts_event_ms >= due,
  };
}

const units: Readonly<Record<string, number>> = { m: 1, h: 60, d: 1_440 };

/** The length of a window such as `30m`, in minutes; NaN of one that isn't understood. */
export function minutesOf(window: string): number {
  const [, count, unit] = /^(\d+)([mhd])$/.exec(window) ?? [];
  return Number(count) * (units[unit ?? ""] ?? Number.NaN);
}

/** `30m` as `30 min`, `1d` as the day so far. */
export function windowLabel(window: string): string {
  const minutes = minutesOf(window);
  if (window === "1d") return words.day;
  if (Number.isNaN(minutes)) return window;
  return minutes % 1_440 === 0 ? words.days(minutes / 1_440) : words.minutes(minutes);
}

/** The windows for which there is a figure of these names, the shortest first. */
export function windowsOf(figures: Figures, ...names: readonly string[]): readonly string[] {
  const found = Object.values(figures).filter(({ name }) => names.includes(name));
  const windows = [...new Set(found.map(({ window }) => window))];
  return windows.sort((one, other) => minutesOf(one) - minutesOf(other));
}

/** A value of a figure; NaN where there is none. */
export function valueOf(figure: Figure | undefined, name: string): number {
  return figure?.values[name] ?? Number.NaN;
}

/** Which value a row shows, and how. */
export interface Column {
  figure: string;
  value: string;
  format: (value: number) => string;
  /** Whether its sign has a colour. */
  signed?: boolean;
}

export type Lines = Readonly<Record<string, Column>>;
export type Texts = Readonly<Record<string, { label: string; hint: string }>>;

/** A table of values with a column for each window; none without a window. */
export function windowed(source: Source, lines: Lines, texts: Texts): readonly Table[] {
  const { figures } = source;
  const names = [...new Set(Object.values(lines).map(({ figure }) => figure))];
  const windows = windowsOf(figures, ...names);
  if (windows.length === 0) return [];
  const headings = windows.map((window) => {
    const shown = names.map((name) => figureOf(figures, name, window)).find((one) => one);
    return { label: windowLabel(window), hint: "", ...stampOf(shown, source) };
  });
  const rows = Object.entries(lines).map(([name, { figure, value, format, signed }]) => {
    const cells = windows.map((window) => {
      const number = valueOf(figureOf(figures, figure, window), value);
      if (Number.isNaN(number)) return plain("");
      return signed ? signedCell(format(number)) : plain(format(number));
    });
    return { name, label: texts[name]?.label ?? name, hint: texts[name]?.hint ?? "", cells };
  });
  const said = rows.filter(({ cells }) => cells.some(({ text }) => text !== ""));
  return said.length === 0 ? [] : [{ headings, rows: said }];
}

type Content = Partial<Pick<Card, "wide" | "balance" | "tables" | "lists" | "sentences">>;

/** A card; without any content it says why in one sentence. */
export function cardOf(
  name: keyof typeof words.cards,
  content: Content,
  stamp: Stamp = current,
): Card {
  const { label, hint, none } = words.cards[name];
  const { wide = false, balance = null, tables = [], lists = [], sentences = [] } = content;
  const empty = tables.length + lists.length + sentences.length === 0;
  const said = empty ? [plain(none)] : sentences;
  return { name, label, hint, ...stamp, wide, balance, tables, lists, sentences: said };
}

/** Up or down by the sign that is shown: what is too small to be seen is neither. */
export function signedCell(text: string): Cell {
  return { text, tone: text.startsWith("+") ? "up" : text.startsWith("−") ? "down" : "" };
}
