import type { Server as HttpServer } from "node:http";

import { Server, type Socket } from "socket.io";

import type { Bar } from "../src/socket/records.ts";

import { isScope, madeUpFigures } from "./analytics.ts";
import { type Changes, Market } from "./market.ts";

const flushMs = 100;
const channels = ["ticks", "bars", "indicators", "analytics", "alerts", "market_events"];

export interface StandInOptions {
  apiKey?: string | undefined;
  /** ISO time at which a made-up recording begins, played at 60x; the wall clock's time when left out. */
  replayFrom?: string | undefined;
  symbols?: readonly string[] | undefined;
  /** Codes with which the next subscriptions are refused, one each. */
  refusals?: string[];
  /** For how many flushes a client may be away and yet go on where it was. */
  remembers?: number;
}

export interface StandIn {
  readonly io: Server;
  readonly market: Market;
  /** What the clients are subscribed to, as `channel symbols interval`. */
  subscriptions(): string[];
  /** Goes on by one flush; happens by itself unless `manual`. */
  flush(): void;
  /** Cuts every connection, without a word. */
  cut(): void;
  stop(): Promise<void>;
}

interface Subscription {
  id: string;
  channel: string;
  symbols: readonly string[];
  interval: string;
}

type Reply = (answer: object) => void;

/** Every flush so far; a resume token is how many of them a client has had. */
interface Journal {
  flushes: Changes[];
  remembers: number;
}

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
  const journal: Journal = { flushes: [], remembers: options.remembers ?? 1_000 };

  io.use((socket, next) => {
    const { apiKey } = socket.handshake.auth as { apiKey?: unknown };
    if (options.apiKey === undefined || apiKey === options.apiKey) next();
    else next(refusal("unauthorized", "the API key is not known here"));
  });
  io.on("connection", (socket) => {
    const own: Subscription[] = [];
    held.set(socket.id, own);
    socket.on("disconnect", () => held.delete(socket.id));
    answerRequests(socket, own, market, journal, options.refusals ?? []);
  });

  const flush = (): void => {
    const changes = market.advance(eventTime(), Date.now());
    journal.flushes.push(changes);
    const resume = String(journal.flushes.length);
    for (const [id, subscriptions] of held) {
      for (const [channel, data] of framesFor(subscriptions, changes, market))
        io.to(id).emit(channel, { data, resume, lost: 0 });
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
    cut() {
      for (const socket of io.sockets.sockets.values()) socket.conn.close();
    },
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
  journal: Journal,
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
    const symbols = asked.filter(
      (name) =>
        name === "*" || market.symbols.includes(name) || (channel === "analytics" && isScope(name)),
    );
    const rejected = asked.filter((name) => !symbols.includes(name));
    count += 1;
    const interval = typeof request.interval === "string" ? request.interval : "";
    const subscription = { id: String(count), channel, symbols, interval };
    own.push(subscription);
    const missed = missedSince(journal, request.resume);
    reply({
      ok: true,
      subscription: subscription.id,
      symbols: symbols.includes("*") ? market.symbols : symbols,
      rejected: rejected.map((symbol) => ({ symbol, code: "unknown_symbol" })),
      snapshot: missed ? [] : snapshotOf(subscription, Number(request.history ?? 0), market),
      recovered: missed !== undefined,
      resume: String(journal.flushes.length),
      limits: {},
    });
    for (const changes of missed ?? []) {
      for (const [name, data] of framesFor([subscription], changes, market))
        socket.emit(name, { data, resume: String(journal.flushes.length), lost: 0 });
    }
  });
  socket.on("unsubscribe", (request: { subscription?: string }, reply: Reply) => {
    const index = own.findIndex(({ id }) => id === request.subscription);
    if (index >= 0) own.splice(index, 1);
    reply({ ok: true });
  });
}

/** What a client with this token hasn't had; undefined when that isn't remembered any more. */
function missedSince({ flushes, remembers }: Journal, token: unknown): Changes[] | undefined {
  if (typeof token !== "string") return undefined;
  const missed = flushes.slice(Number(token));
  return missed.length <= remembers ? missed : undefined;
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
    case "analytics":
      return figuresFor(subscription, market);
    case "alerts":
      return market.alerts.slice(-history);
    case "market_events":
      return market.events.slice(-history);
    default:
      return [];
  }
}

function figuresFor({ symbols }: Subscription, market: Market): unknown[] {
  return symbols.flatMap((scope) => madeUpFigures(market, scope, market.time));
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
    else if (channel === "analytics" && changes.minute)
      add(channel, figuresFor(subscription, market));
  }
  return new Map([...frames].map(([channel, records]) => [channel, [...records]]));
}
