import type { Severity } from "../socket/records.ts";
import type { AppStore, State } from "../store/state.ts";
import { fill, filterRow, searchField, select } from "../ui/filters.ts";

import { chosenIn, type ShownState, shownStates } from "./filter.ts";
import { words } from "./words.ts";

interface View {
  element: HTMLElement;
  paint: (state: State) => void;
}

const severities: readonly Severity[] = ["critical", "warning", "info"];

/** Which alerts are shown: by state, severity, symbol, rule and words. */
export function filterBar(store: AppStore): View {
  const search = searchField(words.search, (text) => {
    store.dispatch({ type: "alertFilter", filter: { text } });
  });
  const state = select(words.stateFilter, (value) => {
    store.dispatch({ type: "alertFilter", filter: { state: value as ShownState } });
  });
  const severity = select(words.severityFilter, (value) => {
    store.dispatch({ type: "alertFilter", filter: { severity: value as Severity | "all" } });
  });
  const symbol = select(words.symbolFilter, (value) => {
    store.dispatch({ type: "alertFilter", filter: { symbol: value } });
  });
  const rule = select(words.ruleFilter, (value) => {
    store.dispatch({ type: "alertFilter", filter: { rule: value } });
  });
  fill(
    state,
    shownStates.map((one) => [one, words.shownStates[one]]),
    "all",
  );
  const bySeverity = severities.map((one) => [one, words.severities[one]] as const);
  fill(severity, [["all", words.allSeverities], ...bySeverity], "all");
  const row = filterRow("alerts", search, [state, severity, symbol, rule]);
  return {
    element: row.element,
    paint({ alerts, watchlist }) {
      const { filter, rules } = alerts;
      if (search.value !== filter.text) search.value = filter.text;
      if (state.value !== filter.state) state.value = filter.state;
      if (severity.value !== filter.severity) severity.value = filter.severity;
      const symbols = watchlist.symbols.map((one) => [one, one] as const);
      fill(symbol, [["", words.allSymbols], ...symbols], filter.symbol);
      const named = rules.map(({ id, name }) => [id, name] as const);
      fill(rule, [["", words.allRules], ...named], filter.rule);
      row.paint(chosenIn({ ...filter, text: "" }));
    },
  };
}
