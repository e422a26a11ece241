import type { Entry } from "./reducer.ts";

/** A field as RFC 4180 has it; a text that a spreadsheet would take for a formula has an apostrophe before it. */
function field(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The entries as CSV with a header, times in ISO 8601, UTC. */
export function csvOf(entries: readonly Entry[]): string {
  const rows = entries.map(({ time, kind, symbol, text }) => [
    new Date(time).toISOString(),
    kind,
    symbol ?? "",
    text,
  ]);
  const table = [["time", "kind", "symbol", "text"], ...rows];
  return table.map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}
