import type { AlertEvent } from "../socket/records.ts";
import type { AppStore, State } from "../store/state.ts";
import { awaited, h, panel, placeholder, setAttributes, setChildren, setText } from "../ui/dom.ts";
import { formatDate, formatTime, zoneName } from "../ui/format.ts";
import { zoneOf } from "../ui/time-zone.ts";

import { announcement, firingCount } from "./reducer.ts";
import { words } from "./words.ts";

const announceEveryMs = 5_000;
const shapes = { pending: "◔", firing: "▲", resolved: "✓", unknown: "?" } as const;

interface AlertView {
  element: HTMLElement;
  update(alert: AlertEvent, zone: string): void;
}

function alertView(open: (symbol: string) => void): AlertView {
  const shape = h("span", { class: "alert-shape", "aria-hidden": "true" });
  const stateName = h("span", { class: "alert-state" });
  const severity = h("span", { class: "alert-severity" });
  const time = h("time", { class: "number" });
  const symbol = h("button", { type: "button", class: "link" });
  const summary = h("p");
  let shown = "";
  symbol.addEventListener("click", () => {
    open(shown);
  });
  const line = h("div", { class: "alert-line" }, symbol, stateName, severity, time);
  const element = h("li", {}, shape, h("div", {}, line, summary));
  return {
    element,
    update(alert, zone) {
      shown = alert.symbol;
      setAttributes(element, { "data-state": alert.state, "data-severity": alert.severity });
      setText(shape, shapes[alert.state]);
      setText(symbol, alert.symbol);
      setText(stateName, words.states[alert.state]);
      setText(severity, words.severities[alert.severity]);
      setText(time, formatTime(alert.ts_event_ms, zone));
      const day = formatDate(alert.ts_event_ms, zone);
      setAttributes(time, {
        datetime: new Date(alert.ts_event_ms).toISOString(),
        title: `${day} ${zoneName(zone)}`,
      });
      setText(summary, alert.summary);
    },
  };
}

/** The list of alerts, and a polite voice for those that begin to fire. */
export function alertsView(store: AppStore): {
  element: HTMLElement;
  paint: (state: State) => void;
} {
  const count = h("span", { class: "count" });
  const list = h("ol", { "data-testid": "alerts", "aria-labelledby": "alerts-title" });
  const rest = h("div", { class: "rest" });
  const voice = h("div", { class: "visually-hidden", "aria-live": "polite", role: "status" });
  const scroller = h(
    "div",
    { class: "scroller", tabindex: 0, "data-own-keys": true, "aria-label": words.title },
    list,
    rest,
  );
  const element = panel("alerts", words.title, [count], scroller, voice);
  const views = new Map<string, AlertView>();
  const open = (symbol: string): void => {
    store.dispatch({ type: "select", symbol });
    store.dispatch({ type: "tab", tab: "chart" });
  };

  let spokenList: readonly AlertEvent[] = [];
  let spokenAt = 0;
  const announce = (state: State): void => {
    const { now } = state.connection;
    if (!state.alerts.loaded || now - spokenAt < announceEveryMs) return;
    const text = spokenAt === 0 ? "" : announcement(spokenList, state.alerts.list);
    spokenList = state.alerts.list;
    spokenAt = now;
    if (text !== "") setText(voice, text);
  };

  let painted: State | undefined;
  return {
    element,
    paint(state) {
      announce(state);
      const { alerts, connection, preferences } = state;
      const same = alerts === painted?.alerts && preferences.zone === painted.preferences.zone;
      if (same && connection.phase === painted?.connection.phase) return;
      painted = state;
      const kept = new Set(alerts.list.map((alert) => alert.alert_id));
      for (const id of views.keys()) if (!kept.has(id)) views.delete(id);
      const elements = alerts.list.map((alert) => {
        const view = views.get(alert.alert_id) ?? alertView(open);
        views.set(alert.alert_id, view);
        view.update(alert, zoneOf(preferences.zone));
        return view.element;
      });
      setChildren(list, elements);
      const firing = firingCount(alerts.list);
      setText(count, firing === 0 ? "" : words.firing(firing));
      if (elements.length > 0) rest.replaceChildren();
      else if (!alerts.loaded) rest.replaceChildren(awaited(connection.phase, words.title, 3));
      else rest.replaceChildren(placeholder(words.none));
    },
  };
}
