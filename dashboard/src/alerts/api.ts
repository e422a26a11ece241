import type { ServerError } from "../socket/protocol.ts";

import { type Kinds, readKinds } from "./parameters.ts";
import {
  type Alert,
  type Fault,
  readAccess,
  readAlert,
  readFaults,
  readPage,
  readRehearsal,
  readRules,
  type Rehearsal,
  type Rule,
} from "./records.ts";
import { readSilences, type Silence } from "./silences.ts";
import { readStory, type Story } from "./story.ts";
import { readVersions, type Version } from "./versions.ts";

/** The alerting service, as it is reached under the page's own origin. */

const answerWithinMs = 10_000;

export interface Refusal extends ServerError {
  faults: readonly Fault[];
}

export type Outcome<T> = { ok: true; value: T } | { ok: false; error: Refusal };

export interface AlertsApi {
  /** Whether the key may write. */
  access: () => Promise<Outcome<boolean>>;
  alerts: (query: string) => Promise<Outcome<{ alerts: Alert[]; next: string | null }>>;
  acknowledge: (id: string, by: string, comment: string) => Promise<Outcome<Alert | undefined>>;
  takeBack: (id: string) => Promise<Outcome<Alert | undefined>>;
  rules: () => Promise<Outcome<Rule[]>>;
  /** A rule with an id is replaced, one without is made. */
  save: (id: string | null, rule: object) => Promise<Outcome<unknown>>;
  remove: (id: string) => Promise<Outcome<unknown>>;
  /** What the rule would have done over these bars. */
  rehearse: (asked: object) => Promise<Outcome<Rehearsal>>;
  /** The kinds of rules, and what each takes. */
  kinds: () => Promise<Outcome<Kinds>>;
  /** An alert with its past, and what was decided about it. */
  story: (id: string) => Promise<Outcome<Story | undefined>>;
  /** Of a rule, newest first, also of one that was deleted. */
  versions: (rule: string) => Promise<Outcome<Version[]>>;
  restore: (rule: string, version: number) => Promise<Outcome<unknown>>;
  /** Those that aren't over. */
  silences: () => Promise<Outcome<Silence[]>>;
  silence: (silence: object) => Promise<Outcome<unknown>>;
  endSilence: (id: string) => Promise<Outcome<unknown>>;
}

const codes: Readonly<Record<number, string>> = {
  401: "unauthorized",
  403: "forbidden",
  404: "unavailable",
  413: "too_large",
  429: "rate_limited",
};

/** @param apiKey what the server was shown to be let in */
export function alertsApi(apiKey: () => string | null): AlertsApi {
  const ask = async <T>(
    method: string,
    path: string,
    read: (body: unknown) => T,
    content?: object,
  ): Promise<Outcome<T>> => {
    const key = apiKey();
    const headers = {
      ...(key === null ? {} : { "X-API-Key": key }),
      ...(content === undefined ? {} : { "Content-Type": "application/json" }),
    };
    try {
      const answer = await fetch(`/api/v1/${path}`, {
        method,
        headers,
        cache: "no-store",
        signal: AbortSignal.timeout(answerWithinMs),
        ...(content === undefined ? {} : { body: JSON.stringify(content) }),
      });
      const text = await answer.text();
      const body: unknown = text === "" ? null : JSON.parse(text);
      if (answer.ok) return { ok: true, value: read(body) };
      const { message, faults } = readFaults(body);
      return { ok: false, error: { code: codes[answer.status] ?? "problem", message, faults } };
    } catch {
      return { ok: false, error: { code: "timeout", message: "", faults: [] } };
    }
  };
  const change: typeof ask = async (...asked) => {
    const outcome = await ask(...asked);
    if (outcome.ok || outcome.error.code !== "forbidden") return outcome;
    return { ok: false, error: { ...outcome.error, code: "read_only" } };
  };
  const asIs = (body: unknown): unknown => body;
  const one = (what: string, id: string): string => `${what}/${encodeURIComponent(id)}`;
  const alert = (id: string): string => `${one("alerts", id)}/acknowledgement`;
  return {
    access: () => ask("GET", "access", readAccess),
    alerts: (query) => ask("GET", `alerts?${query}`, readPage),
    acknowledge: (id, by, comment) => change("PUT", alert(id), readAlert, { by, comment }),
    takeBack: (id) => change("DELETE", alert(id), readAlert),
    rules: () => ask("GET", "rules", readRules),
    save: (id, rule) =>
      id === null
        ? change("POST", "rules", asIs, rule)
        : change("PUT", one("rules", id), asIs, rule),
    remove: (id) => change("DELETE", one("rules", id), asIs),
    rehearse: (asked) => ask("POST", "rules/test", readRehearsal, asked),
    kinds: () => ask("GET", "rules/schema", readKinds),
    story: (id) => ask("GET", one("alerts", id), readStory),
    versions: (rule) => ask("GET", `${one("rules", rule)}/versions`, readVersions),
    restore: (rule, version) =>
      change("POST", `${one("rules", rule)}/versions/${version}/restore`, asIs),
    silences: () => ask("GET", "silences", readSilences),
    silence: (silence) => change("POST", "silences", asIs, silence),
    endSilence: (id) => change("DELETE", one("silences", id), asIs),
  };
}
