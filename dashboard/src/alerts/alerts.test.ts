import { describe, expect, it } from "vitest";

import type { AlertEvent } from "../socket/records.ts";
import type { Action } from "../store/actions.ts";

import { alertLimit, alertsReducer, announcement, emptyAlerts, firingCount } from "./reducer.ts";

const alert = (id: string, time: number, fields: Partial<AlertEvent> = {}): AlertEvent => ({
  alert_id: id,
  rule_id: "r",
  symbol: "SPY",
  state: "firing",
  severity: "warning",
  ts_event_ms: time,
  value: 1,
  threshold: 1,
  summary: "SPY above 165",
  revision: 0,
  ...fields,
});

const came = (...records: AlertEvent[]): Action => ({ type: "alerts", at: 0, records, lost: 0 });
const after = (...actions: Action[]) => actions.reduce(alertsReducer, emptyAlerts);
const ids = (list: readonly AlertEvent[]) => list.map(({ alert_id }) => alert_id);

describe("the alerts", () => {
  it("are listed newest first", () => {
    expect(ids(after(came(alert("a", 1), alert("b", 3)), came(alert("c", 2))).list)).toEqual([
      "b",
      "c",
      "a",
    ]);
  });

  it("show the newest revision of each", () => {
    const resolved = alert("a", 5, { revision: 1, state: "resolved" });
    const { list } = after(came(alert("a", 1)), came(resolved), came(alert("a", 1)));
    expect(list).toEqual([resolved]);
    expect(firingCount(list)).toBe(0);
  });

  it("are bounded, the oldest forgotten", () => {
    const many = Array.from({ length: alertLimit + 10 }, (_, index) => alert(`a${index}`, index));
    const { list } = after(came(...many));
    expect(list).toHaveLength(alertLimit);
    expect(list.at(-1)?.alert_id).toBe("a10");
  });

  it("begin anew with a snapshot", () => {
    const records = [alert("b", 2)];
    const state = after(came(alert("a", 1)), { type: "alertsLoaded", at: 0, records });
    expect(state).toEqual({ list: records, loaded: true });
  });
});

describe("the voice", () => {
  it("speaks of an alert that begins to fire", () => {
    const pending = [alert("a", 1, { state: "pending" })];
    expect(announcement(pending, [alert("a", 2)])).toBe("warning alert: SPY above 165");
  });

  it("counts when there are several", () => {
    expect(announcement([], [alert("b", 2), alert("a", 1)])).toBe(
      "2 alerts firing, the latest for SPY",
    );
  });

  it("is silent about what it has said", () => {
    const list = [alert("a", 1)];
    expect(announcement(list, list)).toBe("");
    expect(announcement(list, [alert("a", 2, { state: "resolved" })])).toBe("");
  });
});
