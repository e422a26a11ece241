import { errorWords } from "../status/words.ts";
import type { AppStore, State } from "../store/state.ts";
import {
  awaited,
  button,
  h,
  panel,
  placeholder,
  setAttributes,
  setChildren,
  setText,
} from "../ui/dom.ts";
import { zoneOf } from "../ui/time-zone.ts";

import { acknowledgeDialog } from "./acknowledge.ts";
import type { Desk } from "./desk.ts";
import { deskWords } from "./desk-words.ts";
import { draftOf, newDraft } from "./draft.ts";
import { chosenIn, noFilter } from "./filter.ts";
import { filterBar } from "./filter-bar.ts";
import { type AlertItem, alertItem, type ItemActions } from "./item.ts";
import { firingCount, shownAlerts } from "./reducer.ts";
import { type Alert, alertPages } from "./records.ts";
import { ruleDialog } from "./rule-form.ts";
import { rulesList } from "./rules-list.ts";
import { silenceDialog } from "./silence-dialog.ts";
import { silencesList } from "./silences-list.ts";
import { storyDialog } from "./story-dialog.ts";
import { versionsDialog } from "./versions-dialog.ts";
import { words } from "./words.ts";

/** The alerts in their order, each element kept while its alert is shown. */
function listOf(actions: ItemActions): {
  element: HTMLElement;
  paint: (alerts: readonly Alert[], zone: string, mayWrite: boolean) => void;
} {
  const element = h("ol", { "data-testid": "alerts", "aria-labelledby": "alerts-title" });
  const items = new Map<string, AlertItem>();
  return {
    element,
    paint(alerts, zone, mayWrite) {
      const kept = new Set(alerts.map((alert) => alert.alert_id));
      for (const id of items.keys()) if (!kept.has(id)) items.delete(id);
      const elements = alerts.map((alert) => {
        const item = items.get(alert.alert_id) ?? alertItem(actions);
        items.set(alert.alert_id, item);
        item.update(alert, zone, mayWrite);
        return item.element;
      });
      setChildren(element, elements);
    },
  };
}

/** What stands below the list: the way to older ones, or why there is nothing. */
function restOf(state: State, shown: number, desk: Desk, clear: () => void): HTMLElement[] {
  const { alerts, connection } = state;
  const { history, next, filter } = alerts;
  const rest: HTMLElement[] = [];
  if (shown === 0 && !alerts.loaded) return [awaited(connection.phase, words.title, 3)];
  if (shown === 0 && chosenIn(filter) > 0)
    rest.push(placeholder(words.noMatch, button(words.clear, {}, clear)));
  else if (shown === 0 && history.phase !== "failed") rest.push(placeholder(words.none));
  if (history.phase === "failed" && history.error !== null) {
    const sentence = words.noHistory(errorWords(history.error));
    rest.push(placeholder(sentence, button(words.retry, {}, desk.refresh)));
  } else if (next !== null) {
    const older = button(words.older, { "data-testid": "older-alerts" }, desk.older);
    rest.push(h("div", { class: "placeholder" }, older));
  }
  return rest;
}

/** The alerts, live and past, and the rules that make them. */
export function alertsView(
  store: AppStore,
  desk: Desk,
): {
  element: HTMLElement;
  dialogs: readonly HTMLDialogElement[];
  /** Begins a rule about the symbol of the chart, at a price; at the present one when none is given. */
  newRule: (price?: number) => void;
  paint: (state: State) => void;
} {
  const rule = ruleDialog(store, desk);
  const seen = acknowledgeDialog(desk);
  const silence = silenceDialog(desk);
  const versions = versionsDialog(store, desk);
  const story = storyDialog(store, desk, versions.open);
  const newRule = (price?: number): void => {
    const { chart, watchlist } = store.get();
    const symbol = chart.symbol ?? "";
    const now = watchlist.rows[symbol]?.price ?? Number.NaN;
    rule.open(newDraft(symbol, price ?? now, now));
  };
  const count = h("span", { class: "count" });
  const pages = alertPages.map((page) => ({
    page,
    item: button(words.pages[page], { "data-testid": `alert-page-${page}` }, () => {
      store.dispatch({ type: "alertPage", page });
    }),
  }));
  const turn = h(
    "div",
    { class: "segments", role: "group", "aria-label": words.page },
    ...pages.map(({ item }) => item),
  );
  const make = button(
    "+",
    {
      class: "icon",
      "aria-label": words.newRule,
      title: words.newRule,
      "aria-keyshortcuts": "a",
      "data-testid": "new-rule",
    },
    () => {
      newRule();
    },
  );
  const filters = filterBar(store);
  const list = listOf({
    open(symbol) {
      store.dispatch({ type: "select", symbol });
      store.dispatch({ type: "tab", tab: "chart" });
    },
    acknowledge: seen.open,
    takeBack: desk.takeBack,
    silence: silence.open,
    explain: story.open,
  });
  const rules = rulesList({
    edit(one) {
      rule.open(draftOf(one));
    },
    versions({ id, name }) {
      versions.open(id, name);
    },
  });
  const silences = silencesList((id) => {
    void desk.api.endSilence(id).then(desk.refresh);
  });
  const rest = h("div", { class: "rest" });
  const past = h("div", {}, list.element, rest);
  const scroller = h(
    "div",
    { class: "scroller", tabindex: 0, "data-own-keys": true, "aria-label": words.title },
    past,
    rules.element,
    silences.element,
  );
  const element = panel("alerts", words.title, [count, turn, make], filters.element, scroller);
  const clear = (): void => {
    store.dispatch({ type: "alertFilter", filter: noFilter });
  };

  let painted: State | undefined;
  return {
    element,
    dialogs: [rule, seen, silence, versions, story].map((one) => one.element),
    newRule,
    paint(state) {
      const { alerts, connection, preferences, watchlist } = state;
      const same =
        alerts === painted?.alerts &&
        preferences.zone === painted.preferences.zone &&
        watchlist.symbols === painted.watchlist.symbols;
      if (same && connection.phase === painted?.connection.phase) return;
      painted = state;
      const { page: shownPage, mayWrite } = alerts;
      past.hidden = filters.element.hidden = shownPage !== "alerts";
      rules.element.hidden = shownPage !== "rules";
      silences.element.hidden = shownPage !== "silences";
      for (const { page, item } of pages)
        setAttributes(item, { "aria-pressed": String(page === shownPage) });
      const shown = shownAlerts(alerts);
      const zone = zoneOf(preferences.zone);
      list.paint(shown, zone, mayWrite);
      const { error } = alerts.history;
      const orWhy = (none: string): string => (error === null ? none : `${errorWords(error)}.`);
      rules.paint(alerts.rules, orWhy(words.noRules));
      const noSilences = mayWrite ? deskWords.noSilences : deskWords.noSilencesRead;
      silences.paint(alerts.silences, zone, mayWrite, orWhy(noSilences));
      rule.paint(state);
      filters.paint(state);
      const firing = firingCount(alerts.list);
      setText(count, firing === 0 ? "" : words.firing(firing));
      rest.replaceChildren(...restOf(state, shown.length, desk, clear));
    },
  };
}
