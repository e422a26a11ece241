import type { ChartColours } from "../adapter.ts";
import type { Picture } from "../picture.ts";
import type { AxisTick } from "../time-axis.ts";

/** What the plugins and axes need to know of what is drawn; the adapter keeps it up to date. */
export interface Scene {
  picture: Picture;
  colours: ChartColours;
  /** How many places are free before the first point. */
  shift: number;
  /** The ticks of the time axis, by their places. */
  ticks: readonly AxisTick[];
  /** Where the pointer is, pixels; `y` is null where only a point is marked. */
  pointer: { x: number; y: number | null } | null;
}
