import { type Fields, fieldsOf, itemsOf, numberOf, textOf } from "./json.ts";
import { listOf } from "./parameters.ts";
import type { Alert } from "./records.ts";

/** That nobody is told of some alerts for a while. */
export interface Silence {
  id: string;
  state: "pending" | "active";
  /** Patterns by label, of which one has to fit. */
  match: Readonly<Record<string, readonly string[]>>;
  starts_ms: number;
  ends_ms: number;
  by: string;
  comment: string;
}

/** A silence while it is written, as a form has it. */
export interface SilenceDraft {
  rule: string;
  symbol: string;
  severity: string;
  /** Other labels: `team=core, desk=!rates`. */
  labels: string;
  seconds: string;
  by: string;
  comment: string;
}

/** How long a silence lasts, in seconds. */
export const durations = [900, 3_600, 14_400, 86_400, 604_800] as const;

/** A name as a pattern that fits it: what begins with `!` would mean all others. */
const patternOf = (name: string): string => name.replace(/^!/, "?");

/** Of an alert's rule and symbol, for an hour. */
export function silenceDraft({
  rule_name,
  symbol,
}: Pick<Alert, "rule_name" | "symbol">): SilenceDraft {
  const about = { rule: patternOf(rule_name), symbol, severity: "", labels: "" };
  return { ...about, seconds: "3600", by: "", comment: "" };
}

function labelsIn(text: string): [string, string[]][] {
  return listOf(text).map((one) => {
    const [name = "", ...rest] = one.split("=");
    return [name, [rest.join("=")]];
  });
}

/** What is sent to the service; a field that is empty is about all alerts. */
export function silenceOf(draft: SilenceDraft): Fields {
  const { rule, symbol, severity, labels, seconds, by, comment } = draft;
  const given: [string, string[]][] = [
    ["rule", rule.trim() === "" ? [] : [rule.trim()]],
    ["symbol", listOf(symbol)],
    ["severity", listOf(severity)],
    ...labelsIn(labels),
  ];
  const match = Object.fromEntries(given.filter(([, patterns]) => patterns.length > 0));
  return { match, for_seconds: Number(seconds), by, comment };
}

/** `rule = high, symbol = SPY | QQQ`. */
export function matchWords(match: Silence["match"]): string {
  return Object.entries(match)
    .map(([label, patterns]) => `${label} = ${patterns.join(" | ")}`)
    .join(", ");
}

const patternsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.map(textOf) : [textOf(value)];

/** Those that aren't over, the one that ends first before the others. */
export function readSilences(value: unknown): Silence[] {
  const found = itemsOf(fieldsOf(value).items).flatMap((one): Silence[] => {
    const { id, state, match, starts_ms, ends_ms, by, comment } = one;
    if (typeof id !== "string" || (state !== "active" && state !== "pending")) return [];
    const labels = Object.entries(fieldsOf(match)).map(([name, all]) => [name, patternsOf(all)]);
    return [
      {
        id,
        state,
        match: Object.fromEntries(labels) as Silence["match"],
        starts_ms: numberOf(starts_ms),
        ends_ms: numberOf(ends_ms),
        by: textOf(by),
        comment: textOf(comment),
      },
    ];
  });
  return found.sort((one, other) => one.ends_ms - other.ends_ms);
}
