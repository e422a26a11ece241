import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, describe, expect, it, vi } from "vitest";

import { attachStandIn, type StandIn, type StandInOptions } from "../../dev/stand-in.ts";
import { type AppStore, initialState, rootReducer } from "../store/state.ts";
import { createStore } from "../store/store.ts";

import { Feed } from "./feed.ts";

const symbols = ["AIG", "SPY"];
const deadline = { timeout: 8_000, interval: 10 };
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(
  options: StandInOptions = {},
  port = 0,
): Promise<{ standIn: StandIn; port: number }> {
  const http: Server = createServer();
  const standIn = attachStandIn(http, { symbols, manual: true, ...options });
  await new Promise<void>((resolve) => http.listen(port, "127.0.0.1", resolve));
  cleanups.push(() => standIn.stop());
  return { standIn, port: (http.address() as AddressInfo).port };
}

function follow(port: number, apiKey: () => string | null = () => null) {
  const store: AppStore = createStore(rootReducer, initialState);
  const dispatch = store.dispatch.bind(store);
  const feed = new Feed({ url: `http://127.0.0.1:${port}`, dispatch, apiKey });
  cleanups.push(() => {
    feed.stop();
  });
  const show = (symbol: string, interval: "1s" | "1m" | "1d"): void => {
    store.dispatch({ type: "select", symbol });
    store.dispatch({ type: "timeframe", interval });
    feed.show(symbol, interval);
  };
  feed.start();
  return { store, feed, show };
}

const until = (check: () => void): Promise<void> => vi.waitFor(check, deadline);

describe("the feed", () => {
  it("brings the whole market, and measures the server's clock", async () => {
    const { port } = await serve();
    const { store } = follow(port);
    await until(() => {
      const { watchlist, alerts, activity, metrics, connection } = store.get();
      expect(watchlist.symbols).toEqual(symbols);
      expect(watchlist.rows.SPY?.day.known).toBe(true);
      expect(watchlist.rows.SPY?.spark).toHaveLength(60);
      expect(alerts.loaded).toBe(true);
      expect(activity.entries.map(({ text }) => text)).toContain("Feed up (stand-in)");
      expect(metrics.roundTripMs).toBeGreaterThanOrEqual(0);
      expect(connection.phase).toBe("live");
    });
  });

  it("joins the chart's history to what comes live, without gap or overlap", async () => {
    const { standIn, port } = await serve();
    const { store, show } = follow(port);
    show("SPY", "1s");
    await until(() => {
      expect(store.get().chart.phase).toBe("ready");
    });
    for (let flushed = 0; flushed < 20; flushed += 1) standIn.flush();
    await until(() => {
      const { bars, indicators } = store.get().chart;
      const expected = standIn.market.bars("SPY", "1s").slice(-bars.length);
      expect(bars).toEqual(expected);
      expect(indicators.map(({ start_ms }) => start_ms)).toEqual(
        expected.map(({ start_ms }) => start_ms),
      );
    });
  });

  it("is subscribed to one chart however quickly it is turned", async () => {
    const { standIn, port } = await serve();
    const { store, show } = follow(port);
    await until(() => {
      expect(store.get().alerts.loaded).toBe(true);
    });
    show("SPY", "1s");
    show("AIG", "1s");
    show("AIG", "1m");
    await until(() => {
      expect(store.get().chart).toMatchObject({ phase: "ready", symbol: "AIG", interval: "1m" });
    });
    show("SPY", "1d");
    await until(() => {
      expect(store.get().chart).toMatchObject({ phase: "ready", symbol: "SPY", interval: "1d" });
      const chart = standIn.subscriptions().filter((item) => !item.includes("*"));
      expect(chart.sort()).toEqual(["bars SPY 1d", "indicators SPY 1d"]);
    });
  });

  it("reads figures of what is looked at, and nothing else", async () => {
    const { standIn, port } = await serve();
    const { store, feed } = follow(port);
    const read = (): string[] =>
      standIn
        .subscriptions()
        .filter((item) => item.startsWith("analytics"))
        .sort();
    await until(() => {
      expect(store.get().alerts.loaded).toBe(true);
    });
    expect(read()).toEqual([]);
    feed.analyse([["market"], ["AIG"], []]);
    feed.analyse([["market"], ["NONE"], ["group:Banks", "group:Technology"]]);
    expect(store.get().analytics.scopes["group:Banks"]?.phase).toBe("loading");
    await until(() => {
      const { scopes } = store.get().analytics;
      expect(scopes.market?.figures["breadth 1d"]?.values.advancers).toBeGreaterThanOrEqual(0);
      expect(scopes["group:Technology"]?.phase).toBe("ready");
      expect(scopes.NONE).toMatchObject({ phase: "failed", error: { code: "unknown_symbol" } });
    });
    feed.analyse([["market"], ["SPY"]]);
    await until(() => {
      expect(store.get().analytics.scopes.SPY?.figures["trend 30m"]).toBeDefined();
      expect(read()).toEqual(["analytics SPY", "analytics market"]);
    });
    feed.analyse([]);
    await until(() => {
      expect(read()).toEqual([]);
    });
    expect(store.get().analytics.scopes).toEqual({});
  });

  it("says that a symbol is not known", async () => {
    const { port } = await serve();
    const { store, show } = follow(port);
    show("NONE", "1m");
    await until(() => {
      expect(store.get().chart).toMatchObject({
        phase: "failed",
        error: { code: "unknown_symbol" },
      });
    });
  });

  it("asks again when the server can't answer just now, and for less when it was too much", async () => {
    const { port } = await serve({ refusals: ["internal", "rate_limited"] });
    const { store } = follow(port);
    await until(() => {
      expect(store.get().watchlist.symbols).toEqual(symbols);
    });
    const refusals: string[] = [];
    const { port: full } = await serve({ refusals });
    const { store: other, show } = follow(full);
    await until(() => {
      expect(other.get().connection.phase).toBe("live");
    });
    refusals.push("too_large", "unknown_channel");
    show("SPY", "1m");
    await until(() => {
      expect(other.get().chart.phase).toBe("ready");
      expect(other.get().chart.bars).toHaveLength(251);
      expect(other.get().connection.unavailable).toMatchObject({ indicators: {} });
    });
  });

  it("stops at a refused key and goes on with a good one", async () => {
    const { port } = await serve({ apiKey: "good" });
    let key: string | null = null;
    const { store, feed } = follow(port, () => key);
    await until(() => {
      expect(store.get().connection).toMatchObject({
        phase: "refused",
        error: { code: "unauthorized" },
      });
    });
    key = "good";
    feed.changeKey();
    await until(() => {
      expect(store.get().watchlist.symbols).toEqual(symbols);
    });
  });

  it("comes back by itself after the server has gone, chart and all", async () => {
    const { standIn, port } = await serve();
    const { store, show } = follow(port);
    show("SPY", "1m");
    await until(() => {
      expect(store.get().chart.phase).toBe("ready");
    });
    await standIn.stop();
    await until(() => {
      const { phase, notice } = store.get().connection;
      expect(phase).toBe("reconnecting");
      expect(notice).toContain("shutting down");
    });
    const { standIn: second } = await serve({}, port);
    await until(() => {
      expect(store.get().connection.phase).toBe("live");
      expect(store.get().chart.phase).toBe("ready");
      expect(second.subscriptions()).toContain("bars SPY 1m");
    });
    expect(store.get().activity.entries.map(({ text }) => text)).toContain(
      "The server closed the connection: the server is shutting down",
    );
  });

  it("loads the chart anew when something of it was lost", async () => {
    const { standIn, port } = await serve();
    const { store, show } = follow(port);
    show("SPY", "1m");
    await until(() => {
      expect(store.get().chart.phase).toBe("ready");
    });
    const before = store.get().chart.bars;
    standIn.io.emit("indicators", { data: [], resume: "0", lost: 4 });
    await until(() => {
      expect(store.get().metrics.lost).toBe(4);
      expect(store.get().chart.phase).toBe("ready");
      expect(store.get().chart.bars).not.toBe(before);
    });
  });

  it("waits with that until the connection keeps up again", async () => {
    const { standIn, port } = await serve();
    const { store, show } = follow(port);
    show("SPY", "1m");
    await until(() => {
      expect(store.get().chart.phase).toBe("ready");
    });
    const before = store.get().chart.bars;
    standIn.io.emit("status", { code: "slow_consumer", message: "", rate_hz: 10 });
    standIn.io.emit("indicators", { data: [], resume: "0", lost: 4 });
    standIn.io.emit("alerts", { data: [], resume: "0", lost: 0 });
    await until(() => {
      expect(store.get().metrics.lost).toBe(4);
    });
    expect(store.get().chart.bars).toBe(before);
    standIn.io.emit("status", { code: "full_rate", message: "", rate_hz: null });
    await until(() => {
      expect(store.get().chart.bars).not.toBe(before);
    });
  });

  it("passes on what the server announces", async () => {
    const { standIn, port } = await serve();
    const { store } = follow(port);
    await until(() => {
      expect(store.get().connection.phase).toBe("live");
    });
    standIn.io.emit("status", { code: "slow_consumer", message: "", rate_hz: 10 });
    await until(() => {
      expect(store.get().connection.rateHz).toBe(10);
    });
    standIn.io.emit("status", { code: "full_rate", message: "", rate_hz: null });
    await until(() => {
      expect(store.get().connection.rateHz).toBeNull();
    });
  });

  it("goes on where it was when the connection breaks, without a snapshot", async () => {
    const { standIn, port } = await serve();
    const { store, show } = follow(port);
    show("SPY", "1s");
    await until(() => {
      expect(store.get().chart.phase).toBe("ready");
      expect(store.get().connection.phase).toBe("live");
    });
    const phases = new Set<string>();
    store.subscribe(({ chart }) => phases.add(chart.phase));
    standIn.cut();
    for (let flushed = 0; flushed < 20; flushed += 1) standIn.flush();
    await until(() => {
      expect(store.get().metrics).toMatchObject({ drops: 1, resumes: 1, freshStarts: 0 });
    });
    standIn.flush();
    await until(() => {
      const { chart, watchlist } = store.get();
      expect(chart.bars).toEqual(standIn.market.bars("SPY", "1s").slice(-chart.bars.length));
      for (const symbol of symbols)
        expect(watchlist.rows[symbol]?.price).toBe(standIn.market.lastTick(symbol)?.price);
    });
    expect([...phases]).toEqual(["ready"]);
  });

  it("begins anew when too much was missed, and shows what it had until then", async () => {
    const { standIn, port } = await serve({ remembers: 5 });
    const { store, show } = follow(port);
    show("SPY", "1s");
    await until(() => {
      expect(store.get().chart.phase).toBe("ready");
      expect(store.get().watchlist.rows.SPY?.spark).toHaveLength(60);
    });
    let emptied = false;
    store.subscribe(({ chart, watchlist }) => {
      const sparks = symbols.map((symbol) => watchlist.rows[symbol]?.spark.length ?? 0);
      emptied ||= chart.bars.length === 0 || sparks.includes(0);
    });
    standIn.cut();
    for (let flushed = 0; flushed < 20; flushed += 1) standIn.flush();
    await until(() => {
      expect(store.get().metrics).toMatchObject({ drops: 1, resumes: 0, freshStarts: 1 });
      expect(store.get().connection.notice).toContain("loaded anew");
      const { bars } = store.get().chart;
      expect(bars).toEqual(standIn.market.bars("SPY", "1s").slice(-bars.length));
    });
    expect(emptied).toBe(false);
  });
});
