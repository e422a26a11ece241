import type { Bar } from "../socket/records.ts";
import { priceDigits } from "../ui/format.ts";

import { type Rule, type RuleKind, ruleKinds } from "./records.ts";
import { words } from "./words.ts";

/** A rule while it is written: every field as text, as a form has it. */
export interface Draft {
  /** Of the rule that is changed; null for a new one. */
  id: string | null;
  /** What a changed rule has besides. */
  whole: Readonly<Record<string, unknown>>;
  fields: Readonly<Record<string, string>>;
}

/** The parameters of each kind, each with what it begins with; those that are numbers, and where they are in the rule. */
export const parameters: Readonly<Record<RuleKind, Readonly<Record<string, string>>>> = {
  price_level: { direction: "above", level: "", mode: "crossing", hysteresis: "0" },
  percent_move: { direction: "either", percent: "1", window_seconds: "300", hysteresis: "0" },
  volume_spike: { factor: "3", bars: "20", interval: "1m", hysteresis: "0" },
  expression: { when: "" },
};

export const choices: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  price_level: { direction: ["above", "below"], mode: ["crossing", "level"] },
  percent_move: { direction: ["either", "up", "down"] },
  volume_spike: { interval: ["1s", "1m", "5m", "15m", "1h", "1d"] },
};

const asText = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";

export function kindOf(name: string): RuleKind | undefined {
  return ruleKinds.find((kind) => kind === name);
}

/** A new rule: the price of `symbol` crosses `price`, from where it is now. */
export function newDraft(symbol: string, price: number, now: number): Draft {
  const level = Number.isFinite(price) ? price.toFixed(priceDigits(price)) : "";
  const direction = price < now ? "below" : "above";
  return {
    id: null,
    whole: {},
    fields: {
      name: words.ruleName(symbol, words.directions[direction] ?? direction, level),
      symbols: symbol,
      kind: "price_level",
      severity: "warning",
      for_seconds: "0",
      cooldown_seconds: "60",
      ...parameters.price_level,
      direction,
      level,
    },
  };
}

/** A rule that is there, to be changed. */
export function draftOf(rule: Rule): Draft {
  const { whole } = rule;
  const kind = kindOf(rule.kind);
  const given = Object.entries(rule.parameters).map(([name, value]) => [name, asText(value)]);
  return {
    id: rule.id,
    whole,
    fields: {
      name: rule.name,
      symbols: rule.symbols.join(", "),
      kind: rule.kind,
      severity: rule.severity,
      for_seconds: asText(whole.for_seconds),
      cooldown_seconds: asText(whole.cooldown_seconds),
      ...(kind === undefined ? {} : parameters[kind]),
      ...(Object.fromEntries(given) as Record<string, string>),
    },
  };
}

/** A number where it is one; else the text, so that the service can say what is wrong with it. */
function asNumber(text: string): number | string {
  const plain = text.trim().replace(",", ".");
  return plain !== "" && Number.isFinite(Number(plain)) ? Number(plain) : text;
}

const served: readonly string[] = ["id", "version", "created_at", "updated_at"];

/** What is sent to the service. */
export function ruleOf({ whole, fields }: Draft): Record<string, unknown> {
  const kept = Object.entries(whole).filter(([name]) => !served.includes(name));
  const kind = kindOf(fields.kind ?? "");
  const { name, symbols, severity, for_seconds, cooldown_seconds } = fields;
  return {
    ...Object.fromEntries(kept),
    name: name ?? "",
    kind: fields.kind ?? "",
    symbols: (symbols ?? "").split(/[\s,]+/).filter((one) => one !== ""),
    severity,
    for_seconds: asNumber(for_seconds ?? "0"),
    cooldown_seconds: asNumber(cooldown_seconds ?? "0"),
    parameters: kind === undefined ? whole.parameters : parametersOf(kind, fields, whole),
  };
}

function parametersOf(
  kind: RuleKind,
  fields: Draft["fields"],
  whole: Draft["whole"],
): Record<string, unknown> {
  const before = whole.kind === kind ? (whole.parameters as Record<string, unknown>) : {};
  const written = Object.keys(parameters[kind]).map((name) => {
    const text = fields[name] ?? "";
    return [name, choices[kind]?.[name] === undefined ? asNumber(text) : text];
  });
  return { ...before, ...(Object.fromEntries(written) as Record<string, unknown>) };
}

/** How many bars the service tries a rule on at once. */
export const mostBars = 2_000;

/** Bars as the service takes them to try a rule on: by columns. */
export function columnsOf(bars: readonly Bar[]): Record<string, number[]> {
  const shown = bars.slice(-mostBars);
  const names = ["start_ms", "end_ms", "open", "high", "low", "close"] as const;
  return Object.fromEntries(names.map((name) => [name, shown.map((bar) => bar[name])]));
}

/** What a rule asks for, in a few words. */
export function conditionWords({ kind, parameters: given }: Rule): string {
  const text = (name: string): string => asText(given[name]);
  const direction = words.directions[text("direction")] ?? text("direction");
  switch (kindOf(kind)) {
    case "price_level":
      return words.levelIs(direction, text("level"));
    case "percent_move":
      return words.moveIs(direction, text("percent"), text("window_seconds"));
    case "volume_spike":
      return words.volumeIs(text("factor"), text("bars"), text("interval"));
    case "expression":
      return text("when");
    case undefined:
      return kind;
  }
}
