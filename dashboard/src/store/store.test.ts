import { describe, expect, it } from "vitest";

import { createStore, oncePerFrame } from "./store.ts";

const counter = (state: number, step: number): number => state + step;

describe("the store", () => {
  it("tells its listeners of each change", () => {
    const store = createStore(counter, 0);
    const seen: number[] = [];
    store.subscribe((state) => seen.push(state));
    store.dispatch(2);
    store.dispatch(3);
    expect(seen).toEqual([2, 5]);
  });

  it("stays silent when nothing changed", () => {
    const store = createStore(counter, 7);
    const seen: number[] = [];
    store.subscribe((state) => seen.push(state));
    store.dispatch(0);
    expect(seen).toEqual([]);
  });

  it("forgets a listener that has gone", () => {
    const store = createStore(counter, 0);
    const seen: number[] = [];
    const stop = store.subscribe((state) => seen.push(state));
    stop();
    store.dispatch(1);
    expect(seen).toEqual([]);
  });
});

describe("painting", () => {
  it("happens once a frame however many changes ask for it", () => {
    const frames: (() => void)[] = [];
    let painted = 0;
    const { ask } = oncePerFrame(
      () => {
        painted += 1;
        return false;
      },
      (callback) => frames.push(callback),
    );
    ask();
    ask();
    frames.shift()?.();
    ask();
    expect(painted).toBe(1);
    expect(frames).toHaveLength(1);
  });

  it("goes on while there is more to paint", () => {
    const frames: (() => void)[] = [];
    let left = 3;
    const { ask } = oncePerFrame(
      () => (left -= 1) > 0,
      (callback) => frames.push(callback),
    );
    ask();
    for (let frame = frames.shift(); frame !== undefined; frame = frames.shift()) frame();
    expect(left).toBe(0);
  });

  it("is overdue while no frame comes, and can be forced", () => {
    let time = 100;
    let painted = 0;
    const painter = oncePerFrame(
      () => {
        painted += 1;
        return false;
      },
      () => 0,
      () => time,
    );
    expect(painter.overdue()).toBe(0);
    painter.ask();
    time = 2_600;
    painter.ask();
    expect(painter.overdue()).toBe(2_500);
    painter.force();
    expect(painter.overdue()).toBe(0);
    expect(painted).toBe(1);
  });
});
