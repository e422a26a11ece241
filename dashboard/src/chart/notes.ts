import type { AlertEvent, Bar, Interval } from "../socket/records.ts";
import { formatAge } from "../ui/format.ts";

import { gapBefore } from "./marks.ts";
import { words } from "./words.ts";

/** What is out of the ordinary about a bar, in words; the same that the chart tells by marks. */
export function notesOf(bar: Bar, before: Bar | undefined, interval: Interval): string[] {
  const gap = gapBefore(bar, before, interval);
  const session = bar.session === "pre" || bar.session === "post" ? bar.session : undefined;
  return [
    bar.state === "partial" ? words.forming : "",
    words.activities[bar.activity],
    bar.revision > 0 ? words.revised(bar.revision) : "",
    gap > 0 ? words.gap(formatAge(gap)) : "",
    session !== undefined && interval !== "1d" ? words.regions[session] : "",
  ].filter((note) => note !== "");
}

export function alertNote({ state, summary, rule_id }: AlertEvent): string {
  return words.alert(words.alertStates[state], summary || rule_id);
}
