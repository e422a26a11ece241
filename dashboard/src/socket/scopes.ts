import type { DataAction } from "../store/actions.ts";

import { readFigures } from "./records.ts";
import { type Following, settleMs, type Subscriptions } from "./subscriptions.ts";

/** In a recording that is played sixty times as fast, a minute takes a second. */
const mostFramesHz = 2;

/** The subscriptions to figures: of what is looked at, and nothing else. */
export class Scopes {
  private readonly standing = new Map<string, Following>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly subscriptions: Subscriptions,
    private readonly dispatch: (action: DataAction) => void,
  ) {}

  /** Reads these lists of scopes, each in a subscription of its own; those that were read before go on. */
  follow(lists: readonly (readonly string[])[]): void {
    const wanted = new Map(
      lists.filter(({ length }) => length > 0).map((list) => [list.join("\n"), list]),
    );
    for (const [key, following] of this.standing) {
      if (wanted.has(key)) continue;
      following.end();
      this.standing.delete(key);
    }
    this.dispatch({ type: "analyticsFollowed", scopes: lists.flat() });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      for (const [key, scopes] of wanted)
        if (!this.standing.has(key)) this.standing.set(key, this.begin(scopes));
    }, settleMs);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private begin(scopes: readonly string[]): Following {
    const { dispatch } = this;
    return this.subscriptions.follow({
      request: { channel: "analytics", symbols: scopes, maxHz: mostFramesHz },
      begin: ({ rejected, snapshot }) => {
        const [error] = rejected;
        if (error !== undefined && rejected.length === scopes.length)
          dispatch({ type: "analyticsFailed", scopes, error });
        else dispatch({ type: "analyticsLoaded", scopes, records: readFigures(snapshot) });
      },
      failed: (error) => {
        dispatch({ type: "analyticsFailed", scopes, error });
      },
    });
  }
}
