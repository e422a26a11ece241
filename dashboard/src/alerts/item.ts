import { button, h, setAttributes, setText } from "../ui/dom.ts";
import { formatDate, formatTime, zoneName } from "../ui/format.ts";

import type { Alert } from "./records.ts";
import { words } from "./words.ts";

const shapes = { pending: "◔", firing: "▲", resolved: "✓", unknown: "?" } as const;

export interface ItemActions {
  open: (symbol: string) => void;
  acknowledge: (alert: Alert) => void;
  takeBack: (id: string) => void;
}

export interface AlertItem {
  element: HTMLElement;
  update: (alert: Alert, zone: string, mayWrite: boolean) => void;
}

/** That someone has seen to the alert, or the way to say so. */
function acknowledgement(actions: ItemActions): AlertItem {
  let shown: Alert | undefined;
  const text = h("span");
  const seen = button(words.acknowledge, { class: "quiet" }, () => {
    if (shown !== undefined) actions.acknowledge(shown);
  });
  const back = button(words.takeBack, { class: "quiet" }, () => {
    if (shown !== undefined) actions.takeBack(shown.alert_id);
  });
  const element = h("div", { class: "acknowledgement" }, text, seen, back);
  return {
    element,
    update(alert, zone, mayWrite) {
      shown = alert;
      const { acknowledged, state } = alert;
      const at = acknowledged === null ? "" : formatTime(acknowledged.at_ms, zone);
      const said = acknowledged === null ? "" : words.acknowledgedBy(acknowledged.by, at);
      const comment = acknowledged?.comment ?? "";
      setText(text, comment === "" ? said : `${said}: ${comment}`);
      text.hidden = said === "";
      seen.hidden = !mayWrite || acknowledged !== null || state === "resolved";
      setAttributes(seen, { "aria-label": words.acknowledgeOf(alert.summary) });
      back.hidden = !mayWrite || acknowledged === null;
      element.hidden = text.hidden && seen.hidden && back.hidden;
    },
  };
}

/** One alert in the list. */
export function alertItem(actions: ItemActions): AlertItem {
  const shape = h("span", { class: "alert-shape", "aria-hidden": "true" });
  const stateName = h("span", { class: "alert-state" });
  const severity = h("span", { class: "alert-severity" });
  const time = h("time", { class: "number" });
  const summary = h("p");
  const rule = h("p", { class: "alert-rule" });
  const seen = acknowledgement(actions);
  let shown = "";
  const symbol = button("", { class: "link" }, () => {
    actions.open(shown);
  });
  const line = h("div", { class: "alert-line" }, symbol, stateName, severity, time);
  const element = h("li", {}, shape, h("div", {}, line, summary, rule, seen.element));
  return {
    element,
    update(alert, zone, mayWrite) {
      shown = alert.symbol;
      const { state, acknowledged } = alert;
      setAttributes(element, {
        "data-id": alert.alert_id,
        "data-state": state,
        "data-severity": alert.severity,
        "data-acknowledged": acknowledged !== null,
      });
      setText(shape, shapes[state]);
      setText(symbol, alert.symbol);
      setText(stateName, words.states[state]);
      setText(severity, words.severities[alert.severity]);
      setText(time, formatTime(alert.ts_event_ms, zone));
      const day = formatDate(alert.ts_event_ms, zone);
      setAttributes(time, {
        datetime: new Date(alert.ts_event_ms).toISOString(),
        title: `${day} ${zoneName(zone)}`,
      });
      setText(summary, alert.summary);
      setText(rule, alert.rule_name);
      rule.hidden = alert.rule_name === "";
      seen.update(alert, zone, mayWrite);
    },
  };
}
