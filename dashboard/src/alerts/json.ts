/** Parts of JSON that somebody else wrote; what isn't as it should be is empty. */

export type Fields = Readonly<Record<string, unknown>>;

export const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null ? (value as Fields) : {};

export const itemsOf = (value: unknown): readonly Fields[] =>
  Array.isArray(value) ? value.map(fieldsOf) : [];

export const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

export const numberOf = (value: unknown): number => (typeof value === "number" ? value : 0);

/** Milliseconds of a time as ISO 8601 has it; 0 where there is none. */
export const momentOf = (value: unknown): number => Date.parse(textOf(value)) || 0;
