import type { ChartKind } from "../store/actions.ts";

import { defaultStudies, readStudies } from "./studies.ts";

/** How the user wants charts to look. */
export interface Setup {
  kind: ChartKind;
  studies: readonly string[];
}

/** A setup, and the other symbol of a comparison, as a link names them; null: it doesn't say. */
export interface LinkedSetup {
  kind: ChartKind | null;
  studies: readonly string[] | null;
  compare: string | null;
}

export const kinds: readonly ChartKind[] = ["candles", "bars", "line"];
const defaultSetup: Setup = { kind: "candles", studies: defaultStudies };

const kindOf = (value: unknown): ChartKind | null => kinds.find((kind) => kind === value) ?? null;

/** What is kept between visits, as text. */
export function serializeSetup({ kind, studies }: Setup): string {
  return JSON.stringify({ kind, studies });
}

/** Reads what `serializeSetup` wrote; whatever isn't as expected is left at its default. */
export function deserializeSetup(text: string | null): Setup {
  const kept = parse(text);
  const { studies } = kept;
  const names = Array.isArray(studies) ? studies.filter((name) => typeof name === "string") : null;
  return {
    kind: kindOf(kept.kind) ?? defaultSetup.kind,
    studies: names === null ? defaultSetup.studies : readStudies(names),
  };
}

function parse(text: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** What a URL's query says of the chart's look. */
export function readLink(search: string): LinkedSetup {
  const query = new URLSearchParams(search);
  const studies = query.get("studies");
  const compare = query.get("compare")?.trim().toUpperCase() ?? "";
  return {
    kind: kindOf(query.get("kind")),
    studies: studies === null ? null : readStudies(studies.split(" ")),
    compare: /^[\w.\-/:^=]{1,32}$/.test(compare) ? compare : null,
  };
}

/** `search` with the chart's look in it, whatever else it says kept. */
export function writeLink(search: string, setup: Setup & { compare: string | null }): string {
  const query = new URLSearchParams(search);
  query.set("kind", setup.kind);
  query.set("studies", setup.studies.join(" "));
  if (setup.compare === null) query.delete("compare");
  else query.set("compare", setup.compare);
  return `?${query.toString()}`;
}
