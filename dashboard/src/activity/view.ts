import type { ActivityFilter } from "../store/actions.ts";
import type { AppStore, State } from "../store/state.ts";
import { button, h, panel, placeholder, setChildren } from "../ui/dom.ts";
import { download } from "../ui/download.ts";
import { fill, filterRow, searchField, select } from "../ui/filters.ts";
import { formatDate, formatTime, zoneName } from "../ui/format.ts";
import { zoneOf } from "../ui/time-zone.ts";

import { csvOf } from "./csv.ts";
import { type Period, periods } from "./filter.ts";
import { type Entry, shownEntries } from "./reducer.ts";
import { words } from "./words.ts";

const kinds: readonly ActivityFilter[] = ["all", "market", "server", "connection"];
/** How often a filter by time is looked at again. */
const lookEveryMs = 5_000;

function entryElement(entry: Entry, zone: string): HTMLElement {
  const title = `${formatDate(entry.time, zone)} ${zoneName(zone)}`;
  const datetime = new Date(entry.time).toISOString();
  const time = h("time", { class: "number", datetime, title }, formatTime(entry.time, zone));
  const symbol = entry.symbol === null ? [] : [h("span", { class: "symbol" }, entry.symbol), " "];
  return h("li", { "data-kind": entry.kind }, time, h("p", {}, ...symbol, entry.text));
}

/** Which entries are shown: by kind, symbol, time and words. */
function filterBar(store: AppStore): { element: HTMLElement; paint: (state: State) => void } {
  const search = searchField(words.search, (text) => {
    store.dispatch({ type: "activityFilter", filter: { text } });
  });
  const kind = select(words.kind, (value) => {
    store.dispatch({ type: "activityFilter", filter: { kind: value as ActivityFilter } });
  });
  const symbol = select(words.symbol, (value) => {
    store.dispatch({ type: "activityFilter", filter: { symbol: value } });
  });
  const period = select(words.period, (value) => {
    store.dispatch({ type: "activityFilter", filter: { period: value as Period } });
  });
  const row = filterRow("activity", search, [kind, period, symbol]);
  return {
    element: row.element,
    paint({ activity, watchlist }) {
      const { filter } = activity;
      const symbols = watchlist.symbols.map((one) => [one, one] as const);
      fill(
        kind,
        kinds.map((one) => [one, words.kinds[one]]),
        filter.kind,
      );
      fill(
        period,
        periods.map((one) => [one, words.periods[one]]),
        filter.period,
      );
      fill(symbol, [["", words.allSymbols], ...symbols], filter.symbol);
      if (search.value !== filter.text) search.value = filter.text;
      const { kind: of, period: within, symbol: about } = filter;
      row.paint([of !== "all", within !== "all", about !== ""].filter(Boolean).length);
    },
  };
}

/** The log of what happened, with its filter. */
export function activityView(store: AppStore): {
  element: HTMLElement;
  paint: (state: State) => void;
} {
  const filters = filterBar(store);
  const save = button(
    "⤓",
    { class: "icon", "aria-label": words.save, title: words.save, "data-testid": "save-activity" },
    () => {
      const { activity, connection } = store.get();
      const text = csvOf(shownEntries(activity, connection.now));
      download("tickstream-activity.csv", new Blob([text], { type: "text/csv;charset=utf-8" }));
    },
  );
  const list = h("ol", { "data-testid": "activity", "aria-labelledby": "activity-title" });
  const rest = h("div", { class: "rest" });
  const scroller = h(
    "div",
    { class: "scroller", tabindex: 0, "data-own-keys": true, "aria-label": words.title },
    list,
    rest,
  );
  const element = panel("activity", words.title, [save], filters.element, scroller);
  const elements = new Map<number, HTMLElement>();

  let painted: State | undefined;
  let paintedLook = 0;
  return {
    element,
    paint(state) {
      const { activity, connection, preferences, watchlist } = state;
      const zone = zoneOf(preferences.zone);
      const zoned = preferences.zone === painted?.preferences.zone;
      const look = activity.filter.period === "all" ? 0 : Math.floor(connection.now / lookEveryMs);
      const same = activity === painted?.activity && look === paintedLook;
      if (same && zoned && watchlist.symbols === painted?.watchlist.symbols) return;
      if (!zoned) elements.clear();
      painted = state;
      paintedLook = look;
      filters.paint(state);
      const kept = new Set(activity.entries.map(({ id }) => id));
      for (const id of elements.keys()) if (!kept.has(id)) elements.delete(id);
      const shown = shownEntries(activity, connection.now).map((entry) => {
        const item = elements.get(entry.id) ?? entryElement(entry, zone);
        elements.set(entry.id, item);
        return item;
      });
      setChildren(list, shown);
      if (shown.length > 0) rest.replaceChildren();
      else if (activity.entries.length > 0) rest.replaceChildren(placeholder(words.noMatch));
      else rest.replaceChildren(placeholder(words.none));
    },
  };
}
