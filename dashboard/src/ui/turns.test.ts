import { describe, expect, it } from "vitest";

import { everything, nothing, type Turn, Turns } from "./turns.ts";

const places = Array.from({ length: 20 }, (_, place) => place);
const frameMs = 1000 / 60;

/** Turns that have just drawn everything, and a clock. */
function drawn(): { turns: Turns<number>; frame: (state: number, took?: number) => Turn } {
  const turns = new Turns<number>();
  turns.next(0, true, 0);
  let at = 0;
  return { turns, frame: (state, took = frameMs) => turns.next(state, false, (at += took)) };
}

describe("turns", () => {
  it("draw every part once before any of them anew", () => {
    const { turns, frame } = drawn();
    const parts: string[] = [];
    while (turns.left(1)) {
      const { chart, rest, row } = frame(1);
      parts.push(...(chart ? ["chart"] : []), ...(rest ? ["rest"] : []));
      parts.push(...places.filter(row).map(String));
    }
    expect(parts.sort()).toEqual([...places.map(String), "chart", "rest"].sort());
  });

  it("never draw the chart and rows in the same frame", () => {
    const { frame } = drawn();
    for (let state = 1; state < 20; state += 1) {
      const { chart, row } = frame(state);
      expect(places.filter(row).length).toBeLessThanOrEqual(chart ? 0 : 7);
    }
  });

  it("go on until the last of the news is drawn everywhere", () => {
    const { turns, frame } = drawn();
    frame(1);
    frame(2);
    let frames = 0;
    while (turns.left(3)) {
      frame(3);
      frames += 1;
    }
    expect(frames).toBe(7);
  });

  it("leave frames free: more where they come late, none once the machine has room", () => {
    const { frame } = drawn();
    let state = 0;
    const free = (count: number, took?: number): number =>
      Array.from({ length: count }, () => frame((state += 1), took)).filter(
        (turn) => turn === nothing,
      ).length / count;
    expect(free(120)).toBeCloseTo(1 / 2, 1);
    free(2, 40);
    expect(free(120)).toBeCloseTo(2 / 3, 1);
    free(600);
    expect(free(120)).toBe(0);
  });

  it("draw all at once what the user asked for, and news after a silence", () => {
    const { turns, frame } = drawn();
    expect(frame(1)).not.toBe(everything);
    expect(frame(1, 300)).toBe(everything);
    expect(turns.left(1)).toBe(false);
    expect(turns.next(2, true, 320)).toBe(everything);
    expect(places.every(everything.row)).toBe(true);
  });
});
