import type { ActivityFilter } from "../store/actions.ts";
import type { AppStore, State } from "../store/state.ts";
import { h, panel, placeholder, setChildren } from "../ui/dom.ts";
import { formatDate, formatTime, zoneName } from "../ui/format.ts";
import { zoneOf } from "../ui/time-zone.ts";

import { type Entry, shownEntries } from "./reducer.ts";
import { words } from "./words.ts";

const kinds: readonly ActivityFilter[] = ["all", "market", "server", "connection"];

function entryElement(entry: Entry, zone: string): HTMLElement {
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
  const options = kinds.map((kind) => h("option", { value: kind }, words.kinds[kind]));
  const kind = h("select", { "aria-label": words.kind }, ...options);
  const text = h("input", {
    type: "search",
    placeholder: words.filter,
    "aria-label": words.filterLong,
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
    { class: "scroller", tabindex: 0, "data-own-keys": true, "aria-label": words.title },
    list,
    rest,
  );
  const element = panel("activity", words.title, [kind, text], scroller);
  const elements = new Map<number, HTMLElement>();

  let painted: State["activity"] | undefined;
  let paintedZone = "";
  return {
    element,
    paint({ activity, preferences }) {
      const zone = zoneOf(preferences.zone);
      if (activity === painted && zone === paintedZone) return;
      painted = activity;
      if (zone !== paintedZone) elements.clear();
      paintedZone = zone;
      const kept = new Set(activity.entries.map(({ id }) => id));
      for (const id of elements.keys()) if (!kept.has(id)) elements.delete(id);
      const shown = shownEntries(activity).map((entry) => {
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
