import type { ServerError } from "../socket/protocol.ts";
import type { Figure } from "../socket/records.ts";
import type { Action } from "../store/actions.ts";

export const marketScope = "market";
/** Before a group's name, the scope of its figures. */
export const groupScope = "group:";

/** The newest figures of a scope, by name and window. */
export type Figures = Readonly<Record<string, Figure>>;

export interface Scope {
  phase: "loading" | "ready" | "failed";
  error: ServerError | null;
  figures: Figures;
}

export interface Analytics {
  /** What is followed. */
  scopes: Readonly<Record<string, Scope>>;
  /** The names of the groups there are. */
  groups: readonly string[];
}

export const emptyAnalytics: Analytics = { scopes: {}, groups: [] };

const loading: Scope = { phase: "loading", error: null, figures: {} };

const keyOf = ({ name, window }: Figure): string => `${name} ${window}`;

/** The newest figure of a name and window. */
export function figureOf(figures: Figures, name: string, window: string): Figure | undefined {
  return figures[`${name} ${window}`];
}

/** `figures` with the records in it. A minute before the one that is known has nothing to say. */
function withRecords(figures: Figures, records: readonly Figure[]): Figures {
  const changed: Record<string, Figure> = { ...figures };
  for (const record of records) {
    const known = changed[keyOf(record)];
    if (known === undefined || record.ts_event_ms >= known.ts_event_ms)
      changed[keyOf(record)] = record;
  }
  return changed;
}

function byScope(records: readonly Figure[]): Map<string, Figure[]> {
  const found = new Map<string, Figure[]>();
  for (const record of records) {
    const list = found.get(record.scope);
    if (list === undefined) found.set(record.scope, [record]);
    else list.push(record);
  }
  return found;
}

function followed({ scopes, groups }: Analytics, wanted: readonly string[]): Analytics {
  return {
    groups,
    scopes: Object.fromEntries(wanted.map((scope) => [scope, scopes[scope] ?? loading])),
  };
}

function loaded(
  state: Analytics,
  scopes: readonly string[],
  records: readonly Figure[],
): Analytics {
  const found = byScope(records);
  const asked = scopes.filter((scope) => scope in state.scopes);
  const ready = asked.map((scope): [string, Scope] => [
    scope,
    { phase: "ready", error: null, figures: withRecords({}, found.get(scope) ?? []) },
  ]);
  return { ...state, scopes: { ...state.scopes, ...Object.fromEntries(ready) } };
}

function failed(state: Analytics, scopes: readonly string[], error: ServerError): Analytics {
  const asked = scopes.filter((scope) => scope in state.scopes);
  const without = asked.map((scope): [string, Scope] => [
    scope,
    { ...loading, phase: "failed", error },
  ]);
  return { ...state, scopes: { ...state.scopes, ...Object.fromEntries(without) } };
}

function came(state: Analytics, records: readonly Figure[]): Analytics {
  const scopes: Record<string, Scope> = { ...state.scopes };
  let changed = false;
  for (const [scope, own] of byScope(records)) {
    const known = scopes[scope];
    if (known === undefined) continue;
    scopes[scope] = { ...known, figures: withRecords(known.figures, own) };
    changed = true;
  }
  return changed ? { ...state, scopes } : state;
}

export function analyticsReducer(state: Analytics, action: Action): Analytics {
  switch (action.type) {
    case "analyticsFollowed":
      return followed(state, action.scopes);
    case "analyticsLoaded":
      return loaded(state, action.scopes, action.records);
    case "analyticsFailed":
      return failed(state, action.scopes, action.error);
    case "analytics":
      return came(state, action.records);
    case "groups":
      return action.names.join("\n") === state.groups.join("\n")
        ? state
        : { ...state, groups: action.names };
    default:
      return state;
  }
}

/** The newest minute of all that is followed, ms; NaN before any figure. */
export function newestMinute({ scopes }: Analytics): number {
  let newest = Number.NaN;
  for (const { figures } of Object.values(scopes))
    for (const { ts_event_ms } of Object.values(figures))
      if (!(ts_event_ms <= newest)) newest = ts_event_ms;
  return newest;
}
