import type { ActivityFilter } from "../store/actions.ts";

import type { Entry } from "./reducer.ts";

export const periods = ["all", "5m", "1h"] as const;
export type Period = (typeof periods)[number];

/** Which entries are shown; empty texts and "all" leave out none. */
export interface EntryFilter {
  kind: ActivityFilter;
  symbol: string;
  /** How long ago an entry may have come. */
  period: Period;
  text: string;
}

export const noFilter: EntryFilter = { kind: "all", symbol: "", period: "all", text: "" };

const lengths: Readonly<Record<Period, number>> = {
  all: Number.POSITIVE_INFINITY,
  "5m": 300_000,
  "1h": 3_600_000,
};

/** @param now ms of the browser's clock */
export function matches(entry: Entry, filter: EntryFilter, now: number): boolean {
  const wanted = filter.text.trim().toLowerCase();
  const said = `${entry.symbol ?? ""} ${entry.text}`.toLowerCase();
  return (
    (filter.kind === "all" || entry.kind === filter.kind) &&
    (filter.symbol === "" || entry.symbol === filter.symbol) &&
    now - entry.at < lengths[filter.period] &&
    said.includes(wanted)
  );
}
