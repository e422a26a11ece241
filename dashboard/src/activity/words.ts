import type { MarketEvent } from "../socket/records.ts";

const words: Readonly<Record<string, string>> = {
  session_open: "Session opened",
  session_close: "Session closed",
  halt: "Trading halted",
  resume: "Trading resumed",
  feed_up: "Feed up",
  feed_down: "Feed down",
  gap: "Gap in the feed",
};

/** A market event in plain words, its details behind it. */
export function eventWords(event: MarketEvent): string {
  const what = words[event.type] ?? event.type.replaceAll("_", " ");
  const detail = Object.entries(event.detail).map(([name, value]) => `${name} ${value}`);
  const from = event.source === null ? [] : [event.source];
  const rest = [...from, ...detail].join(", ");
  return rest === "" ? what : `${what} (${rest})`;
}
