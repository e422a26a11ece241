import { describe, expect, it } from "vitest";

import { askAfterMs, type Beat, giveUpAfterMs, Pulse, sleptAfterMs } from "./pulse.ts";

const step = 250;

/** What is to be done at each beat from `from` until before `to`, "fine" left out. */
function beats(pulse: Pulse, from: number, to: number, connected = true): [number, Beat][] {
  const found: [number, Beat][] = [];
  for (let at = from; at < to; at += step) {
    const { what } = pulse.beat(at, connected);
    if (what !== "fine") found.push([at, what]);
  }
  return found;
}

describe("the pulse", () => {
  it("asks nothing of a server that is heard", () => {
    const pulse = new Pulse();
    for (let at = 0; at < 30_000; at += 1_000) {
      pulse.heard(at);
      expect(beats(pulse, at, at + 1_000)).toEqual([]);
    }
  });

  it("asks a silent server for a sign of life, well before it is stale", () => {
    const pulse = new Pulse();
    pulse.heard(0);
    expect(beats(pulse, 0, 3_500)).toEqual([
      [askAfterMs, "ask"],
      [2 * askAfterMs, "ask"],
    ]);
    pulse.heard(3_500);
    expect(beats(pulse, 3_500, 5_000)).toEqual([]);
  });

  it("gives a server up that answers nothing", () => {
    const pulse = new Pulse();
    pulse.heard(0);
    const given = beats(pulse, 0, giveUpAfterMs + 2_000).filter(([, what]) => what === "giveUp");
    expect(given[0]?.[0]).toBe(giveUpAfterMs);
  });

  it("asks nothing while there is no connection", () => {
    expect(beats(new Pulse(), 0, 60_000, false)).toEqual([]);
  });

  it("notices its own sleep, and doesn't take it for the server's silence", () => {
    const pulse = new Pulse();
    pulse.heard(0);
    beats(pulse, 0, 1_000);
    const woken = 750 + 60_000;
    expect(pulse.beat(woken, true)).toEqual({ what: "slept", late: 60_000 });
    expect(pulse.beat(woken + step, true).what).toBe("ask");
    pulse.heard(woken + 300);
    expect(beats(pulse, woken + 2 * step, woken + 1_500)).toEqual([]);
    expect(sleptAfterMs).toBeLessThan(giveUpAfterMs);
  });
});
