const answerWithinMs = 8_000;

/** The names of the groups that have figures; undefined when there is no telling. */
export async function askGroups(
  url: string,
  apiKey: string | null,
): Promise<readonly string[] | undefined> {
  try {
    const answer = await fetch(`${url}/api/v1/groups`, {
      cache: "no-store",
      headers: apiKey === null ? {} : { "X-API-Key": apiKey },
      signal: AbortSignal.timeout(answerWithinMs),
    });
    if (!answer.ok) return undefined;
    const { groups } = (await answer.json()) as Record<string, unknown>;
    return Array.isArray(groups) ? groups.filter((name) => typeof name === "string") : undefined;
  } catch {
    return undefined;
  }
}
