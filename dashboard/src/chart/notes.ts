import type { AlertEvent } from "../socket/records.ts";
import { formatAge } from "../ui/format.ts";

import type { Picture } from "./picture.ts";
import { words } from "./words.ts";

/** What is out of the ordinary about a point, in words; the same that the chart tells by marks. */
export function notesOf(picture: Picture, index: number): string[] {
  const point = picture.points[index];
  if (point === undefined) return [];
  const { bar, count } = point;
  const gap = picture.gaps.find((one) => one.index === index)?.ms ?? 0;
  const events = picture.alerts.find((one) => one.index === index)?.events ?? [];
  const session = bar.session === "pre" || bar.session === "post" ? bar.session : undefined;
  return [
    count > 1 ? words.severalBars(count) : "",
    bar.state === "partial" ? words.forming : "",
    words.activities[bar.activity],
    bar.revision > 0 ? words.revised(bar.revision) : "",
    gap > 0 ? words.gap(formatAge(gap)) : "",
    session !== undefined && picture.interval !== "1d" ? words.regions[session] : "",
    ...events.map(alertNote),
  ].filter((note) => note !== "");
}

function alertNote({ state, summary, rule_id }: AlertEvent): string {
  return words.alert(words.alertStates[state], summary || rule_id);
}
