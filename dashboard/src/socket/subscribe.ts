import { backoff } from "./backoff.ts";
import type { Connection } from "./connection.ts";
import { type Answer, readSubscribed, type Subscribed, type SubscribeRequest } from "./protocol.ts";

/** What passes by itself: a bridge that is still reading its topics, too many requests at once, a lost answer. */
const passing: readonly string[] = ["internal", "rate_limited", "timeout"];
const tries = 6;

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Subscribes, again after a while when the server could not just now, and for less history when that was too much.
 *
 * @param wanted whether the subscription is still of use; false ends the trying
 */
export async function subscribe(
  connection: Connection,
  request: SubscribeRequest,
  wanted: () => boolean,
): Promise<Answer<Subscribed>> {
  for (let attempt = 0; ;) {
    const answer = await connection.request("subscribe", request, readSubscribed);
    if (answer.ok || !wanted()) return answer;
    const { code } = answer.error;
    const history = request.history ?? 0;
    if (code === "too_large" && history > 0)
      request = { ...request, history: Math.floor(history / 4) };
    else if (passing.includes(code) && attempt < tries) await wait(backoff(attempt++, 1));
    else return answer;
    if (!wanted()) return answer;
  }
}
