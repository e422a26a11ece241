import { backoff } from "./backoff.ts";
import type { Connection } from "./connection.ts";
import { type Answer, readSubscribed, type ServerError } from "./protocol.ts";
import type { Subscribed, SubscribeRequest } from "./protocol.ts";

/** What passes by itself: a bridge that is still reading its topics, too many requests at once, a lost answer. */
const passing: readonly string[] = [
  "internal",
  "rate_limited",
  "shutting_down",
  "timeout",
  "unknown_subscription",
];
/** Holding an arrow key passes many symbols; only the one it stops at is asked for. */
export const settleMs = 120;
/** The server takes up to fifteen seconds to read what was missed. */
const answerWithinMs = 20_000;

/** What is to be read, on whatever connection. */
export interface Wish {
  request: SubscribeRequest;
  /** Takes the snapshot of a subscription that begins, or begins anew. */
  begin: (answer: Subscribed) => void;
  /** Called when the server won't have it. */
  failed: (error: ServerError) => void;
}

/** How one connection's subscriptions went on from those of the connection before. */
export interface CatchUp {
  resumed: number;
  /** Those that had to begin anew though they knew where they were. */
  anew: number;
}

/** A subscription that stands until it is ended. */
export interface Following {
  /** Begins anew, with a snapshot. */
  restart: () => void;
  end: () => void;
}

interface Standing {
  wish: Wish;
  /** The newest token that speaks for it: of its acknowledgement, then of each frame of its channel. */
  token: string | undefined;
  /** Its id on this connection, once that is known. */
  id: string | undefined;
  /** Tells the answer that is waited for from those of requests given up. */
  asked: number;
  retry: ReturnType<typeof setTimeout> | undefined;
  settled: boolean;
}

/**
 * Subscriptions that outlive their connections: each goes on where it was, as docs/socket.md wants it ("Coming
 * back"), so that nothing is missed and nothing comes twice.
 *
 * @param onCaughtUp called each time that nothing is waited for any more
 */
export class Subscriptions {
  private standing: Standing[] = [];
  private catchUp: CatchUp = { resumed: 0, anew: 0 };
  private asks = 0;
  private behind = false;

  constructor(
    private readonly connection: Connection,
    private readonly onCaughtUp: (catchUp: CatchUp) => void,
  ) {}

  /** Reads what `wish` says from now on. */
  follow(wish: Wish): Following {
    const one: Standing = {
      wish,
      token: undefined,
      id: undefined,
      asked: 0,
      retry: undefined,
      settled: false,
    };
    this.standing.push(one);
    if (this.connection.isConnected()) this.ask(one);
    return {
      restart: () => {
        one.token = undefined;
        if (this.connection.isConnected()) this.ask(one);
      },
      end: () => {
        this.drop(one);
      },
    };
  }

  /** A new connection: everything is asked for at once, so that overlapping lists find their places. */
  connected(): void {
    this.catchUp = { resumed: 0, anew: 0 };
    this.behind = true;
    for (const one of this.standing) one.settled = false;
    for (const one of this.standing) this.ask(one);
    this.settle();
  }

  /** Begins everything anew with the next connection: what was read until now was another holder's. */
  forget(): void {
    for (const one of this.standing) one.token = undefined;
  }

  /** A frame of a channel came, with the token of where that brought us. */
  heard(channel: string, token: string | undefined): void {
    if (token === undefined) return;
    for (const one of this.standing)
      if (one.id !== undefined && one.wish.request.channel === channel) one.token = token;
  }

  stop(): void {
    for (const one of this.standing) clearTimeout(one.retry);
    this.standing = [];
  }

  private drop(one: Standing): void {
    clearTimeout(one.retry);
    one.asked = 0;
    this.standing = this.standing.filter((other) => other !== one);
    if (one.id !== undefined) this.leave(one.id);
    this.settle();
  }

  private leave(subscription: string): void {
    this.connection.ask("unsubscribe", { subscription }, Boolean, () => undefined);
  }

  private ask(one: Standing, attempt = 0): void {
    clearTimeout(one.retry);
    const asked = (one.asked = ++this.asks);
    // Until it is answered, the frames that come don't speak for it.
    one.id = undefined;
    const { token } = one;
    const request = { ...one.wish.request, ...(token === undefined ? {} : { resume: token }) };
    const take = (answer: Answer<Subscribed>): void => {
      if (one.asked === asked) this.answered(one, token, attempt, answer);
      else if (answer.ok && one.asked === 0) this.leave(answer.value.subscription);
    };
    this.connection.ask("subscribe", request, readSubscribed, take, answerWithinMs);
  }

  private answered(
    one: Standing,
    token: string | undefined,
    attempt: number,
    answer: Answer<Subscribed>,
  ): void {
    if (!answer.ok) {
      this.refused(one, attempt, answer.error);
      return;
    }
    const { subscription, recovered, resume } = answer.value;
    one.id = subscription;
    one.token = resume;
    if (recovered) this.catchUp.resumed += 1;
    else {
      this.catchUp.anew += token === undefined ? 0 : 1;
      one.wish.begin(answer.value);
    }
    one.settled = true;
    this.askAgainBeside(one);
    this.settle();
  }

  private refused(one: Standing, attempt: number, error: ServerError): void {
    // One that failed with its connection is asked for by the next.
    if (!this.connection.isConnected()) return;
    const { request } = one.wish;
    const history = request.history ?? 0;
    if (error.code === "too_large" && history > 0) {
      one.wish = { ...one.wish, request: { ...request, history: Math.floor(history / 4) } };
      this.ask(one, attempt);
    } else if (passing.includes(error.code)) {
      one.retry = setTimeout(
        () => {
          if (this.connection.isConnected()) this.ask(one, attempt + 1);
        },
        backoff(attempt, 1),
      );
    } else {
      one.settled = true;
      one.wish.failed(error);
      this.settle();
    }
  }

  /** A subscription to everything ends those that name symbols of the same stream: they go on from their tokens. */
  private askAgainBeside(one: Standing): void {
    const { channel, interval, symbols } = one.wish.request;
    if (!symbols.includes("*")) return;
    for (const other of this.standing) {
      const { request } = other.wish;
      const replaced = request.channel === channel && request.interval === interval;
      if (other !== one && replaced && other.asked < one.asked) this.ask(other);
    }
  }

  private settle(): void {
    if (!this.behind || !this.connection.isConnected()) return;
    if (!this.standing.every(({ settled }) => settled)) return;
    this.behind = false;
    this.onCaughtUp(this.catchUp);
  }
}
