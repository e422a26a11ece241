import type { IncomingMessage, ServerResponse } from "node:http";

import type { Connect } from "vite";

import schema from "./rule.schema.json" with { type: "json" };

/** A made-up alerting service: enough to see alerts, rules and what is asked of them. */
export function madeUpAlerting(started: number): Connect.NextHandleFunction {
  const rules = ["SPY above 166", "big moves", "volume"].map((name, place) => ({
    id: `00000000-0000-0000-0000-00000000000${place}`,
    name,
    kind: ["price_level", "percent_move", "volume_spike"][place],
    symbols: [place === 0 ? "SPY" : "*"],
    severity: ["warning", "critical", "info"][place],
    labels: {},
    for_seconds: 0,
    cooldown_seconds: 60,
    enabled: place !== 2,
    parameters: [
      { direction: "above", level: 166, mode: "crossing", hysteresis: 0 },
      { direction: "either", percent: 1, window_seconds: 300, hysteresis: 0 },
      { factor: 3, bars: 20, interval: "1m", hysteresis: 0 },
    ][place],
  }));
  const seen = new Map<string, object>();
  const silences = new Map<string, object>();
  const alerts = () =>
    ["BAC", "SPY", "AIG", "F"].map((symbol, place) => ({
      alert_id: `past-${place}`,
      rule_id: rules[place % 3]?.id,
      rule_name: rules[place % 3]?.name,
      symbol,
      state: place < 2 ? "firing" : "resolved",
      severity: rules[place % 3]?.severity,
      ts_event_ms: started - place * 400_000,
      value: 1,
      threshold: 1,
      summary: `${symbol} price moved +1.${place}4 % within 300 s, up or down by 1 %`,
      revision: 0,
      acknowledged: seen.get(`past-${place}`) ?? null,
    }));
  return (request, response, next) => {
    const { pathname } = new URL(request.url ?? "/", "http://x");
    const [, , , what, id, part] = pathname.split("/");
    if (pathname === "/api/v1/access") {
      answer(response, { name: "you", write: true });
      return;
    }
    if (!pathname.startsWith("/api/v1/") || !["alerts", "rules", "silences"].includes(what ?? "")) {
      next();
      return;
    }
    void bodyOf(request).then((body) => {
      if (what === "silences") {
        answer(response, silencesAfter(silences, request.method ?? "GET", id, body));
        return;
      }
      if (request.method === "PUT" && id !== undefined)
        seen.set(id, { by: "you", comment: "", ...body, at_ms: Date.now() });
      if (request.method === "DELETE" && id !== undefined) seen.delete(id);
      if (what === "rules" && id === "test")
        answer(response, { bars: 240, fired: 0, transitions: [] });
      else if (id === "schema") answer(response, schema);
      else if (part === "versions")
        answer(response, versionsOf(rules.find((one) => one.id === id) ?? {}, started));
      else if (what === "rules") answer(response, { items: rules });
      else if (id === undefined) answer(response, { items: alerts(), next_cursor: null });
      else answer(response, withStory(alerts().find((one) => one.alert_id === id) ?? {}, started));
    });
  };
}

/** The silences as a request has made them. */
function silencesAfter(
  silences: Map<string, object>,
  method: string,
  id: string | undefined,
  body: object,
): object {
  if (method === "POST") {
    const made = String(silences.size);
    const ends_ms = Date.now() + 3_600_000;
    silences.set(made, { id: made, state: "active", starts_ms: Date.now(), ends_ms, ...body });
  }
  if (method === "DELETE" && id !== undefined) silences.delete(id);
  return { items: [...silences.values()] };
}

function versionsOf(rule: object, started: number): object {
  const at = new Date(started - 86_400_000).toISOString();
  const made = { version: 1, change: "made", by: "the rules file", at, rule };
  const later = new Date(started).toISOString();
  const changed = { ...rule, severity: "critical", cooldown_seconds: 300 };
  return {
    items: [{ version: 2, change: "changed", by: "Ada", at: later, rule: changed }, made],
  };
}

function withStory(alert: object, started: number): object {
  const decided_at = new Date(started).toISOString();
  const told = { id: "n", status: "sent", attempts: 1, last_error: "" };
  const waits = "waits until 14:30:00 UTC for others with rule=big moves";
  const decisions = [
    { revision: 0, receiver: "desk", outcome: "grouped", reason: waits, decided_at },
    {
      revision: 0,
      receiver: "desk",
      outcome: "notified",
      reason: "it fires",
      decided_at,
      notification: told,
    },
    { revision: 0, receiver: "mail", outcome: "silenced", reason: "silence 7 by Ada", decided_at },
  ];
  const transitions = [
    { revision: 0, state: "firing", ts_event_ms: started, summary: "moved", reason: "", ...alert },
  ];
  return { ...alert, rule_version: 2, transitions, decisions };
}

async function bodyOf(request: IncomingMessage): Promise<object> {
  let text = "";
  for await (const part of request) text += String(part);
  return text === "" ? {} : (JSON.parse(text) as object);
}

function answer(response: ServerResponse, body: unknown): void {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(body));
}
