import type { Server as HttpServer } from "node:http";

import { Server, type Socket } from "socket.io";

import type { Bar } from "../src/socket/records.ts";

import { type Changes, Market } from "./market.ts";

const flushMs = 100;
const channels = ["ticks", "bars", "indicators", "analytics", "alerts", "market_events"];

export interface StandInOptions {
  apiKey?: string | undefined;
  /** ISO time at which a made-up recording begins, played at 60x; the wall clock's time when left out. */
  replayFrom?: string | undefined;
  symbols?: readonly string[];
  /** Codes with which the next subscriptions are refused, one each. */
  refusals?: string[];
}

export interface StandIn {
  readonly io: Server;
  readonly market: Market;
  /** What the clients are subscribed to, as `channel symbols interval`. */
  subscriptions(): string[];
  /** Goes on by one flush; happens by itself unless `manual`. */
  flush(): void;
  stop(): Promise<void>;
}

interface Subscription {
  id: string;
  channel: string;
  symbols: readonly string[];
  interval: string;
}

type Reply = (answer: object) => void;

const wants = (subscription: Subscription, symbol: string): boolean =>
  subscription.symbols.includes("*") || subscription.symbols.includes(symbol);

/** Answers the bridge's socket contract on `http` with a made-up market; for development and tests only. */
export function attachStandIn(
  http: HttpServer,
  options: StandInOptions & { manual?: boolean } = {},
): StandIn {
  const started = Date.now();
  const begin = options.replayFrom === undefined ? started : Date.parse(options.replayFrom);
  const speed = options.replayFrom === undefined ? 1 : 60;
  const eventTime = (): number => begin + (Date.now() - started) * speed;
  const market = new Market(7, begin, options.symbols);
  const io = new Server(http, { destroyUpgrade: false, serveClient: false });
  const held = new Map<string, Subscription[]>();

  io.use((socket, next) => {
    const { apiKey } = socket.handshake.auth as { apiKey?: unknown };
    if (options.apiKey === undefined || apiKey === options.apiKey) next();
    else next(refusal("unauthorized", "the API key is not known here"));
  });
  io.on("connection", (socket) => {
    const own: Subscription[] = [];
    held.set(socket.id, own);
    socket.on("disconnect", () => held.delete(socket.id));
    answerRequests(socket, own, market, options.refusals ?? []);
  });

  const flush = (): void => {
    const changes = market.advance(eventTime(), Date.now());
    for (const [id, subscriptions] of held) {
      for (const [channel, data] of framesFor(subscriptions, changes, market))
        io.to(id).emit(channel, { data, resume: "0", lost: 0 });
    }
  };
  const timer = options.manual ? undefined : setInterval(flush, flushMs);
  return {
    io,
    market,
    subscriptions: () =>
      [...held.values()]
        .flat()
        .map(({ channel, symbols, interval }) => `${channel} ${symbols.join()} ${interval}`.trim()),
    flush,
    async stop() {
      clearInterval(timer);
      io.emit("closing", { code: "shutting_down", reconnect: true });
      await io.close();
    },
  };
}

function refusal(code: string, message: string): Error {
  return Object.assign(new Error(message), { data: { code, message } });
}

function answerRequests(
  socket: Socket,
  own: Subscription[],
  market: Market,
  refusals: string[],
): void {
  let count = 0;
  socket.on("time", (_payload: unknown, reply: Reply) => {
    reply({ ok: true, ts_ms: Date.now() });
  });
  socket.on("subscribe", (request: Record<string, unknown>, reply: Reply) => {
    const channel = String(request.channel);
    const refused = refusals.shift();
    if (refused !== undefined) {
      reply({ ok: false, error: { code: refused, message: "not now" } });
      return;
    }
    if (!channels.includes(channel)) {
      reply({ ok: false, error: { code: "unknown_channel", message: `no channel ${channel}` } });
      return;
    }
    const asked = request.symbols as string[];
    const symbols = asked.filter((name) => name === "*" || market.symbols.includes(name));
    const rejected = asked.filter((name) => !symbols.includes(name));
    count += 1;
    const interval = typeof request.interval === "string" ? request.interval : "";
    const subscription = { id: String(count), channel, symbols, interval };
    own.push(subscription);
    reply({
      ok: true,
      subscription: subscription.id,
      symbols: symbols.includes("*") ? market.symbols : symbols,
      rejected: rejected.map((symbol) => ({ symbol, code: "unknown_symbol" })),
      snapshot: snapshotOf(subscription, Number(request.history ?? 0), market),
      recovered: false,
      limits: {},
    });
  });
  socket.on("unsubscribe", (request: { subscription?: string }, reply: Reply) => {
    const index = own.findIndex(({ id }) => id === request.subscription);
    if (index >= 0) own.splice(index, 1);
    reply({ ok: true });
  });
}

function snapshotOf(subscription: Subscription, history: number, market: Market): unknown[] {
  const symbols = market.symbols.filter((symbol) => wants(subscription, symbol));
  const bars = (): Bar[] =>
    symbols.flatMap((symbol) => market.bars(symbol, subscription.interval).slice(-history - 1));
  switch (subscription.channel) {
    case "ticks":
      return symbols.flatMap((symbol) => market.lastTick(symbol) ?? []);
    case "bars":
      return bars();
    case "indicators":
      return bars().map((bar) => market.indicators(bar));
    case "alerts":
      return market.alerts.slice(-history);
    case "market_events":
      return market.events.slice(-history);
    default:
      return [];
  }
}

function framesFor(
  subscriptions: readonly Subscription[],
  changes: Changes,
  market: Market,
): Map<string, unknown[]> {
  const frames = new Map<string, Set<unknown>>();
  const add = (channel: string, records: readonly unknown[]): void => {
    const frame = frames.get(channel) ?? new Set();
    for (const record of records) frame.add(record);
    if (frame.size > 0) frames.set(channel, frame);
  };
  for (const subscription of subscriptions) {
    const { channel, interval } = subscription;
    const bars = changes.bars.filter(
      (bar) => bar.interval === interval && wants(subscription, bar.symbol),
    );
    if (channel === "ticks")
      add(
        channel,
        changes.ticks.filter((tick) => wants(subscription, tick.symbol)),
      );
    else if (channel === "bars") add(channel, bars);
    else if (channel === "indicators")
      add(
        channel,
        bars.map((bar) => market.indicators(bar)),
      );
    else if (channel === "alerts") add(channel, changes.alerts);
  }
  return new Map([...frames].map(([channel, records]) => [channel, [...records]]));
}
