import type { AppStore } from "../store/state.ts";

import type { ChartAdapter } from "./adapter.ts";
import type { Picture } from "./picture.ts";

const stride = 10;

/** The bar under the crosshair: where the pointer is, or where the keys have brought it. */
export class Crosshair {
  /** Start of the bar that the keys have chosen; it stays there while others arrive. */
  private held: number | null = null;
  private pointed: number | null = null;

  constructor(
    private readonly store: AppStore,
    private readonly adapter: ChartAdapter,
    private readonly picture: () => Picture | undefined,
    private readonly onMove: (byKey: boolean) => void,
  ) {}

  /** The index of its point; null: there is none. */
  get index(): number | null {
    if (this.held === null) return this.pointed;
    const index = this.picture()?.points.findIndex(({ bar }) => bar.start_ms === this.held) ?? -1;
    return index < 0 ? null : index;
  }

  /** The close of the bar that the keys have chosen; null: they have chosen none. */
  get price(): number | null {
    if (this.held === null || this.index === null) return null;
    return this.picture()?.points[this.index]?.bar.close ?? null;
  }

  /** The pointer is over a point, or has left. */
  point(index: number | null): void {
    this.held = null;
    this.pointed = index;
    this.onMove(false);
  }

  /** Something else is drawn, or the same anew. */
  redrawn(): void {
    if (this.held !== null) this.adapter.pointAt(this.index);
  }

  leave(): void {
    this.held = this.pointed = null;
    this.adapter.pointAt(null);
    this.onMove(false);
  }

  /** Does what a key stands for; false: nothing. */
  press(key: string, shift: boolean): boolean {
    const step = shift ? stride : 1;
    switch (key) {
      case "ArrowLeft":
        this.move(-step);
        return true;
      case "ArrowRight":
        this.move(step);
        return true;
      case "Home":
        this.store.dispatch({ type: "pan", bars: Number.MAX_SAFE_INTEGER });
        return true;
      case "End":
        this.store.dispatch({ type: "toNow" });
        return true;
      case "Escape":
        if (this.held === null) return false;
        this.leave();
        return true;
      default:
        return false;
    }
  }

  private move(by: number): void {
    const points = this.picture()?.points ?? [];
    const from = this.index ?? (by < 0 ? points.length : points.length - 1 - by);
    const to = from + by;
    if (points.length === 0) return;
    const within = Math.min(points.length - 1, Math.max(0, to));
    this.held = points[within]?.bar.start_ms ?? null;
    // Beyond the edge the view goes along.
    if (to !== within && this.index !== null) {
      const count = points[within]?.count ?? 1;
      this.store.dispatch({ type: "pan", bars: (within - to) * count });
    }
    this.adapter.pointAt(this.index);
    this.onMove(true);
  }
}
