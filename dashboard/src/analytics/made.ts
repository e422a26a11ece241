/** Figures and what the tests ask of them. */

import type { Figure } from "../socket/records.ts";
import type { Action } from "../store/actions.ts";

import type { Card, Source } from "./card.ts";
import { type Analytics, analyticsReducer, emptyAnalytics } from "./reducer.ts";

export const minute = Date.UTC(2013, 9, 8, 14, 42);
export const minutes = (count: number): number => count * 60_000;

export const figure = (
  name: string,
  window: string,
  values: Record<string, number> = {},
  fields: Partial<Figure> = {},
): Figure => ({ scope: "market", name, window, values, ts_event_ms: minute, ...fields });

export const followed = (...scopes: string[]): Action => ({ type: "analyticsFollowed", scopes });
export const loaded = (scope: string, ...records: Figure[]): Action => ({
  type: "analyticsLoaded",
  scopes: [scope],
  records,
});
export const came = (...records: Figure[]): Action => ({ type: "analytics", at: 0, records });
export const after = (...actions: Action[]): Analytics =>
  actions.reduce(analyticsReducer, emptyAnalytics);
export const source = (...figures: Figure[]): Source => ({
  figures: Object.fromEntries(figures.map((one) => [`${one.name} ${one.window}`, one])),
  newest: minute,
  zone: "America/New_York",
});
export const named = (cards: readonly Card[], name: string): Card => {
  const found = cards.find((card) => card.name === name);
  if (found === undefined) throw new Error(`no card ${name}`);
  return found;
};
export const texts = (card: Card): Record<string, string[]> =>
  Object.fromEntries(
    card.tables.flatMap(({ rows }) =>
      rows.map(({ name, cells }) => [name, cells.map(({ text }) => text)]),
    ),
  );
export const said = (card: Card): string => card.sentences.map(({ text }) => text).join(" ");
