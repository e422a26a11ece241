import type { ConnectionAction, DataAction } from "../store/actions.ts";

import { clockOffset, type ClockSample } from "./clock.ts";
import { Connection } from "./connection.ts";
import {
  type Channel,
  readFrame,
  readStatus,
  type Subscribed,
  type SubscribeRequest,
} from "./protocol.ts";
import { Pulse } from "./pulse.ts";
import { askReadiness } from "./readiness.ts";
import {
  type Interval,
  readAlerts,
  readBars,
  readFigures,
  readIndicators,
  readMarketEvents,
  readTicks,
} from "./records.ts";
import { Scopes } from "./scopes.ts";
import { type Following, settleMs, Subscriptions } from "./subscriptions.ts";

const chartHistory = 1_000;
const clockSamples = 8;
const clockEveryMs = 30_000;
const wakeWithinMs = 3_000;
const tellHeardEveryMs = 250;
/** Without records for so long, the server is asked whether it still hears the market. */
const askReadyAfterMs = 2_000;
const reloadEveryMs = 5_000;

const everything = ["*"];
const allTicks: SubscribeRequest = { channel: "ticks", symbols: everything };
const dailyBars: SubscribeRequest = {
  channel: "bars",
  symbols: everything,
  interval: "1d",
  mode: "latest",
  maxHz: 1,
};
const minuteBars: SubscribeRequest = { ...dailyBars, interval: "1m", history: 60 };
const allAlerts: SubscribeRequest = {
  channel: "alerts",
  symbols: everything,
  mode: "all",
  history: 50,
};
const allEvents: SubscribeRequest = {
  channel: "market_events",
  symbols: everything,
  mode: "all",
  history: 200,
};

export interface FeedOptions {
  url?: string;
  dispatch: (action: ConnectionAction | DataAction) => void;
  apiKey: () => string | null;
  now?: () => number;
}

interface Chart {
  symbol: string;
  interval: Interval;
}

const seriesOf = ({ symbol, interval }: Chart) =>
  ({ symbols: [symbol], interval, mode: "all", history: chartHistory }) as const;

/** Everything the page hears and asks: the market at large, and the series of the chart. */
export class Feed {
  readonly connection: Connection;
  private readonly subscriptions: Subscriptions;
  private readonly scopes: Scopes;
  private readonly pulse = new Pulse();
  private readonly now: () => number;
  private chart: Following[] = [];
  private rival: Following | undefined;
  private chartTimer: ReturnType<typeof setTimeout> | undefined;
  private reloadedAt = 0;
  /** Something of the chart was left out. */
  private holed = false;
  /** The server has slowed this connection down. */
  private slowed = false;
  private recordsAt = 0;
  private readyAskedAt = 0;
  private heardToldAt = 0;
  /** The parts of the server that lacked when it was last asked. */
  private missing = "";
  private samples: ClockSample[] = [];
  private clockTimer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly options: FeedOptions) {
    this.now = options.now ?? Date.now;
    this.connection = new Connection({
      ...options,
      onConnected: () => {
        this.samples = [];
        this.missing = "";
        this.slowed = false;
        this.subscriptions.connected();
        void this.askTime(3);
      },
      onEvent: (name, payload) => {
        this.hear(name, payload);
      },
      onHeard: () => {
        this.heard();
      },
    });
    this.subscriptions = new Subscriptions(this.connection, (catchUp) => {
      options.dispatch({ type: "caughtUp", at: this.now(), ...catchUp });
    });
    this.scopes = new Scopes(this.subscriptions, options.dispatch);
    this.followMarket();
  }

  start(): void {
    this.clockTimer = setInterval(() => void this.askTime(1), clockEveryMs);
    this.connection.open();
  }

  stop(): void {
    clearInterval(this.clockTimer);
    clearTimeout(this.chartTimer);
    this.scopes.stop();
    this.subscriptions.stop();
    this.connection.close();
  }

  /** Makes a new connection now, whatever the present one does. */
  retry(): void {
    if (this.connection.isConnected()) this.connection.reopen();
    else this.connection.open();
  }

  /** Connects with another key: what the one before might see is not taken over. */
  changeKey(): void {
    this.subscriptions.forget();
    this.connection.open();
  }

  /** Makes `symbol` and `interval` the series of the chart. */
  show(symbol: string, interval: Interval): void {
    for (const following of this.chart) following.end();
    this.chart = [];
    this.holed = false;
    this.options.dispatch({ type: "chartLoading", symbol, interval });
    clearTimeout(this.chartTimer);
    this.chartTimer = setTimeout(() => {
      this.followChart({ symbol, interval });
    }, settleMs);
  }

  /** Reads the bars of another symbol beside the chart's; null: of none. */
  compare(symbol: string | null, interval: Interval): void {
    this.rival?.end();
    this.rival = undefined;
    if (symbol === null) return;
    this.options.dispatch({ type: "chartLoading", symbol, interval });
    this.rival = this.followBars({ symbol, interval });
  }

  /** Reads the figures of these lists of scopes, each list for itself; of none while nobody looks at any. */
  analyse(lists: readonly (readonly string[])[]): void {
    this.scopes.follow(lists);
  }

  /**
   * To be called several times a second: notices when the server, or this page, stood still.
   *
   * @param inSight whether the page is seen; timers of one that isn't come late by the browser's will
   */
  beat(inSight = true): void {
    const at = this.now();
    const { what, late } = this.pulse.beat(at, this.connection.isConnected());
    if (what === "slept") {
      if (inSight) this.options.dispatch({ type: "slept", at, ms: late });
      void this.wake();
    } else if (what === "giveUp") this.connection.reopen();
    else if (what === "ask") void this.askTime(1);
    this.askReady(at);
  }

  /** After sleep or a change of network: finds out whether the connection still lives. */
  async wake(): Promise<void> {
    if (!this.connection.isConnected()) {
      this.connection.open();
      return;
    }
    const answer = await this.connection.request("time", {}, Boolean, wakeWithinMs);
    if (!answer.ok && this.connection.isConnected()) this.connection.reopen();
  }

  private heard(): void {
    const at = this.now();
    this.pulse.heard(at);
    if (at - this.heardToldAt < tellHeardEveryMs) return;
    this.heardToldAt = at;
    this.options.dispatch({ type: "heard", at });
  }

  private followMarket(): void {
    const { dispatch } = this.options;
    const follow = (
      request: SubscribeRequest,
      take: (at: number, answer: Subscribed) => DataAction,
    ): void => {
      this.subscriptions.follow({
        request,
        begin: (answer) => {
          dispatch(take(this.now(), answer));
        },
        failed: (error) => {
          dispatch({ type: "unavailable", at: this.now(), channel: request.channel, error });
        },
      });
    };
    follow(allTicks, (at, { snapshot, symbols }) => {
      return { type: "marketLoaded", at, symbols, records: readTicks(snapshot) };
    });
    const bars = (at: number, { snapshot }: Subscribed): DataAction => {
      return { type: "barsLoaded", at, records: readBars(snapshot) };
    };
    follow(dailyBars, bars);
    follow(minuteBars, bars);
    follow(allAlerts, (at, { snapshot }) => {
      return { type: "alertsLoaded", at, records: readAlerts(snapshot) };
    });
    follow(allEvents, (at, { snapshot }) => {
      return { type: "marketEvents", at, records: readMarketEvents(snapshot), lost: 0 };
    });
  }

  private followBars(chart: Chart): Following {
    const { dispatch } = this.options;
    return this.subscriptions.follow({
      request: { channel: "bars", ...seriesOf(chart) },
      begin: ({ rejected: [error], snapshot }) => {
        if (error !== undefined) dispatch({ type: "chartFailed", ...chart, error });
        else dispatch({ type: "chartLoaded", ...chart, bars: readBars(snapshot) });
      },
      failed: (error) => {
        dispatch({ type: "chartFailed", ...chart, error });
      },
    });
  }

  private followChart(chart: Chart): void {
    const { dispatch } = this.options;
    const bars = this.followBars(chart);
    const indicators = this.subscriptions.follow({
      request: { channel: "indicators", ...seriesOf(chart) },
      begin: ({ snapshot }) => {
        dispatch({ type: "studiesLoaded", ...chart, indicators: readIndicators(snapshot) });
      },
      // A chart without its indicators is still a chart.
      failed: (error) => {
        dispatch({ type: "unavailable", at: this.now(), channel: "indicators", error });
      },
    });
    this.chart = [bars, indicators];
  }

  private hear(name: string, payload: unknown): void {
    if (name === "status") {
      const { rateHz } = readStatus(payload);
      if (rateHz !== undefined) this.slowed = rateHz !== null;
    }
    const { data, lost, resume } = readFrame(payload);
    this.subscriptions.heard(name, resume);
    this.deliver(name, data, lost);
    // What was left out of the chart's own channel left a hole in its series.
    if (name === "indicators" && lost > 0) this.holed = true;
    this.mend();
  }

  /** Loads a chart with a hole anew; over a connection that can't keep up only once it can: more would make it worse. */
  private mend(): void {
    const at = this.now();
    if (!this.holed || this.slowed || at - this.reloadedAt < reloadEveryMs) return;
    this.holed = false;
    this.reloadedAt = at;
    for (const following of this.chart) following.restart();
    this.rival?.restart();
  }

  private deliver(channel: string, data: unknown, lost: number): void {
    const at = this.now();
    const { dispatch } = this.options;
    switch (channel as Channel) {
      case "ticks":
        this.recordsAt = at;
        dispatch({ type: "ticks", at, records: readTicks(data), lost });
        break;
      case "bars":
        this.recordsAt = at;
        dispatch({ type: "bars", at, records: readBars(data), lost });
        break;
      case "indicators":
        dispatch({ type: "indicators", at, records: readIndicators(data), lost });
        break;
      case "analytics":
        dispatch({ type: "analytics", at, records: readFigures(data) });
        break;
      case "alerts":
        dispatch({ type: "alerts", at, records: readAlerts(data), lost });
        break;
      case "market_events":
        dispatch({ type: "marketEvents", at, records: readMarketEvents(data), lost });
        break;
    }
  }

  /** A market that is merely quiet is told from a server that has gone deaf. */
  private askReady(at: number): void {
    if (!this.connection.isConnected()) return;
    if (Math.min(at - this.recordsAt, at - this.readyAskedAt) < askReadyAfterMs) return;
    this.readyAskedAt = at;
    void askReadiness(this.options.url).then((missing) => {
      if (missing === undefined || !this.connection.isConnected()) return;
      if (missing.join() === this.missing) return;
      this.missing = missing.join();
      this.options.dispatch({ type: "readiness", at: this.now(), missing });
    });
  }

  private async askTime(times: number): Promise<void> {
    for (let asked = 0; asked < times && this.connection.isConnected(); asked += 1) {
      const askedAt = this.now();
      const answer = await this.connection.request("time", {}, (fields) => fields.ts_ms);
      if (!answer.ok || typeof answer.value !== "number") return;
      const sample = { askedAt, answeredAt: this.now(), serverTime: answer.value };
      this.samples = [...this.samples, sample].slice(-clockSamples);
    }
    if (this.samples.length > 0)
      this.options.dispatch({ type: "clock", ...clockOffset(this.samples) });
  }
}
