import type { Severity } from "../socket/records.ts";

import type { Alert } from "./records.ts";

export const shownStates = ["all", "active", "resolved"] as const;
export type ShownState = (typeof shownStates)[number];

/** Which alerts are shown; empty texts and "all" leave out none. */
export interface AlertFilter {
  state: ShownState;
  severity: Severity | "all";
  symbol: string;
  /** A rule's id. */
  rule: string;
  text: string;
}

export const noFilter: AlertFilter = {
  state: "all",
  severity: "all",
  symbol: "",
  rule: "",
  text: "",
};

/** The states that the service knows, for one that is chosen here. */
const states: Readonly<Record<ShownState, readonly Alert["state"][]>> = {
  all: [],
  active: ["pending", "firing", "unknown"],
  resolved: ["resolved"],
};

/** By how many of its parts a filter leaves something out. */
export function chosenIn(filter: AlertFilter): number {
  const parts = Object.entries(filter) as [keyof AlertFilter, string][];
  return parts.filter(([name, value]) => value !== noFilter[name]).length;
}

export function matches(alert: Alert, filter: AlertFilter): boolean {
  const wanted = states[filter.state];
  const text = filter.text.trim().toLowerCase();
  const said = `${alert.symbol} ${alert.rule_name} ${alert.summary}`.toLowerCase();
  return (
    (wanted.length === 0 || wanted.includes(alert.state)) &&
    (filter.severity === "all" || alert.severity === filter.severity) &&
    (filter.symbol === "" || alert.symbol === filter.symbol) &&
    (filter.rule === "" || alert.rule_id === filter.rule) &&
    said.includes(text)
  );
}

/** The question that asks the service for the same alerts. */
export function queryOf(filter: AlertFilter, limit: number, cursor: string | null): string {
  const query = new URLSearchParams({ limit: String(limit) });
  const text = filter.text.trim().slice(0, 100);
  const wanted = states[filter.state];
  if (wanted.length > 0) query.set("state", wanted.join(","));
  if (filter.severity !== "all") query.set("severity", filter.severity);
  if (filter.symbol !== "") query.set("symbol", filter.symbol);
  if (filter.rule !== "") query.set("rule", filter.rule);
  if (text !== "") query.set("search", text);
  if (cursor !== null) query.set("cursor", cursor);
  return query.toString();
}
