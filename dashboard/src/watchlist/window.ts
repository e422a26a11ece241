/** What of a long list is in sight; lengths in px. */
export interface Sight {
  top: number;
  height: number;
  /** The height of one line, and how many items stand in it. */
  line: number;
  columns: number;
}

/** Lines beyond the edges that are there before they are scrolled to. */
const spare = 3;

/** The first item that is to be there, and the one after the last, of `count`. */
export function windowOf({ top, height, line, columns }: Sight, count: number): [number, number] {
  if (line <= 0) return [0, Math.min(count, 1)];
  const first = Math.max(0, Math.floor(top / line) - spare) * columns;
  const last = (Math.ceil((top + height) / line) + spare) * columns;
  return [Math.min(first, count), Math.min(last, count)];
}

/** Where to scroll, so that the item at `place` is in sight and as little as possible moves. */
export function scrollFor({ top, height, line, columns }: Sight, place: number): number {
  const above = Math.floor(place / columns) * line;
  if (above < top) return above;
  return Math.max(top, above + line - height);
}

/** How many columns of at least `narrowest` px fit. */
export function columnsIn(width: number, narrowest: number): number {
  return Math.max(1, Math.floor(width / narrowest));
}
