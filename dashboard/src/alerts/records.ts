import { type AlertEvent, readAlerts, type Severity } from "../socket/records.ts";

import { type Fields, fieldsOf, itemsOf, numberOf, textOf } from "./json.ts";

/** What the alerting service keeps, as its HTTP API has it; what makes no sense is left out. */

export interface Acknowledgement {
  by: string;
  at_ms: number;
  comment: string;
}

/** An alert with what only the service knows of it. */
export interface Alert extends AlertEvent {
  rule_name: string;
  acknowledged: Acknowledgement | null;
}

/** What the panel shows. */
export const alertPages = ["alerts", "rules", "silences"] as const;
export type AlertPage = (typeof alertPages)[number];

/** A rule of whatever kind, its fields as the service has them. */
export interface Rule {
  id: string;
  name: string;
  kind: string;
  symbols: readonly string[];
  severity: Severity;
  enabled: boolean;
  parameters: Readonly<Record<string, unknown>>;
  /** All of it, so that what this page has no field for is kept when it is changed. */
  whole: Fields;
}

/** One thing that is wrong with what was sent, and where. */
export interface Fault {
  pointer: string;
  detail: string;
}

export interface Turn {
  state: string;
  at_ms: number;
  summary: string;
}

/** What a rule would have done. */
export interface Rehearsal {
  bars: number;
  fired: number;
  turns: readonly Turn[];
}

export const severities: readonly Severity[] = ["info", "warning", "critical"];

function acknowledgementOf(value: unknown): Acknowledgement | null {
  const { by, at_ms, comment } = fieldsOf(value);
  return typeof at_ms === "number" ? { by: textOf(by), at_ms, comment: textOf(comment) } : null;
}

/** Whether who asks may write; who isn't told tries, and is told then. */
export function readAccess(value: unknown): boolean {
  return fieldsOf(value).write !== false;
}

export function readAlert(value: unknown): Alert | undefined {
  const fields = fieldsOf(value);
  const [event] = readAlerts([value]);
  if (event === undefined) return undefined;
  const acknowledged = acknowledgementOf(fields.acknowledged);
  return { ...event, rule_name: textOf(fields.rule_name), acknowledged };
}

/** A page of alerts, newest first, and where the next begins. */
export function readPage(value: unknown): { alerts: Alert[]; next: string | null } {
  const { items, next_cursor } = fieldsOf(value);
  const alerts = itemsOf(items).flatMap((item) => readAlert(item) ?? []);
  return { alerts, next: typeof next_cursor === "string" ? next_cursor : null };
}

export function readRule(value: unknown): Rule | undefined {
  const whole = fieldsOf(value);
  const { id, name, kind, symbols, severity, enabled, parameters } = whole;
  if (typeof id !== "string" || typeof name !== "string") return undefined;
  return {
    id,
    name,
    kind: textOf(kind),
    symbols: Array.isArray(symbols) ? symbols.map(textOf) : [],
    severity: severities.find((one) => one === severity) ?? "info",
    enabled: enabled !== false,
    parameters: fieldsOf(parameters),
    whole,
  };
}

export function readRules(value: unknown): Rule[] {
  return itemsOf(fieldsOf(value).items).flatMap((item) => readRule(item) ?? []);
}

export function readRehearsal(value: unknown): Rehearsal {
  const { bars, fired, transitions } = fieldsOf(value);
  const turns = itemsOf(transitions).map((one) => ({
    state: textOf(one.state),
    at_ms: numberOf(one.ts_event_ms),
    summary: textOf(one.summary),
  }));
  return { bars: numberOf(bars), fired: numberOf(fired), turns };
}

/** What is wrong with a request, of problem details (RFC 9457). */
export function readFaults(value: unknown): { message: string; faults: Fault[] } {
  const { title, detail, errors } = fieldsOf(value);
  const faults = itemsOf(errors).map((one) => ({
    pointer: textOf(one.pointer).replace(/^#/, ""),
    detail: textOf(one.detail),
  }));
  return { message: textOf(detail) || textOf(title), faults };
}
