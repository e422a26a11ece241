import { priceDigits } from "../ui/format.ts";

import type { Fields } from "./json.ts";
import {
  asNumber,
  asText,
  common,
  guessed,
  type Kinds,
  type Parameter,
  schedule,
  textsOf,
  valuesOf,
} from "./parameters.ts";
import type { Rule } from "./records.ts";
import { ruleWords } from "./rule-words.ts";
import { words } from "./words.ts";

type Texts = Readonly<Record<string, string>>;

/** A rule while it is written: every field as text, as a form has it. */
export interface Draft {
  /** Of the rule that is changed; null for a new one. */
  id: string | null;
  /** What a changed rule has besides. */
  whole: Fields;
  kind: string;
  fields: Texts;
  schedule: Texts;
  /** By kind, so that one that is looked at in passing changes nothing of the others. */
  parameters: Readonly<Record<string, Texts>>;
  /** The name that was thought of for it; none for one that has its own. */
  proposed: string | null;
}

const noSchedule = textsOf(schedule, {});

export const emptyDraft: Draft = {
  id: null,
  whole: {},
  kind: "",
  fields: {},
  schedule: noSchedule,
  parameters: {},
  proposed: null,
};

/** A new rule: the price of `symbol` crosses `price`, from where it is now. */
export function newDraft(symbol: string, price: number, now: number): Draft {
  const level = Number.isFinite(price) ? price.toFixed(priceDigits(price)) : "";
  const direction = price < now ? "below" : "above";
  return renamed({
    ...emptyDraft,
    kind: "price_level",
    fields: { ...textsOf(common, {}), name: "", symbols: symbol, cooldown_seconds: "60" },
    parameters: { price_level: { direction, level, mode: "crossing" } },
    proposed: "",
  });
}

/** The draft with a name for what it says now, unless its writer has given it another. */
export function renamed(draft: Draft): Draft {
  if (draft.fields.name !== draft.proposed) return draft;
  const proposed = nameOf(draft);
  return { ...draft, proposed, fields: { ...draft.fields, name: proposed } };
}

function nameOf({ kind, fields: { symbols = "" }, parameters }: Draft): string {
  const { direction = "", level = "" } = parameters[kind] ?? {};
  return kind === "price_level"
    ? words.ruleName(symbols, ruleWords.directions[direction] ?? direction, level)
    : words.ruleNameOfKind(symbols, ruleWords.kinds[kind] ?? kind);
}

const parametersIn = (whole: Fields): Fields => (whole.parameters ?? {}) as Fields;

/** A rule that is there, to be changed. */
export function draftOf({ id, kind, whole }: Rule): Draft {
  return {
    id,
    whole,
    kind,
    fields: textsOf(common, whole),
    schedule: textsOf(schedule, (whole.schedule ?? {}) as Fields),
    parameters: {},
    proposed: null,
  };
}

/** What the form has fields for, of the draft's kind. */
export function parametersOf(
  { kind, whole, parameters }: Draft,
  kinds: Kinds,
): readonly Parameter[] {
  const written = Object.entries(parameters[kind] ?? {});
  const before = Object.fromEntries(written.map(([name, text]) => [name, asNumber(text)]));
  return kinds[kind] ?? guessed(whole.kind === kind ? parametersIn(whole) : before);
}

/** Their texts: as written, else as the rule has them, else what is usual. */
export function textsIn(draft: Draft, kinds: Kinds): Texts {
  const { kind, whole, parameters } = draft;
  const before = whole.kind === kind ? parametersIn(whole) : {};
  return { ...textsOf(parametersOf(draft, kinds), before), ...parameters[kind] };
}

export const isScheduled = ({ schedule: texts }: Draft): boolean =>
  schedule.some(({ name }) => texts[name] !== noSchedule[name]);

/** What the service says of a rule, and isn't told. */
const served: readonly string[] = ["id", "version", "created_at", "updated_at"];

/** What is sent to the service. */
export function ruleOf(draft: Draft, kinds: Kinds): Record<string, unknown> {
  const { kind, whole, fields } = draft;
  const kept = Object.entries(whole).filter(([name]) => !served.includes(name));
  const table = parametersOf(draft, kinds);
  const known = new Set(table.map(({ name }) => name));
  const before = whole.kind === kind ? Object.entries(parametersIn(whole)) : [];
  const others = before.filter(([name]) => !known.has(name));
  return {
    ...Object.fromEntries(kept),
    ...valuesOf(common, fields),
    kind,
    parameters: { ...Object.fromEntries(others), ...valuesOf(table, textsIn(draft, kinds)) },
    ...(isScheduled(draft)
      ? { schedule: valuesOf(schedule, draft.schedule) }
      : "schedule" in whole && { schedule: null }),
  };
}

/** What a rule asks for, in a few words. */
export function conditionWords({ kind, parameters: given }: Rule): string {
  const { conditions, directions, unsaid } = ruleWords;
  const turns = Object.values(given).map((value) => conditions[`${kind}.${asText(value)}`]);
  const sentence = turns.find((one) => one !== undefined) ?? conditions[kind];
  const said = (name: string): string => {
    const value = given[name] ?? unsaid[name];
    const parts = Array.isArray(value) ? value.map(asText) : [asText(value)];
    return parts.map((part) => directions[part] ?? part).join(", ");
  };
  if (sentence !== undefined)
    return sentence.replace(/\{(\w+)\}/g, (_whole, name: string) => said(name));
  return [kind, ...Object.keys(given).map((name) => `${name} ${said(name)}`)].join(", ");
}
