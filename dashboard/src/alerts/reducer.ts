import type { AlertEvent } from "../socket/records.ts";
import type { Action } from "../store/actions.ts";

import { words } from "./words.ts";

export const alertLimit = 200;

export interface Alerts {
  /** The newest event of each alert, newest first. */
  list: readonly AlertEvent[];
  /** Whether the server has told which there are. */
  loaded: boolean;
}

export const emptyAlerts: Alerts = { list: [], loaded: false };

type List = readonly AlertEvent[];

function merged(list: List, events: List): List {
  if (events.length === 0) return list;
  const byId = new Map(list.map((alert) => [alert.alert_id, alert]));
  for (const event of events) {
    const shown = byId.get(event.alert_id);
    if (shown === undefined || event.revision >= shown.revision) byId.set(event.alert_id, event);
  }
  return [...byId.values()]
    .sort((one, other) => other.ts_event_ms - one.ts_event_ms)
    .slice(0, alertLimit);
}

export function alertsReducer(state: Alerts, action: Action): Alerts {
  switch (action.type) {
    case "alertsLoaded":
      return { list: merged([], action.records), loaded: true };
    case "alerts":
      return { ...state, list: merged(state.list, action.records) };
    default:
      return state;
  }
}

const isFiring = (alert: AlertEvent): boolean => alert.state === "firing";

export function firingCount(list: List): number {
  return list.filter(isFiring).length;
}

/** What to say aloud of the alerts that fire in `now` and did not in `before`; empty when there is nothing. */
export function announcement(before: List, now: List): string {
  const fired = new Set(before.filter(isFiring).map((alert) => alert.alert_id));
  const fresh = now.filter((alert) => isFiring(alert) && !fired.has(alert.alert_id));
  const [first] = fresh;
  if (first === undefined) return "";
  if (fresh.length > 1) return words.several(fresh.length, first.symbol);
  return words.fires(words.severities[first.severity], first.summary || first.symbol);
}
