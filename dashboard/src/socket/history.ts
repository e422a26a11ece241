import { type Answer, readError } from "./protocol.ts";
import { type Bar, type IndicatorSet, type Interval, readBars, readIndicators } from "./records.ts";

const answerWithinMs = 15_000;
const pageLength = 1_000;

/** A page of the past: closed bars with their indicators, and whether there are still older ones. */
export interface HistoryPage {
  bars: Bar[];
  indicators: IndicatorSet[];
  more: boolean;
}

export interface HistoryRequest {
  symbol: string;
  interval: Interval;
  /** Only bars that start before this, ms. */
  before: number;
}

interface Part {
  records: unknown;
  more: boolean;
}

async function askPart(
  url: string,
  apiKey: string | null,
  channel: "bars" | "indicators",
  { symbol, interval, before }: HistoryRequest,
): Promise<Answer<Part>> {
  const query = new URLSearchParams({
    symbol,
    interval,
    before_ms: String(before),
    limit: String(pageLength),
  });
  try {
    const answer = await fetch(`${url}/api/v1/${channel}?${query.toString()}`, {
      cache: "no-store",
      headers: apiKey === null ? {} : { "X-API-Key": apiKey },
      signal: AbortSignal.timeout(answerWithinMs),
    });
    const body = (await answer.json()) as Record<string, unknown>;
    if (!answer.ok) return { ok: false, error: readError(body) };
    return { ok: true, value: { records: body.records, more: body.more === true } };
  } catch {
    return { ok: false, error: { code: "timeout", message: "" } };
  }
}

/** The bars before a time. Bars without their indicators are still bars. */
export async function askHistory(
  url: string,
  apiKey: string | null,
  request: HistoryRequest,
): Promise<Answer<HistoryPage>> {
  const [bars, indicators] = await Promise.all([
    askPart(url, apiKey, "bars", request),
    askPart(url, apiKey, "indicators", request),
  ]);
  if (!bars.ok) return bars;
  return {
    ok: true,
    value: {
      bars: readBars(bars.value.records),
      indicators: indicators.ok ? readIndicators(indicators.value.records) : [],
      more: bars.value.more,
    },
  };
}
