import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";

import type { Connect, Plugin } from "vite";

import { madeUpAlerting } from "./alerting.ts";
import { madeUpGroups } from "./analytics.ts";
import type { Market } from "./market.ts";
import { attachStandIn } from "./stand-in.ts";

/** Answers the socket in `vite` and `vite preview` with the stand-in bridge, and the two pages beside it. */
export function standIn(): Plugin {
  const attach = (server: { httpServer: unknown; middlewares: Connect.Server }): void => {
    if (process.env.VITEST) return;
    const { market } = attachStandIn(server.httpServer as HttpServer, {
      apiKey: process.env.STAND_IN_API_KEY,
      replayFrom: process.env.STAND_IN_REPLAY,
      symbols: madeUpSymbols(Number(process.env.STAND_IN_SYMBOLS ?? 0)),
    });
    for (const channel of ["bars", "indicators"] as const)
      server.middlewares.use(`/api/v1/${channel}`, (request, response) => {
        answer(pastOf(market, channel, request.originalUrl ?? ""))(request, response);
      });
    server.middlewares.use("/api/v1/groups", answer({ groups: madeUpGroups }));
    server.middlewares.use("/readyz", answer({ status: "ready", reasons: {} }));
    const started = Date.now();
    server.middlewares.use(madeUpAlerting(started));
    server.middlewares.use("/api/v1/system", (request, response) => {
      answer(madeUpReports(started))(request, response);
    });
  };
  return { name: "tickstream-stand-in", configureServer: attach, configurePreviewServer: attach };
}

/** So many names; those of the market when none are asked for. */
function madeUpSymbols(count: number): string[] | undefined {
  const letter = (place: number): string => String.fromCharCode(65 + (place % 26));
  const name = (place: number): string =>
    letter(place / 26 / 26) + letter(place / 26) + letter(place) + letter(place * 7);
  return count > 0 ? Array.from({ length: count }, (_, place) => name(place)) : undefined;
}

function answer(body: object): (request: IncomingMessage, response: ServerResponse) => void {
  return (_request, response) => {
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(body));
  };
}

/** The page of the past that a request asks for. */
function pastOf(market: Market, channel: "bars" | "indicators", url: string): object {
  const query = new URL(url, "http://localhost").searchParams;
  const before = Number(query.get("before_ms"));
  const past = market
    .bars(query.get("symbol") ?? "", query.get("interval") ?? "")
    .filter(({ start_ms, state }) => start_ms < before && state === "closed");
  const page = past.slice(-Number(query.get("limit")));
  const records = channel === "bars" ? page : page.map((bar) => market.indicators(bar));
  return { records, more: past.length > page.length };
}

const counters: Readonly<Record<string, string>> = {
  producer: "producer_ticks_sent_total",
  processor: "tickstream_processor_ticks_total",
  sink: "tickstream_sink_points_total",
  analytics: "analytics_records_total",
  alerting: "alerting_records_total",
  ws_bridge: "tickstream_ws_bridge_records_total",
};

/** Services that report every five seconds, but for one that has fallen silent. */
function madeUpReports(started: number): object {
  const now = Date.now();
  const services = Object.entries(counters).map(([service, counter], place) => {
    const at = service === "analytics" ? started : now - (now % 5_000);
    const seconds = (at - started) / 1000 + 60;
    const metrics = {
      [counter]: seconds * (60 + 7 * place),
      process_cpu_seconds_total: seconds * (0.02 + 0.03 * place),
      process_resident_memory_bytes: 6e7 + 1.3e7 * place,
      ...(service === "producer" ? {} : { [`${service}_lag_records`]: place % 3 }),
    };
    return { service, instance: `host-${place + 1}:${4000 + place}`, ts_event_ms: at, metrics };
  });
  return { ts_ms: now, services };
}
