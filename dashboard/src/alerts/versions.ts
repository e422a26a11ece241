import { type Fields, fieldsOf, itemsOf, momentOf, numberOf, textOf } from "./json.ts";
import { asText } from "./parameters.ts";

/** A rule as it was from a change on. */
export interface Version {
  version: number;
  /** Made, changed or deleted. */
  change: string;
  by: string;
  at_ms: number;
  rule: Fields;
  /** What differs from the version before; null where that one isn't kept. */
  differences: readonly Difference[] | null;
}

export interface Difference {
  name: string;
  before: string;
  after: string;
}

/** Values by name, those within others by both names: `parameters.level`. */
function flat(fields: Fields, within = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(fields)) {
    const isGroup = typeof value === "object" && value !== null && !Array.isArray(value);
    if (isGroup) for (const one of flat(value as Fields, `${within}${name}.`)) found.set(...one);
    else found.set(`${within}${name}`, asText(value));
  }
  return found;
}

/** What changed from one version to the next; what isn't there is empty. */
export function differences(before: Fields, after: Fields): Difference[] {
  const [one, other] = [flat(before), flat(after)];
  const names = [...new Set([...one.keys(), ...other.keys()])];
  return names
    .map((name) => ({ name, before: one.get(name) ?? "", after: other.get(name) ?? "" }))
    .filter((each) => each.before !== each.after);
}

/** The versions of a rule, newest first. */
export function readVersions(value: unknown): Version[] {
  const items = itemsOf(fieldsOf(value).items);
  return items.map((one, index) => {
    const before = items[index + 1];
    const rule = fieldsOf(one.rule);
    return {
      version: numberOf(one.version),
      change: textOf(one.change),
      by: textOf(one.by),
      at_ms: momentOf(one.at),
      rule,
      differences: before === undefined ? null : differences(fieldsOf(before.rule), rule),
    };
  });
}
