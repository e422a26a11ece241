import type { ActivityFilter } from "../store/actions.ts";
import type { AppStore, State } from "../store/state.ts";
import { h, panel, placeholder, setChildren } from "../ui/dom.ts";
import { formatDate, formatTime, zoneName } from "../ui/format.ts";
import { exchangeZone } from "../ui/trading-day.ts";

import { type Entry, shownEntries } from "./reducer.ts";

const kinds: readonly [ActivityFilter, string][] = [
  ["all", "All"],
  ["market", "Market"],
  ["server", "Server"],
  ["connection", "Connection"],
];

const localZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

function entryElement(entry: Entry): HTMLElement {
  // What the market does has the market's time; what this page and its server do has the user's.
  const zone = entry.kind === "market" ? exchangeZone : localZone;
  const title = `${formatDate(entry.time, zone)} ${zoneName(zone)}`;
  const datetime = new Date(entry.time).toISOString();
  const time = h("time", { class: "number", datetime, title }, formatTime(entry.time, zone));
  const symbol = entry.symbol === null ? [] : [h("span", { class: "symbol" }, entry.symbol), " "];
  return h("li", { "data-kind": entry.kind }, time, h("p", {}, ...symbol, entry.text));
}

/** The log of what happened, with its filter. */
export function activityView(store: AppStore): {
  element: HTMLElement;
  paint: (state: State) => void;
} {
  const options = kinds.map(([kind, label]) => h("option", { value: kind }, label));
  const kind = h("select", { "aria-label": "Kind of activity" }, ...options);
  const text = h("input", {
    type: "search",
    placeholder: "Filter",
    "aria-label": "Filter activity",
    autocomplete: "off",
  });
  const filtered = (): void => {
    const chosen = kind.value as ActivityFilter;
    store.dispatch({ type: "activityFilter", kind: chosen, text: text.value });
  };
  kind.addEventListener("change", filtered);
  text.addEventListener("input", filtered);
  const list = h("ol", { "data-testid": "activity", "aria-labelledby": "activity-title" });
  const rest = h("div", { class: "rest" });
  const scroller = h(
    "div",
    { class: "scroller", tabindex: 0, "data-own-keys": true, "aria-label": "Activity" },
    list,
    rest,
  );
  const element = panel("activity", "Activity", [kind, text], scroller);
  const elements = new Map<number, HTMLElement>();

  let painted: State["activity"] | undefined;
  return {
    element,
    paint({ activity }) {
      if (activity === painted) return;
      painted = activity;
      const kept = new Set(activity.entries.map(({ id }) => id));
      for (const id of elements.keys()) if (!kept.has(id)) elements.delete(id);
      const shown = shownEntries(activity).map((entry) => {
        const item = elements.get(entry.id) ?? entryElement(entry);
        elements.set(entry.id, item);
        return item;
      });
      setChildren(list, shown);
      if (shown.length > 0) rest.replaceChildren();
      else if (activity.entries.length > 0)
        rest.replaceChildren(placeholder("Nothing matches the filter."));
      else rest.replaceChildren(placeholder("Nothing has happened yet."));
    },
  };
}
