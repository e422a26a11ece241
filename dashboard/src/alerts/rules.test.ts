import { describe, expect, it } from "vitest";

import schema from "../../dev/rule.schema.json" with { type: "json" };
import type { Bar } from "../socket/records.ts";

import {
  conditionWords,
  type Draft,
  draftOf,
  newDraft,
  parametersOf,
  renamed,
  ruleOf,
} from "./draft.ts";
import { fieldsAt, placeOf } from "./faults.ts";
import { type Kinds, listOf, readKinds } from "./parameters.ts";
import { readRule, type Rule } from "./records.ts";
import { ruleWords } from "./rule-words.ts";
import { columnsOf } from "./trial.ts";

const kinds = readKinds(schema);
const unknown: Kinds = {};

const stored = {
  id: "7",
  name: "moves",
  kind: "percent_move",
  symbols: ["SPY", "A*"],
  severity: "critical",
  labels: { team: "a" },
  for_seconds: 5,
  keep_firing_for_seconds: 30,
  cooldown_seconds: 0,
  schedule: null,
  enabled: false,
  parameters: { direction: "up", percent: 2, window_seconds: 60, hysteresis: 0.5 },
  version: 3,
  created_at: "2026-01-01",
  updated_at: "2026-01-01",
};
const served = { id: "7", version: 3, created_at: "2026-01-01", updated_at: "2026-01-01" };
const onlyRegular = {
  calendar: "XNYS",
  sessions: ["regular"],
  days: [],
  times: ["09:45-11:30"],
  time_zone: null,
  holidays: false,
};

const read = (changed: object = {}): Rule => {
  const rule = readRule({ ...stored, ...changed });
  if (rule === undefined) throw new Error("not a rule");
  return rule;
};

/** Rules of every kind, as the service gives them. */
const parametersByKind: Readonly<Record<string, object>> = {
  price_level: { direction: "above", level: 166.5, mode: "level", hysteresis: 0 },
  percent_move: stored.parameters,
  volume_spike: { factor: 6, bars: 20, interval: "1m", hysteresis: 0, sessions: ["regular"] },
  price_spike: {
    z: 3.5,
    bars: 60,
    direction: "either",
    min_percent: 0,
    hysteresis: 0,
    interval: "1m",
    sessions: ["continuous", "regular"],
  },
  volume_surge: {
    factor: 3,
    against: "days",
    bars: 5,
    usual_bars: 60,
    skip_minutes: 30,
    hysteresis: 0,
    interval: "1m",
    sessions: ["regular"],
  },
  volatility_regime: {
    regime: "low",
    factor: 2,
    short_bars: 20,
    long_bars: 240,
    hysteresis: 0.5,
    skip_minutes: 30,
    interval: "5m",
    sessions: ["regular"],
  },
  gap: { percent: 2, direction: "up", interval: "1m" },
  new_high: { of: "bars", bars: 20, interval: "1h", after_minutes: 30, sessions: ["regular"] },
  new_low: { of: "session", bars: 20, interval: "1m", after_minutes: 30, sessions: ["regular"] },
  circuit_breaker: { level: 2, symbol: "SPY", interval: "1m" },
  feed_stale: { activities: ["feed_down", "halted"], interval: "1m", sessions: ["regular"] },
  luld: { tier_1: ["SPY", "A*"], within_percent: 1, hysteresis: 0, leverage: 1 },
  expression: { when: "close > 5\nuntil close < 4" },
};

describe("the kinds of rules", () => {
  it("are those that the service names, each with a word for it and its parameters", () => {
    expect(Object.keys(kinds).sort()).toEqual(Object.keys(parametersByKind).sort());
    const { fields, kinds: named, about } = ruleWords;
    for (const [kind, table] of Object.entries(kinds)) {
      expect([named[kind], about[kind]], kind).not.toContain(undefined);
      for (const { name, choices } of table) {
        expect(fields[`${kind}.${name}`] ?? fields[name], name).toBeDefined();
        for (const one of choices.filter((each) => Number.isNaN(Number.parseInt(String(each)))))
          expect(ruleWords.choices[`${name}.${one}`] ?? ruleWords.choices[one], name).toBeDefined();
      }
    }
  });

  it("have parameters with choices and defaults as the service has them", () => {
    const table = Object.fromEntries((kinds.new_high ?? []).map((one) => [one.name, one]));
    expect(table.of).toEqual({
      name: "of",
      shape: "choice",
      choices: ["bars", "session"],
      usual: "bars",
      optional: true,
    });
    expect(table.interval).toMatchObject({ shape: "choice", usual: "", optional: true });
    expect(table.sessions).toMatchObject({ shape: "choices", usual: "continuous, regular" });
    expect(kinds.luld?.[0]).toMatchObject({ name: "tier_1", shape: "list", optional: false });
    expect(kinds.circuit_breaker?.[0]).toMatchObject({ shape: "choice", choices: [1, 2, 3] });
    expect(kinds.expression).toMatchObject([{ name: "when", shape: "lines", optional: false }]);
  });

  it("are none where the service says something else", () => {
    expect([null, 5, {}, { oneOf: [5, {}] }].map(readKinds)).toEqual([{}, {}, {}, {}]);
  });
});

describe("a list", () => {
  it("has its names by commas or blanks, and those of groups as they are", () => {
    expect(listOf("SPY, BAC  AIG,")).toEqual(["SPY", "BAC", "AIG"]);
    expect(listOf("group:Oil & Gas, group:Banks")).toEqual(["group:Oil & Gas", "group:Banks"]);
  });
});

describe("a rule", () => {
  it.each(Object.entries(parametersByKind))(
    "of the kind %s goes through the form unchanged, known or not",
    (kind, parameters) => {
      for (const schedule of [null, onlyRegular])
        for (const known of [kinds, unknown]) {
          const rule = { ...stored, kind, parameters, schedule };
          const sent = ruleOf(draftOf(read(rule)), known) as typeof rule;
          const times =
            schedule === null ? {} : { schedule: { ...sent.schedule, time_zone: null } };
          expect({ ...sent, ...times, ...served }).toEqual(rule);
        }
    },
  );

  it("of a kind that nobody knows keeps its parameters", () => {
    const other = read({ kind: "novel", parameters: { deep: { when: 5 }, on: true, z: 1 } });
    expect(ruleOf(draftOf(other), kinds).parameters).toEqual(other.parameters);
    expect(conditionWords(other)).toBe('novel, deep {"when":5}, on true, z 1');
  });

  it("keeps parameters that the service doesn't name", () => {
    const parameters = { ...stored.parameters, later: 7 };
    expect(ruleOf(draftOf(read({ parameters })), kinds).parameters).toEqual(parameters);
  });

  it("that becomes of another kind begins with what is usual there, and can go back", () => {
    const draft = draftOf(read());
    const turned: Draft = { ...draft, kind: "gap" };
    expect(ruleOf(turned, kinds).parameters).toEqual({
      percent: 2,
      direction: "either",
      interval: "1m",
    });
    expect(ruleOf({ ...turned, kind: "percent_move" }, kinds)).toEqual(ruleOf(draft, kinds));
    const asked = parametersOf(turned, kinds).map(({ name }) => name);
    expect(asked).toEqual(["percent", "direction", "interval"]);
  });

  it("made at a price crosses it from where the price is now", () => {
    const above = ruleOf(newDraft("SPY", 166.004, 165), kinds);
    expect(above).toMatchObject({
      name: "SPY above 166.00",
      symbols: ["SPY"],
      kind: "price_level",
      enabled: true,
      parameters: { direction: "above", level: 166, mode: "crossing", hysteresis: 0 },
    });
    expect(above).not.toHaveProperty("schedule");
    expect(ruleOf(newDraft("SPY", 160, 165), unknown).parameters).toEqual({
      direction: "below",
      level: 160,
      mode: "crossing",
    });
  });

  it("has the name of what it says, until its writer gives it another", () => {
    const draft = newDraft("SPY", 166, 165);
    const moved = { ...draft, parameters: { price_level: { direction: "below", level: "170" } } };
    expect(renamed(moved).fields.name).toBe("SPY below 170");
    const turned = renamed({ ...renamed(moved), kind: "luld" });
    expect(turned.fields.name).toBe("SPY: Limit up, limit down");
    expect(renamed({ ...turned, kind: "price_level" }).fields.name).toBe("SPY below 170");
    const own = { ...turned, fields: { ...turned.fields, name: "Mine" } };
    expect(renamed({ ...own, kind: "gap" })).toEqual({ ...own, kind: "gap" });
    const there = draftOf(read());
    expect(renamed({ ...there, kind: "gap" }).fields.name).toBe(there.fields.name);
  });

  it("takes a decimal comma, and leaves what is no number for the service to judge", () => {
    const draft = newDraft("SPY", 166, 165);
    const given = (level: string) =>
      ruleOf({ ...draft, parameters: { price_level: { level } } }, kinds).parameters;
    expect(given("166,5")).toMatchObject({ level: 166.5 });
    expect(given("much")).toMatchObject({ level: "much" });
    expect(given("")).toMatchObject({ level: "" });
  });

  it("leaves what is empty and needn't be said to the service", () => {
    const draft = { ...draftOf(read({ kind: "new_high", parameters: {} })) };
    const parameters = { new_high: { bars: "", interval: "" } };
    const sent = ruleOf({ ...draft, parameters }, kinds).parameters;
    expect(Object.keys(sent as object)).toEqual(["of", "after_minutes", "sessions"]);
  });

  it("has a schedule once something of it is chosen, and loses it when nothing is", () => {
    const draft = draftOf(read());
    const on = { ...draft, schedule: { ...draft.schedule, days: "mon, fri" } };
    expect(ruleOf(on, kinds).schedule).toMatchObject({ days: ["mon", "fri"], calendar: "XNYS" });
    const scheduled = draftOf(read({ schedule: onlyRegular }));
    expect(ruleOf({ ...scheduled, schedule: draft.schedule }, kinds).schedule).toBeNull();
  });

  it.each([
    ["price_level", "price above 166.5"],
    ["percent_move", "up 2% within 60 s"],
    ["volume_spike", "volume 6× the mean of 20 bars of 1m"],
    ["price_spike", "return ± by z 3.5 against 60 bars of 1m"],
    ["volume_surge", "volume of the day 3× the usual by then"],
    ["volatility_regime", "volatility of 240 bars 2× that of 20 of 5m"],
    ["gap", "opens up 2% from the previous close"],
    ["new_high", "highest of 20 bars of 1h"],
    ["new_low", "lowest of the session, after 30 min"],
    ["circuit_breaker", "level 2 of SPY"],
    ["feed_stale", "bars: feed down, halted"],
    ["luld", "within 1% of a price band"],
    ["expression", "close > 5\nuntil close < 4"],
  ])("of the kind %s says what it asks for", (kind, said) => {
    expect(conditionWords(read({ kind, parameters: parametersByKind[kind] }))).toBe(said);
  });

  it("says the usual bars where it names none", () => {
    const parameters = { of: "bars", bars: 20, interval: null };
    expect(conditionWords(read({ kind: "new_high", parameters }))).toBe("highest of 20 bars of 1d");
  });
});

describe("what is wrong with a rule", () => {
  it("has its field", () => {
    const at = (pointer: string, detail = "") => fieldsAt({ pointer, detail });
    expect(at("/name")).toEqual(["name"]);
    expect(at("/rule/parameters/when")).toEqual(["parameters.when", "parameters"]);
    expect(at("/parameters", "hysteresis must be below z (3), was 4")[0]).toBe(
      "parameters.hysteresis",
    );
    expect(at("", "for_seconds and the expression's own for exclude each other")).toEqual([
      "for_seconds",
    ]);
    expect(at("/parameters/sessions/0")[0]).toBe("parameters.sessions");
    expect(at("/schedule")).toEqual(["schedule.", "schedule"]);
    expect(at("/schedule/times/1")).toEqual(["schedule.times", "schedule"]);
    expect(at("")).toEqual([""]);
  });

  it("has its place in an expression", () => {
    const written = "close > 3\nand rsy_14 < 30";
    const said =
      "line 2, column 5: there is no value 'rsy_14'; did you mean rsi_14?\nand rsy_14 < 30\n    ^^^^^^";
    const place = placeOf(said, written);
    expect(place).toMatchObject({ line: 2, column: 5, parts: ["and ", "rsy_14", " < 30"] });
    expect(place?.reason).toBe("there is no value 'rsy_14'; did you mean rsi_14?");
    expect(place && written.slice(place.start, place.end)).toBe("rsy_14");
  });

  it("may be at the end of an expression, or nowhere in it", () => {
    const end = placeOf("line 1, column 8: a value was expected\nclose >\n       ^", "close >");
    expect(end).toMatchObject({ parts: ["close >", "", ""], start: 7, end: 7 });
    expect(placeOf("must not be empty", "")).toBeNull();
  });
});

describe("what a rule is tried on", () => {
  const bar = (start_ms: number, changed: Partial<Bar> = {}): Bar => ({
    symbol: "SPY",
    interval: "1m",
    start_ms,
    end_ms: start_ms + 60_000,
    open: 1,
    high: 2,
    low: 1,
    close: 1.5,
    volume: 10,
    vwap: 1.25,
    trades: 3,
    state: "closed",
    revision: 0,
    activity: "traded",
    session: "regular",
    ...changed,
  });
  const set = (start_ms: number, values: Record<string, number>) => ({
    symbol: "SPY",
    interval: "1m",
    start_ms,
    state: "closed" as const,
    revision: 0,
    values,
  });

  it("is the closed bars, with the indicators that it speaks of", () => {
    const bars = [bar(0, { vwap: Number.NaN }), bar(60_000), bar(120_000, { state: "partial" })];
    const sets = [set(60_000, { rsi_14: 70, sma_20: 1 })];
    const columns = columnsOf(bars, sets, { parameters: { when: "rsi_14 > 60" } });
    expect(columns).toMatchObject({
      start_ms: [0, 60_000],
      end_ms: [60_000, 120_000],
      vwap: [1.5, 1.25],
      trades: [3, 3],
      session: ["regular", "regular"],
      activity: ["traded", "traded"],
      indicators: { rsi_14: [null, 70] },
    });
  });

  it("leaves sessions to the service where a bar doesn't say its own", () => {
    expect(columnsOf([bar(0, { session: "" })], [], {})).not.toHaveProperty("session");
  });

  it("fits into what the service takes at once, the oldest left out", () => {
    const many = Array.from({ length: 3_000 }, (_, place) =>
      bar(1_700_000_000_000 + place * 60_000, { vwap: 165.123456789012, close: 165.123456789012 }),
    );
    const columns = columnsOf(many, [], {});
    expect(JSON.stringify(columns).length).toBeLessThan(262_144 - 10_000);
    expect(columns.start_ms.length).toBeGreaterThan(1_000);
    expect(columns.start_ms.at(-1)).toBe(many.at(-1)?.start_ms);
  });
});
