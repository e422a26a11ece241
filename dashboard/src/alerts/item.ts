import { button, h, setAttributes, setText } from "../ui/dom.ts";
import { formatDate, formatTime, zoneName } from "../ui/format.ts";

import { deskWords } from "./desk-words.ts";
import type { Alert } from "./records.ts";
import { words } from "./words.ts";

const shapes = { pending: "◔", firing: "▲", resolved: "✓", unknown: "?" } as const;

export interface ItemActions {
  open: (symbol: string) => void;
  acknowledge: (alert: Alert) => void;
  takeBack: (id: string) => void;
  silence: (alert: Alert) => void;
  /** Shows what became of it, and why. */
  explain: (alert: Alert) => void;
}

export interface AlertItem {
  element: HTMLElement;
  update: (alert: Alert, zone: string, mayWrite: boolean) => void;
}

/** Which rule it is of, who has seen to it, and what can be done about it. */
function dealings(actions: ItemActions): AlertItem {
  let shown: Alert | undefined;
  const rule = h("span", { class: "alert-rule" });
  const text = h("span");
  const about = (label: string, act: (alert: Alert) => void): HTMLElement =>
    button(label, { class: "quiet" }, () => {
      if (shown !== undefined) act(shown);
    });
  const seen = about(words.acknowledge, actions.acknowledge);
  const hush = about(deskWords.silence, actions.silence);
  const details = about(deskWords.details, actions.explain);
  const back = about(words.takeBack, ({ alert_id }) => {
    actions.takeBack(alert_id);
  });
  const element = h("div", { class: "dealings" }, rule, text, seen, back, hush, details);
  return {
    element,
    update(alert, zone, mayWrite) {
      shown = alert;
      const { acknowledged, state, summary } = alert;
      setText(rule, alert.rule_name);
      rule.hidden = alert.rule_name === "";
      const at = acknowledged === null ? "" : formatTime(acknowledged.at_ms, zone);
      const said = acknowledged === null ? "" : words.acknowledgedBy(acknowledged.by, at);
      const comment = acknowledged?.comment ?? "";
      setText(text, comment === "" ? said : `${said}: ${comment}`);
      text.hidden = said === "";
      seen.hidden = !mayWrite || acknowledged !== null || state === "resolved";
      setAttributes(seen, { "aria-label": words.acknowledgeOf(summary) });
      back.hidden = !mayWrite || acknowledged === null;
      hush.hidden = !mayWrite || state === "resolved";
      setAttributes(hush, { "aria-label": deskWords.silenceOf(summary) });
      setAttributes(details, { "aria-label": deskWords.detailsOf(summary) });
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
  const dealt = dealings(actions);
  let shown = "";
  const symbol = button("", { class: "link" }, () => {
    actions.open(shown);
  });
  const line = h("div", { class: "alert-line" }, symbol, stateName, severity, time);
  const element = h("li", {}, shape, h("div", {}, line, summary, dealt.element));
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
      dealt.update(alert, zone, mayWrite);
    },
  };
}
