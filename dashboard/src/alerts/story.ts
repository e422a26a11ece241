import { fieldsOf, itemsOf, momentOf, numberOf, textOf } from "./json.ts";
import { type Alert, readAlert } from "./records.ts";

/** What was decided about an alert for someone: whether they are told, and why. */
export interface Decision {
  /** Nobody in particular when empty. */
  receiver: string;
  outcome: string;
  reason: string;
  at_ms: number;
  /** What became of the notification: waiting, sent or dead; empty where there is none. */
  status: string;
  attempts: number;
  lastError: string;
}

/** A change of an alert's state, and what was decided about it. */
export interface Chapter {
  revision: number;
  state: string;
  summary: string;
  reason: string;
  at_ms: number;
  decisions: readonly Decision[];
}

/** All that is known of an alert. */
export interface Story {
  alert: Alert;
  /** Of the rule, as the alert was made by it; 0 when it isn't known. */
  version: number;
  chapters: readonly Chapter[];
}

/** The decisions of a chapter that goes on for long are many; the newest say how it stands. */
const shownDecisions = 50;

function decisionOf(one: ReturnType<typeof fieldsOf>): Decision {
  const sent = fieldsOf(one.notification);
  return {
    receiver: textOf(one.receiver),
    outcome: textOf(one.outcome),
    reason: textOf(one.reason),
    at_ms: momentOf(one.decided_at),
    status: textOf(sent.status),
    attempts: numberOf(sent.attempts),
    lastError: textOf(sent.last_error),
  };
}

export function readStory(value: unknown): Story | undefined {
  const alert = readAlert(value);
  if (alert === undefined) return undefined;
  const { rule_version, transitions, decisions } = fieldsOf(value);
  const all = itemsOf(decisions);
  const chapters = itemsOf(transitions).map((one) => {
    const revision = numberOf(one.revision);
    const own = all.filter((each) => each.revision === one.revision).slice(-shownDecisions);
    return {
      revision,
      state: textOf(one.state),
      summary: textOf(one.summary),
      reason: textOf(one.reason),
      at_ms: numberOf(one.ts_event_ms),
      decisions: own.map(decisionOf),
    };
  });
  return { alert, version: numberOf(rule_version), chapters };
}
