import { type Fields, fieldsOf } from "./json.ts";

/** What a rule is made of: one table for the form, the list and the way to and from the service. */

/** `lines` is a text of several lines, `other` whatever has no field of its own and is written as JSON. */
export type Shape =
  "number" | "text" | "lines" | "switch" | "choice" | "choices" | "list" | "other";

export interface Parameter {
  name: string;
  shape: Shape;
  /** What can be chosen. */
  choices: readonly (string | number)[];
  /** What the service takes where nothing is said, as a form has it. */
  usual: string;
  /** Whether it may be left out. */
  optional: boolean;
}

/** The parameters of each kind of rule. */
export type Kinds = Readonly<Record<string, readonly Parameter[]>>;

const longText = 1_000;
const shortText = 60;

export const parameter = (
  name: string,
  shape: Shape,
  usual = "",
  choices: readonly (string | number)[] = [],
): Parameter => ({ name, shape, choices, usual, optional: false });

/** What rules of every kind have, and the form has a field for. */
export const common: readonly Parameter[] = [
  parameter("name", "text"),
  parameter("symbols", "list"),
  parameter("severity", "choice", "warning", ["info", "warning", "critical"]),
  parameter("for_seconds", "number", "0"),
  parameter("keep_firing_for_seconds", "number", "0"),
  parameter("cooldown_seconds", "number", "0"),
  parameter("enabled", "switch", "true"),
];

const sessions = ["pre", "regular", "post", "closed", "continuous"];
const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

export const schedule: readonly Parameter[] = [
  parameter("sessions", "choices", "", sessions),
  parameter("days", "choices", "", days),
  parameter("times", "list"),
  parameter("calendar", "text", "XNYS"),
  { ...parameter("time_zone", "text"), optional: true },
  parameter("holidays", "switch", "false"),
];

/** A value as a field has it. */
export function asText(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(asText).join(", ");
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return JSON.stringify(value);
}

/** Names by commas or blanks; only by commas where groups, whose names may have blanks, are among them. */
export function listOf(text: string): string[] {
  const names = text.split(text.includes("group:") ? "," : /[\s,]+/);
  return names.map((name) => name.trim()).filter((name) => name !== "");
}

/** A number where it is one; else the text, so that the service can say what is wrong with it. */
export function asNumber(text: string): number | string {
  const plain = text.trim().replace(",", ".");
  return plain !== "" && Number.isFinite(Number(plain)) ? Number(plain) : text;
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The value that a field's text stands for. */
export function asValue({ shape, choices }: Parameter, text: string): unknown {
  switch (shape) {
    case "number":
      return asNumber(text);
    case "choice":
      return choices.find((one) => String(one) === text) ?? text;
    case "switch":
      return text === "true";
    case "choices":
    case "list":
      return listOf(text);
    case "other":
      return fromJson(text);
    case "text":
    case "lines":
      return text;
  }
}

type Texts = Readonly<Record<string, string>>;

/** What is sent of some fields; an optional one that is empty is left to the service. */
export function valuesOf(table: readonly Parameter[], texts: Texts): Record<string, unknown> {
  const given = table.flatMap((one): [string, unknown][] => {
    const text = texts[one.name] ?? one.usual;
    return one.optional && text.trim() === "" ? [] : [[one.name, asValue(one, text)]];
  });
  return Object.fromEntries(given);
}

/** The fields of what the service has. */
export function textsOf(table: readonly Parameter[], values: Fields): Record<string, string> {
  const texts = table.map(({ name, shape, usual }): [string, string] => {
    const value = values[name];
    if (value === undefined) return [name, usual];
    return [name, shape === "other" ? JSON.stringify(value) : asText(value)];
  });
  return Object.fromEntries(texts);
}

/** Parameters of a kind that isn't known: by what they are in a rule that is there. */
export function guessed(values: Fields): readonly Parameter[] {
  return Object.entries(values).map(([name, value]) => {
    if (typeof value === "number") return parameter(name, "number");
    if (typeof value !== "string") return parameter(name, "other");
    return parameter(name, value.length > shortText || value.includes("\n") ? "lines" : "text");
  });
}

/** The kinds of rules in the service's JSON Schema of a rule; what makes no sense is left out. */
export function readKinds(value: unknown): Kinds {
  const root = fieldsOf(value);
  const follow = (node: unknown): Fields => {
    const { $ref } = fieldsOf(node);
    if (typeof $ref !== "string") return fieldsOf(node);
    return fieldsOf(fieldsOf(root.$defs)[$ref.replace("#/$defs/", "")]);
  };
  const specs = Array.isArray(root.oneOf) ? root.oneOf.map(follow) : [];
  const kinds = specs.flatMap(({ properties }): [string, Parameter[]][] => {
    const { kind, parameters } = fieldsOf(properties);
    const name = fieldsOf(kind).const;
    return typeof name === "string" ? [[name, parametersIn(follow(parameters))]] : [];
  });
  return Object.fromEntries(kinds);
}

function parametersIn({ properties, required }: Fields): Parameter[] {
  const needed = Array.isArray(required) ? required : [];
  return Object.entries(fieldsOf(properties)).map(([name, value]) => {
    const node = fieldsOf(value);
    const { shape, choices } = shapeOf(node);
    const usual = shape === "other" ? JSON.stringify(node.default ?? null) : asText(node.default);
    return { name, shape, choices, usual, optional: !needed.includes(name) };
  });
}

const isChoice = (one: unknown): one is string | number =>
  typeof one === "string" || typeof one === "number";

const chosenFrom = (node: Fields): (string | number)[] =>
  Array.isArray(node.enum) ? node.enum.filter(isChoice) : [node.const].filter(isChoice);

function shapeOf(node: Fields): Pick<Parameter, "shape" | "choices"> {
  const [one, other] = Array.isArray(node.anyOf) ? node.anyOf.map(fieldsOf) : [];
  // What may be null is left out by an empty field.
  if (one !== undefined && other?.type === "null") return shapeOf(one);
  const choices = chosenFrom(node);
  if (choices.length > 0) return { shape: "choice", choices };
  const none = { choices };
  switch (node.type) {
    case "number":
    case "integer":
      return { shape: "number", ...none };
    case "boolean":
      return { shape: "switch", ...none };
    case "string":
      return { shape: Number(node.maxLength) >= longText ? "lines" : "text", ...none };
    case "array": {
      const items = fieldsOf(node.items);
      const several = chosenFrom(items);
      if (several.length > 0) return { shape: "choices", choices: several };
      return { shape: items.type === "string" ? "list" : "other", ...none };
    }
    default:
      return { shape: "other", ...none };
  }
}
