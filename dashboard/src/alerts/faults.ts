import type { Fault } from "./records.ts";

/** Where something in an expression isn't as it should be. */
export interface Place {
  line: number;
  column: number;
  reason: string;
  /** The line before the place, the place, and the rest of the line. */
  parts: readonly [string, string, string];
  /** The same as offsets in the expression. */
  start: number;
  end: number;
}

const located = /^line (\d+), column (\d+): ([^\n]*)\n([^\n]*)\n[ \t]*(\^+)\s*$/;

/** The place that the service's words on an expression name; null where they name none. */
export function placeOf(detail: string, written: string): Place | null {
  const found = located.exec(detail);
  if (found === null) return null;
  const [, line = "", column = "", reason = "", excerpt = "", mark = ""] = found;
  const from = Number(column) - 1;
  const to = from + mark.length;
  const above = written.split("\n").slice(0, Number(line) - 1);
  const start = above.reduce((sum, one) => sum + one.length + 1, 0) + from;
  return {
    line: Number(line),
    column: Number(column),
    reason,
    parts: [excerpt.slice(0, from), excerpt.slice(from, to), excerpt.slice(to)],
    start: Math.min(start, written.length),
    end: Math.min(start + mark.length, written.length),
  };
}

/** The names of the fields that a fault may be about, the nearest first.
 *
 * What several fields have to do with one another is said of their group, by a sentence that begins with one of them.
 */
export function fieldsAt({ pointer, detail }: Fault): readonly string[] {
  const parts = pointer.split("/").filter((part) => part !== "" && part !== "rule");
  const [first = "", second = ""] = parts;
  const [subject = ""] = detail.split(" ");
  if (first !== "parameters" && first !== "schedule") return [first === "" ? subject : first];
  return [`${first}.${second === "" ? subject : second}`, first];
}
