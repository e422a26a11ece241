import { describe, expect, it } from "vitest";

import type { AlertEvent } from "../socket/records.ts";
import type { Action } from "../store/actions.ts";

import { type AlertFilter, chosenIn, noFilter, queryOf } from "./filter.ts";
import { type Alert, readAccess, readFaults, readPage, readRule } from "./records.ts";
import {
  alertLimit,
  alertsReducer,
  announcement,
  emptyAlerts,
  firingCount,
  freshlyFiring,
  keptLimit,
  shownAlerts,
} from "./reducer.ts";

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
    expect(state).toMatchObject({ list: records, loaded: true });
  });
});

describe("the voice", () => {
  const said = (before: AlertEvent[], now: AlertEvent[]) =>
    announcement(freshlyFiring(before, now));

  it("speaks of an alert that begins to fire", () => {
    const pending = [alert("a", 1, { state: "pending" })];
    expect(said(pending, [alert("a", 2)])).toBe("warning alert: SPY above 165");
  });

  it("counts when there are several", () => {
    expect(said([], [alert("b", 2), alert("a", 1)])).toBe("2 alerts firing, the latest for SPY");
  });

  it("is silent about what it has said", () => {
    const list = [alert("a", 1)];
    expect(said(list, list)).toBe("");
    expect(said(list, [alert("a", 2, { state: "resolved" })])).toBe("");
  });
});

const kept = (id: string, time: number, fields: Partial<Alert> = {}): Alert => ({
  ...alert(id, time),
  rule_name: "level",
  acknowledged: null,
  ...fields,
});
const answered = (alerts: Alert[], next?: string | null): Action => ({
  type: "alertsKept",
  alerts,
  next,
});
const seen = { by: "Ada", at_ms: 9, comment: "" };

describe("the history", () => {
  it("is joined to what comes live, the newer of both shown", () => {
    const resolved = kept("b", 4, { revision: 1, state: "resolved", acknowledged: seen });
    const state = after(came(alert("a", 5), alert("b", 3)), answered([kept("a", 1), resolved]));
    expect(shownAlerts(state)).toEqual([kept("a", 5), resolved]);
  });

  it("names the rule of what has come live alone", () => {
    const rule = readRule({ id: "r", name: "mine" });
    const rules: Action = { type: "rulesLoaded", rules: rule === undefined ? [] : [rule] };
    expect(shownAlerts(after(rules, came(alert("a", 1))))[0]?.rule_name).toBe("mine");
  });

  it("takes up an acknowledgement, and its end", () => {
    const state = after(answered([kept("a", 1)]), answered([kept("a", 1, { acknowledged: seen })]));
    expect(shownAlerts(state)[0]?.acknowledged).toEqual(seen);
    const back = alertsReducer(state, answered([kept("a", 1)]));
    expect(shownAlerts(back)[0]?.acknowledged).toBeNull();
  });

  it("is bounded, and knows where it goes on", () => {
    const many = Array.from({ length: keptLimit + 5 }, (_, index) => kept(`a${index}`, index));
    const state = after(answered(many, "further"), answered([kept("b", 7)]));
    expect(state.kept).toHaveLength(keptLimit);
    expect(state.next).toBe("further");
  });

  it("says when it can't be had, and goes on with what is live", () => {
    const error = { code: "forbidden", message: "" };
    const state = after(came(alert("a", 1)), { type: "alertsFailed", error });
    expect(state.history).toEqual({ phase: "failed", error });
    expect(shownAlerts(state)).toHaveLength(1);
  });
});

describe("what the key may do", () => {
  it("is to write until the server says otherwise", () => {
    expect(emptyAlerts.mayWrite).toBe(true);
    expect([{ write: true }, { write: false }, {}, null].map(readAccess)).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });

  it("changes with the key", () => {
    const reader = after({ type: "access", mayWrite: false });
    expect(reader.mayWrite).toBe(false);
    expect(alertsReducer(reader, { type: "access", mayWrite: false })).toBe(reader);
    expect(alertsReducer(reader, { type: "access", mayWrite: true }).mayWrite).toBe(true);
  });
});

describe("the filter", () => {
  const alerts = [
    kept("a", 3, { summary: "SPY above 165" }),
    kept("b", 2, { symbol: "AIG", severity: "critical", rule_id: "other", rule_name: "moves" }),
    kept("c", 1, { state: "resolved" }),
  ];
  const found = (filter: Partial<AlertFilter>) =>
    ids(shownAlerts(after(answered(alerts), { type: "alertFilter", filter })));

  it.each<[Partial<AlertFilter>, string[]]>([
    [{}, ["a", "b", "c"]],
    [{ state: "active" }, ["a", "b"]],
    [{ state: "resolved" }, ["c"]],
    [{ severity: "critical" }, ["b"]],
    [{ symbol: "SPY" }, ["a", "c"]],
    [{ rule: "other" }, ["b"]],
    [{ text: " ABOVE " }, ["a", "b", "c"]],
    [{ text: "moves" }, ["b"]],
    [{ text: "moves", symbol: "SPY" }, []],
  ])("%j leaves %j", (filter, left) => {
    expect(found(filter)).toEqual(left);
  });

  it("asks the service the same", () => {
    const filter = { ...noFilter, state: "active", text: " a b ", rule: "r" } as const;
    expect(queryOf(filter, 50, "c=")).toBe(
      "limit=50&state=pending%2Cfiring%2Cunknown&rule=r&search=a+b&cursor=c%3D",
    );
    expect(queryOf(noFilter, 10, null)).toBe("limit=10");
    expect([chosenIn(noFilter), chosenIn(filter)]).toEqual([0, 3]);
  });
});

describe("the service's answers", () => {
  it("are read, what makes no sense left out", () => {
    const page = readPage({
      items: [{ ...kept("a", 1), acknowledged: seen }, { alert_id: 5 }, null],
      next_cursor: "n",
    });
    expect(page).toEqual({ alerts: [kept("a", 1, { acknowledged: seen })], next: "n" });
    expect(readPage("nonsense")).toEqual({ alerts: [], next: null });
  });

  it("name the fields that are wrong", () => {
    const errors = [{ pointer: "#/parameters/level", detail: "must be positive" }];
    expect(readFaults({ title: "no", errors })).toEqual({
      message: "no",
      faults: [{ pointer: "/parameters/level", detail: "must be positive" }],
    });
  });
});
