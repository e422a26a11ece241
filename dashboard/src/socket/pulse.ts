/** Without a sign of life for so long, the server is asked for one. */
export const askAfterMs = 1_500;
/** A server that owes an answer for so long is given up, and another connection made. */
export const giveUpAfterMs = 15_000;
/** A beat this late says that the page stood still: the machine slept, or the browser froze the page. */
export const sleptAfterMs = 3_000;

export type Beat = "fine" | "ask" | "giveUp" | "slept";

/** Watches that the server, and the page itself, are alive. Times in ms, of any clock that goes on in sleep. */
export class Pulse {
  private heardAt = Number.NEGATIVE_INFINITY;
  private askedAt = Number.NEGATIVE_INFINITY;
  private beatAt: number | undefined;

  /** The server gave a sign of life. */
  heard(at: number): void {
    this.heardAt = at;
  }

  /** What is to be done now; to be called several times a second. */
  beat(at: number, connected: boolean): { what: Beat; late: number } {
    const late = at - (this.beatAt ?? at);
    this.beatAt = at;
    if (late >= sleptAfterMs) return { what: "slept", late };
    return { what: connected ? this.judge(at) : "fine", late };
  }

  private judge(at: number): Beat {
    const silence = at - this.heardAt;
    // After a sleep the silence was ours: only one that lasts through a question counts.
    if (silence >= giveUpAfterMs && this.askedAt > this.heardAt && at - this.askedAt >= askAfterMs)
      return "giveUp";
    if (silence < askAfterMs || at - this.askedAt < askAfterMs) return "fine";
    this.askedAt = at;
    return "ask";
  }
}
