import { readReports, type Reports } from "../system/figures.ts";

import { type Answer, readError } from "./protocol.ts";

const answerWithinMs = 8_000;

/** What the services say of themselves. */
export async function askReports(url: string, apiKey: string | null): Promise<Answer<Reports>> {
  try {
    const answer = await fetch(`${url}/api/v1/system`, {
      cache: "no-store",
      headers: apiKey === null ? {} : { "X-API-Key": apiKey },
      signal: AbortSignal.timeout(answerWithinMs),
    });
    const body: unknown = await answer.json();
    return answer.ok
      ? { ok: true, value: readReports(body) }
      : { ok: false, error: readError(body) };
  } catch {
    return { ok: false, error: { code: "timeout", message: "" } };
  }
}
