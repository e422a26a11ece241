import { askGroups } from "../socket/groups.ts";
import type { AppStore, State } from "../store/state.ts";

import { groupScope, marketScope } from "./reducer.ts";

/** Groups are of a file that is read when the service starts. */
const askGroupsEveryMs = 60_000;

/** The scopes that are looked at: the market, its groups, and the chosen symbol; none when the view isn't open. */
export function scopesOf({
  preferences,
  chart,
  analytics,
}: Pick<State, "preferences" | "chart" | "analytics">): readonly (readonly string[])[] {
  if (preferences.tab !== "analytics") return [];
  const symbol = chart.symbol === null ? [] : [chart.symbol];
  return [[marketScope], symbol, analytics.groups.map((name) => groupScope + name)];
}

/** Follows the figures that are looked at, as long as they are. */
export function followAnalytics(
  store: AppStore,
  analyse: (lists: readonly (readonly string[])[]) => void,
  apiKey: () => string | null,
): void {
  let before = "[]";
  let askedAt = Number.NEGATIVE_INFINITY;
  const follow = (state: State): void => {
    const lists = scopesOf(state);
    const { now, phase } = state.connection;
    if (lists.length > 0 && phase === "live" && now - askedAt >= askGroupsEveryMs) {
      askedAt = now;
      void askGroups("", apiKey()).then((names) => {
        if (names !== undefined) store.dispatch({ type: "groups", names });
      });
    }
    const key = JSON.stringify(lists);
    if (key === before) return;
    before = key;
    analyse(lists);
  };
  store.subscribe(follow);
  follow(store.get());
}
