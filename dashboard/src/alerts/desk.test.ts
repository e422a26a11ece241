import { describe, expect, it } from "vitest";

import { matchWords, readSilences, silenceDraft, silenceOf } from "./silences.ts";
import { readStory } from "./story.ts";
import { differences, readVersions } from "./versions.ts";

describe("a silence", () => {
  it("is of the alert's rule and symbol to begin with, for an hour", () => {
    const draft = silenceDraft({ rule_name: "SPY above 166, twice", symbol: "SPY" });
    expect(silenceOf({ ...draft, by: "Ada", comment: "known" })).toEqual({
      match: { rule: ["SPY above 166, twice"], symbol: ["SPY"] },
      for_seconds: 3600,
      by: "Ada",
      comment: "known",
    });
  });

  it("of a rule whose name begins with ! isn't one of all others", () => {
    const draft = silenceDraft({ rule_name: "!important", symbol: "SPY" });
    expect(silenceOf(draft)).toMatchObject({ match: { rule: ["?important"] } });
  });

  it("takes several symbols and labels, and an empty field as all", () => {
    const draft = { ...silenceDraft({ rule_name: "", symbol: "SPY, B*" }), severity: "info" };
    expect(silenceOf({ ...draft, labels: "team=core, desk=!a=b" }).match).toEqual({
      symbol: ["SPY", "B*"],
      severity: ["info"],
      team: ["core"],
      desk: ["!a=b"],
    });
  });

  it("is read as the service has it, the first to end first, those that are over left out", () => {
    const one = {
      id: "1",
      match: { symbol: ["SPY", "QQQ"], rule: "high" },
      state: "active",
      starts_ms: 1,
      ends_ms: 9,
      by: "Ada",
      comment: "",
    };
    const items = [one, { ...one, id: "2", ends_ms: 5 }, { ...one, state: "expired" }, null];
    const read = readSilences({ items });
    expect(read.map(({ id }) => id)).toEqual(["2", "1"]);
    expect(read[1] && matchWords(read[1].match)).toBe("symbol = SPY | QQQ, rule = high");
    expect(readSilences("nonsense")).toEqual([]);
  });
});

describe("what became of an alert", () => {
  const event = { alert_id: "a", rule_name: "high", ts_event_ms: 5, symbol: "SPY" };
  const decision = {
    revision: 0,
    receiver: "desk",
    outcome: "notified",
    reason: "it fires",
    decided_at: "2026-03-02T14:30:00.500+00:00",
    notification: { id: "n", status: "dead", attempts: 3, last_error: "410" },
  };

  it("is told by the changes of its state, with the decisions of each", () => {
    const story = readStory({
      ...event,
      rule_version: 4,
      transitions: [
        { revision: 0, state: "firing", ts_event_ms: 5, summary: "above", reason: "" },
        { revision: 1, state: "resolved", ts_event_ms: 9, summary: "above", reason: "back" },
      ],
      decisions: [decision, { ...decision, revision: 1, outcome: "untold", notification: null }],
    });
    expect(story?.version).toBe(4);
    expect(story?.chapters.map(({ state, at_ms }) => [state, at_ms])).toEqual([
      ["firing", 5],
      ["resolved", 9],
    ]);
    expect(story?.chapters[0]?.decisions).toEqual([
      {
        receiver: "desk",
        outcome: "notified",
        reason: "it fires",
        at_ms: Date.UTC(2026, 2, 2, 14, 30, 0, 500),
        status: "dead",
        attempts: 3,
        lastError: "410",
      },
    ]);
    expect(story?.chapters[1]?.decisions[0]).toMatchObject({ outcome: "untold", status: "" });
  });

  it("shows the newest of very many decisions", () => {
    const decisions = Array.from({ length: 80 }, (_, place) => ({
      ...decision,
      reason: `${place}`,
    }));
    const story = readStory({ ...event, transitions: [{ revision: 0 }], decisions });
    const reasons = story?.chapters[0]?.decisions.map(({ reason }) => reason);
    expect([reasons?.length, reasons?.[0], reasons?.at(-1)]).toEqual([50, "30", "79"]);
  });

  it("is nothing where the answer is none", () => {
    expect(readStory({ transitions: [] })).toBeUndefined();
    expect(readStory(event)?.chapters).toEqual([]);
  });
});

describe("the versions of a rule", () => {
  it("say what differs, also deep within", () => {
    const before = { name: "a", parameters: { level: 5, deep: { one: 1 } }, symbols: ["A"] };
    const after = {
      name: "a",
      parameters: { level: 6, deep: {} },
      symbols: ["A", "B"],
      more: true,
    };
    expect(differences(before, after)).toEqual([
      { name: "parameters.level", before: "5", after: "6" },
      { name: "parameters.deep.one", before: "1", after: "" },
      { name: "symbols", before: "A", after: "A, B" },
      { name: "more", before: "", after: "true" },
    ]);
  });

  it("are each compared with the one before, the first that is kept with none", () => {
    const at = "2026-03-02T14:30:00+00:00";
    const items = [
      { version: 3, change: "changed", by: "Ada", at, rule: { severity: "info" } },
      { version: 2, change: "made", by: "the API", at, rule: { severity: "critical" } },
    ];
    const [newest, first] = readVersions({ items });
    expect(newest).toMatchObject({ by: "Ada", at_ms: Date.UTC(2026, 2, 2, 14, 30) });
    expect(newest?.differences).toEqual([{ name: "severity", before: "critical", after: "info" }]);
    expect(first?.differences).toBeNull();
    expect(readVersions(null)).toEqual([]);
  });
});
