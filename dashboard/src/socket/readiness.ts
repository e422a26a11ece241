import { readReasons } from "./protocol.ts";

const answerWithinMs = 3_000;

/**
 * The parts of the server that can't do their work now; undefined when there is no telling.
 *
 * @param url where the bridge is; the page's own origin when left out
 */
export async function askReadiness(url = ""): Promise<string[] | undefined> {
  try {
    const answer = await fetch(`${url}/readyz`, {
      cache: "no-store",
      signal: AbortSignal.timeout(answerWithinMs),
    });
    if (answer.ok) return [];
    return answer.status === 503 ? readReasons(await answer.json()) : undefined;
  } catch {
    return undefined;
  }
}
