import type { AppStore, State } from "../store/state.ts";

import type { AlertsApi, Outcome } from "./api.ts";
import { type AlertFilter, queryOf } from "./filter.ts";
import type { Alert } from "./records.ts";

const pageSize = 50;
const refreshEveryMs = 10_000;
const settledAfterMs = 300;

/** What the alerts' panel asks of the service. */
export interface Desk {
  /** Asks for the newest alerts, the rules, the silences and what the key may do anew. */
  refresh: () => void;
  older: () => void;
  acknowledge: (id: string, by: string, comment: string) => Promise<Outcome<unknown>>;
  takeBack: (id: string) => void;
  api: AlertsApi;
}

/** Whether anyone looks at alerts: beside the chart on a wide screen, else on their own tab. */
function isLookedAt(state: State): boolean {
  const { tab } = state.preferences;
  return document.visibilityState === "visible" && tab !== "system";
}

/** Keeps the store true to what the service knows of the alerts that are looked at. */
export function deskOf(store: AppStore, api: AlertsApi): Desk {
  const keep = (alerts: Alert[], next?: string | null): void => {
    store.dispatch({ type: "alertsKept", alerts, next });
  };
  const failed = (outcome: Outcome<unknown> & { ok: false }): void => {
    store.dispatch({ type: "alertsFailed", error: outcome.error });
  };
  const ask = async (cursor: string | null, turned: boolean): Promise<void> => {
    const { filter } = store.get().alerts;
    const outcome = await api.alerts(queryOf(filter, pageSize, cursor));
    // Another filter was chosen meanwhile: its own answer is on the way.
    if (filter !== store.get().alerts.filter) return;
    if (!outcome.ok) failed(outcome);
    else keep(outcome.value.alerts, turned ? outcome.value.next : undefined);
  };
  const askRules = async (): Promise<void> => {
    const outcome = await api.rules();
    if (outcome.ok) store.dispatch({ type: "rulesLoaded", rules: outcome.value });
  };
  const askAccess = async (): Promise<void> => {
    const outcome = await api.access();
    if (outcome.ok) store.dispatch({ type: "access", mayWrite: outcome.value });
  };
  const askSilences = async (): Promise<void> => {
    const outcome = await api.silences();
    if (outcome.ok) store.dispatch({ type: "silencesLoaded", silences: outcome.value });
  };
  const askKinds = async (): Promise<void> => {
    const outcome = await api.kinds();
    if (outcome.ok) store.dispatch({ type: "kindsLoaded", kinds: outcome.value });
  };
  const refresh = (): void => {
    void askAccess();
    // They change with the service's version alone.
    if (Object.keys(store.get().alerts.kinds).length === 0) void askKinds();
    void askSilences();
    void ask(null, store.get().alerts.history.phase !== "ready");
    void askRules();
  };
  followFilter(store, () => void ask(null, true));
  let asked = false;
  setInterval(() => {
    const state = store.get();
    if (state.connection.phase === "live" && isLookedAt(state)) refresh();
  }, refreshEveryMs);
  store.subscribe(({ connection }) => {
    const live = connection.phase === "live";
    if (live && !asked) refresh();
    asked = live;
  });
  return {
    refresh,
    api,
    older: () => void ask(store.get().alerts.next, true),
    async acknowledge(id, by, comment) {
      const outcome = await api.acknowledge(id, by, comment);
      if (outcome.ok && outcome.value !== undefined) keep([outcome.value]);
      return outcome;
    },
    takeBack(id) {
      void api.takeBack(id).then((outcome) => {
        if (outcome.ok && outcome.value !== undefined) keep([outcome.value]);
        else refresh();
      });
    },
  };
}

/** Calls `turn` once another filter has stood for a moment. */
function followFilter(store: AppStore, turn: () => void): void {
  let before: AlertFilter = store.get().alerts.filter;
  let timer: ReturnType<typeof setTimeout> | undefined;
  store.subscribe(({ alerts }) => {
    if (alerts.filter === before) return;
    before = alerts.filter;
    clearTimeout(timer);
    timer = setTimeout(turn, settledAfterMs);
  });
}
