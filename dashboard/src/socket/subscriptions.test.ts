import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Connection } from "./connection.ts";
import { type Answer, readAnswer, readSubscribed, type ServerError } from "./protocol.ts";
import type { Subscribed, SubscribeRequest } from "./protocol.ts";
import { type CatchUp, Subscriptions } from "./subscriptions.ts";

interface Asked {
  event: string;
  payload: Record<string, unknown>;
  answer: (fields: object) => void;
}

/** A server in which the test answers by hand. */
class Bench {
  asked: Asked[] = [];
  connected = true;
  caughtUp: CatchUp[] = [];
  begun: string[] = [];
  failed: ServerError[] = [];
  private ids = 0;
  readonly subscriptions = new Subscriptions(
    {
      isConnected: () => this.connected,
      ask: (
        event: string,
        payload: Record<string, unknown>,
        _read: unknown,
        take: (answer: Answer<Subscribed>) => void,
      ) => {
        const answer = (fields: object): void => {
          take(readAnswer(fields, readSubscribed));
        };
        this.asked.push({ event, payload, answer });
      },
    } as unknown as Connection,
    (catchUp) => this.caughtUp.push({ ...catchUp }),
  );

  follow(request: SubscribeRequest) {
    return this.subscriptions.follow({
      request,
      begin: () => this.begun.push(request.channel),
      failed: (error) => this.failed.push(error),
    });
  }

  /** What was asked since the last look. */
  take(): Asked[] {
    return this.asked.splice(0);
  }

  accept(asked: Asked | undefined, resume: string, recovered = false): string {
    const subscription = `s${++this.ids}`;
    asked?.answer({ ok: true, subscription, snapshot: [], recovered, resume });
    return subscription;
  }

  /** All of what was asked, as recovered or not. */
  acceptAll(recovered: boolean): void {
    for (const asked of this.take()) this.accept(asked, "t", recovered);
  }

  reconnect(): void {
    this.subscriptions.connected();
  }
}

const ticks: SubscribeRequest = { channel: "ticks", symbols: ["*"] };
const minutes: SubscribeRequest = { channel: "bars", symbols: ["*"], interval: "1m" };
const days: SubscribeRequest = { channel: "bars", symbols: ["*"], interval: "1d" };
const chart: SubscribeRequest = { channel: "bars", symbols: ["SPY"], interval: "1m", mode: "all" };
const refused = (code: string): object => ({ ok: false, error: { code, message: "" } });
const resumes = (asked: Asked[]): unknown[] => asked.map(({ payload }) => payload.resume);

describe("subscriptions that outlive their connections", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("come back with the newest token: of the acknowledgement, then of each frame of the channel", () => {
    const bench = new Bench();
    for (const request of [ticks, minutes, chart]) bench.follow(request);
    const asked = bench.take();
    expect(resumes(asked)).toEqual([undefined, undefined, undefined]);
    bench.accept(asked[0], "t1");
    bench.accept(asked[1], "b1");
    bench.subscriptions.heard("bars", "b2");
    bench.accept(asked[2], "b3");
    bench.reconnect();
    expect(resumes(bench.take())).toEqual(["t1", "b2", "b3"]);
    expect(bench.begun).toEqual(["ticks", "bars", "bars"]);
  });

  it("take no token of a frame that doesn't speak for them yet", () => {
    const bench = new Bench();
    bench.follow(minutes);
    bench.accept(bench.take()[0], "b1");
    bench.reconnect();
    bench.subscriptions.heard("bars", "of another connection's subscription");
    bench.reconnect();
    expect(resumes(bench.take())).toEqual(["b1", "b1"]);
  });

  it("ask for everything at once, in the order of the first time", () => {
    const bench = new Bench();
    for (const request of [minutes, days, chart]) bench.follow(request);
    bench.acceptAll(false);
    bench.reconnect();
    const asked = bench.take().map(({ payload: { interval, symbols } }) => [interval, symbols]);
    expect(asked).toEqual([
      ["1m", ["*"]],
      ["1d", ["*"]],
      ["1m", ["SPY"]],
    ]);
  });

  it("tell when nothing is waited for any more, and what had to begin anew", () => {
    const bench = new Bench();
    for (const request of [ticks, minutes]) bench.follow(request);
    bench.acceptAll(false);
    bench.reconnect();
    const [one, other] = bench.take();
    bench.accept(one, "t2", true);
    expect(bench.caughtUp).toEqual([]);
    bench.accept(other, "b2", false);
    expect(bench.caughtUp).toEqual([{ resumed: 1, anew: 1 }]);
    expect(bench.begun).toEqual(["ticks", "bars", "bars"]);
  });

  it("begin with a snapshot after another holder's", () => {
    const bench = new Bench();
    bench.follow(ticks);
    bench.acceptAll(false);
    bench.subscriptions.forget();
    bench.reconnect();
    expect(resumes(bench.take())).toEqual([undefined]);
  });

  it("try again after a while what passes by itself, for as long as it takes", () => {
    const bench = new Bench();
    bench.follow(ticks);
    for (const code of Array.from({ length: 20 }, () => "internal")) {
      bench.take()[0]?.answer(refused(code));
      expect(bench.take()).toEqual([]);
      vi.advanceTimersByTime(10_000);
    }
    bench.accept(bench.take()[0], "t1");
    expect(bench.begun).toEqual(["ticks"]);
    expect(bench.failed).toEqual([]);
  });

  it("say what the server won't give, and wait for it no longer", () => {
    const bench = new Bench();
    bench.follow(ticks);
    bench.reconnect();
    const [, again] = bench.take();
    again?.answer(refused("forbidden"));
    expect(bench.failed).toMatchObject([{ code: "forbidden" }]);
    expect(bench.caughtUp).toHaveLength(1);
  });

  it("ask for less history when that was too much", () => {
    const bench = new Bench();
    bench.follow({ ...chart, history: 1_000 });
    bench.take()[0]?.answer(refused("too_large"));
    expect(bench.take()[0]?.payload.history).toBe(250);
  });

  it("that name symbols are asked for again when one to everything has come after them", () => {
    const bench = new Bench();
    bench.follow(minutes);
    bench.follow(chart);
    const [wide, narrow] = bench.take();
    wide?.answer(refused("internal"));
    bench.accept(narrow, "b1");
    vi.advanceTimersByTime(1_000);
    bench.accept(bench.take()[0], "b2");
    const again = bench.take();
    expect(again.map(({ payload }) => payload.symbols)).toEqual([["SPY"]]);
    expect(resumes(again)).toEqual(["b1"]);
  });

  it("that are given up before their answer are ended when it comes", () => {
    const bench = new Bench();
    const { end } = bench.follow(chart);
    const [asked] = bench.take();
    end();
    const id = bench.accept(asked, "b1");
    expect(bench.take()).toMatchObject([{ event: "unsubscribe", payload: { subscription: id } }]);
    expect(bench.begun).toEqual([]);
  });

  it("begin anew when they are told to", () => {
    const bench = new Bench();
    const { restart } = bench.follow(chart);
    bench.acceptAll(false);
    restart();
    expect(resumes(bench.take())).toEqual([undefined]);
  });
});
