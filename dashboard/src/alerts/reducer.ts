import type { ServerError } from "../socket/protocol.ts";
import type { AlertEvent } from "../socket/records.ts";
import type { Action } from "../store/actions.ts";

import { type AlertFilter, matches, noFilter } from "./filter.ts";
import type { Kinds } from "./parameters.ts";
import type { Alert, AlertPage, Rule } from "./records.ts";
import type { Silence } from "./silences.ts";
import { words } from "./words.ts";

export const alertLimit = 200;
/** How many of the past are kept; whoever wants more narrows the filter. */
export const keptLimit = 1_000;

export interface Alerts {
  /** The newest event of each alert, newest first, as they come live. */
  list: readonly AlertEvent[];
  /** Whether the server has told which there are. */
  loaded: boolean;
  /** What the service keeps of them, as far as it was asked for; newest first. */
  kept: readonly Alert[];
  history: { phase: "waiting" | "ready" | "failed"; error: ServerError | null };
  /** Where the page of the past before these begins; null when there is none. */
  next: string | null;
  rules: readonly Rule[];
  /** The kinds of rules that the service knows; none until it has said so. */
  kinds: Kinds;
  /** Those that aren't over. */
  silences: readonly Silence[];
  filter: AlertFilter;
  /** Whether rules, silences and acknowledgements may be changed with the key that was given. */
  mayWrite: boolean;
  /** What the panel shows. */
  page: AlertPage;
}

export const emptyAlerts: Alerts = {
  list: [],
  loaded: false,
  kept: [],
  history: { phase: "waiting", error: null },
  next: null,
  rules: [],
  kinds: {},
  silences: [],
  filter: noFilter,
  mayWrite: true,
  page: "alerts",
};

type List = readonly AlertEvent[];

function mergedBy<One extends AlertEvent>(
  list: readonly One[],
  events: readonly One[],
  limit: number,
): readonly One[] {
  if (events.length === 0) return list;
  const byId = new Map(list.map((alert) => [alert.alert_id, alert]));
  for (const event of events) {
    const shown = byId.get(event.alert_id);
    if (shown === undefined || event.revision >= shown.revision) byId.set(event.alert_id, event);
  }
  return [...byId.values()]
    .sort((one, other) => other.ts_event_ms - one.ts_event_ms)
    .slice(0, limit);
}

export function alertsReducer(state: Alerts, action: Action): Alerts {
  switch (action.type) {
    case "alertsLoaded":
      return { ...state, list: mergedBy([], action.records, alertLimit), loaded: true };
    case "alerts":
      return { ...state, list: mergedBy(state.list, action.records, alertLimit) };
    case "alertsKept": {
      const kept = mergedBy(state.kept, action.alerts, keptLimit);
      const next = action.next === undefined ? state.next : action.next;
      return { ...state, kept, next, history: { phase: "ready", error: null } };
    }
    case "alertsFailed":
      return { ...state, history: { phase: "failed", error: action.error } };
    case "access":
      return state.mayWrite === action.mayWrite ? state : { ...state, mayWrite: action.mayWrite };
    case "rulesLoaded":
      return { ...state, rules: action.rules };
    case "kindsLoaded":
      return { ...state, kinds: action.kinds };
    case "silencesLoaded":
      return { ...state, silences: action.silences };
    case "alertFilter":
      return { ...state, filter: { ...state.filter, ...action.filter } };
    case "alertPage":
      return { ...state, page: action.page };
    default:
      return state;
  }
}

/** All that is known of every alert: what comes live goes before what was kept, when it is no older. */
function known({ list, kept, rules }: Alerts): readonly Alert[] {
  const names = new Map(rules.map(({ id, name }) => [id, name]));
  const byId = new Map(kept.map((alert) => [alert.alert_id, alert]));
  for (const event of list) {
    const before = byId.get(event.alert_id);
    if (before !== undefined && before.revision > event.revision) continue;
    const rule_name = before?.rule_name ?? names.get(event.rule_id) ?? "";
    byId.set(event.alert_id, { ...event, rule_name, acknowledged: before?.acknowledged ?? null });
  }
  return [...byId.values()];
}

/** The alerts that match the filter, newest first. */
export function shownAlerts(state: Alerts): readonly Alert[] {
  return known(state)
    .filter((alert) => matches(alert, state.filter))
    .sort((one, other) => other.ts_event_ms - one.ts_event_ms);
}

const isFiring = (alert: AlertEvent): boolean => alert.state === "firing";

export function firingCount(list: List): number {
  return list.filter(isFiring).length;
}

/** The alerts that fire in `now` and did not in `before`. */
export function freshlyFiring(before: List, now: List): List {
  const fired = new Set(before.filter(isFiring).map((alert) => alert.alert_id));
  return now.filter((alert) => isFiring(alert) && !fired.has(alert.alert_id));
}

/** What to say of alerts that have begun to fire; empty when there are none. */
export function announcement(fresh: List): string {
  const [first] = fresh;
  if (first === undefined) return "";
  if (fresh.length > 1) return words.several(fresh.length, first.symbol);
  return words.fires(words.severities[first.severity], first.summary || first.symbol);
}
