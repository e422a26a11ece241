/** Which part of a series is shown. `behind` is how many bars the right edge lies before the newest: 0 follows it. */
export interface Viewport {
  bars: number;
  behind: number;
}

const fewest = 15;
const comfortableBarWidth = 7;

/** The view to begin with in a chart `width` pixels wide: the newest bars, none of them cramped. */
export function homeView(width: number): Viewport {
  const bars = Math.round(width / comfortableBarWidth);
  return { bars: Math.min(180, Math.max(40, bars)), behind: 0 };
}

/** `factor` below 1 shows fewer bars; `anchor`, 0 (left) to 1 (right), is the place that stays where it is. */
export function zoom(view: Viewport, factor: number, anchor: number, available: number): Viewport {
  const most = Math.max(fewest, available);
  const bars = Math.min(most, Math.max(fewest, Math.round(view.bars * factor)));
  const behind = view.behind + (1 - anchor) * (view.bars - bars);
  return clamp({ bars, behind: Math.round(behind) }, available);
}

/** All there is. */
export function wholeView(available: number): Viewport {
  return { bars: Math.max(fewest, available), behind: 0 };
}

/** Moves the view `bars` into the past, or towards now when negative. */
export function pan(view: Viewport, bars: number, available: number): Viewport {
  return clamp({ ...view, behind: view.behind + bars }, available);
}

/** A view of the past keeps its place while `added` bars arrive; one at the newest bar follows it. */
export function grow(view: Viewport, added: number, available: number): Viewport {
  return view.behind === 0 ? view : clamp({ ...view, behind: view.behind + added }, available);
}

/** The half-open range of indices shown of a series of `available` bars. */
export function visibleRange(view: Viewport, available: number): { from: number; to: number } {
  const to = Math.max(0, available - view.behind);
  return { from: Math.max(0, to - view.bars), to };
}

function clamp(view: Viewport, available: number): Viewport {
  const furthest = Math.max(0, available - Math.min(view.bars, available));
  return { bars: view.bars, behind: Math.min(furthest, Math.max(0, view.behind)) };
}
