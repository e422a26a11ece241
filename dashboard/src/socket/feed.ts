import type { ConnectionAction, DataAction } from "../store/actions.ts";

import { clockOffset, type ClockSample } from "./clock.ts";
import { Connection } from "./connection.ts";
import {
  type Answer,
  type Channel,
  readFrame,
  type ServerError,
  type Subscribed,
  type SubscribeRequest,
} from "./protocol.ts";
import {
  type Interval,
  readAlerts,
  readBars,
  readIndicators,
  readMarketEvents,
  readTicks,
} from "./records.ts";
import { subscribe } from "./subscribe.ts";

const chartHistory = 1_000;
const clockSamples = 8;
const clockEveryMs = 30_000;
const wakeWithinMs = 3_000;
/** Holding an arrow key passes many symbols; only the one it stops at is asked for. */
const settleMs = 120;
const reloadEveryMs = 5_000;

const everything = ["*"];
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
  history: 20,
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

/** Everything the page hears and asks: the market at large, and the series of the chart. */
export class Feed {
  readonly connection: Connection;
  private readonly now: () => number;
  private chart: Chart | undefined;
  private chartSubscriptions: string[] = [];
  private turn = 0;
  private connections = 0;
  private reloadedAt = 0;
  private samples: ClockSample[] = [];
  private clockTimer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly options: FeedOptions) {
    this.now = options.now ?? Date.now;
    this.connection = new Connection({
      ...options,
      onConnected: () => {
        this.connections += 1;
        this.chartSubscriptions = [];
        this.samples = [];
        void this.followMarket();
        void this.followChart();
        void this.askTime(3);
      },
      onEvent: (name, payload) => {
        this.hear(name, payload);
      },
    });
  }

  start(): void {
    this.clockTimer = setInterval(() => void this.askTime(1), clockEveryMs);
    this.connection.open();
  }

  stop(): void {
    clearInterval(this.clockTimer);
    this.turn += 1;
    this.connection.close();
  }

  /** Makes `symbol` and `interval` the series of the chart. */
  show(symbol: string, interval: Interval): void {
    this.chart = { symbol, interval };
    void this.followChart();
  }

  /** After sleep or a change of network: finds out whether the connection still lives. */
  async wake(): Promise<void> {
    if (!this.connection.isConnected()) {
      this.connection.open();
      return;
    }
    const answer = await this.connection.request("time", {}, Boolean, wakeWithinMs);
    if (!answer.ok) this.connection.reopen();
  }

  private async followMarket(): Promise<void> {
    const { dispatch } = this.options;
    const market = await this.subscribe({ channel: "ticks", symbols: everything });
    if (!market.ok) {
      this.complain(market.error);
      return;
    }
    const { symbols, snapshot } = market.value;
    dispatch({ type: "marketLoaded", at: this.now(), symbols, records: readTicks(snapshot) });
    await Promise.all([
      this.followBars(dailyBars),
      this.followBars(minuteBars),
      this.followAlerts(),
      this.followEvents(),
    ]);
  }

  private async followBars(request: SubscribeRequest): Promise<void> {
    const answer = await this.subscribe(request);
    if (!answer.ok) this.complain(answer.error);
    else this.deliver("bars", answer.value.snapshot, 0);
  }

  private async followAlerts(): Promise<void> {
    const answer = await this.subscribe(allAlerts);
    if (!answer.ok) this.complain(answer.error);
    else {
      const records = readAlerts(answer.value.snapshot);
      this.options.dispatch({ type: "alertsLoaded", at: this.now(), records });
    }
  }

  private async followEvents(): Promise<void> {
    const answer = await this.subscribe(allEvents);
    if (!answer.ok) this.complain(answer.error);
    else this.deliver("market_events", answer.value.snapshot, 0);
  }

  private async followChart(): Promise<void> {
    const { chart } = this;
    if (chart === undefined || !this.connection.isConnected()) return;
    const turn = ++this.turn;
    this.options.dispatch({ type: "chartLoading", ...chart });
    this.leave(this.chartSubscriptions);
    this.chartSubscriptions = [];
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    if (turn !== this.turn || !this.connection.isConnected()) return;
    const { symbol, interval } = chart;
    const wanted = (): boolean => turn === this.turn;
    const request = { symbols: [symbol], interval, mode: "all", history: chartHistory } as const;
    const [bars, indicators] = await Promise.all([
      this.subscribe({ channel: "bars", ...request }, wanted),
      this.subscribe({ channel: "indicators", ...request }, wanted),
    ]);
    const subscriptions = [bars, indicators].flatMap((answer) =>
      answer.ok ? [answer.value.subscription] : [],
    );
    if (!wanted()) this.leave(subscriptions);
    else this.chartArrived(chart, subscriptions, bars, indicators);
  }

  /** A chart without its indicators is still a chart; one without bars isn't. */
  private chartArrived(
    chart: Chart,
    subscriptions: string[],
    bars: Answer<Subscribed>,
    indicators: Answer<Subscribed>,
  ): void {
    this.chartSubscriptions = subscriptions;
    if (!bars.ok) {
      this.options.dispatch({ type: "chartFailed", ...chart, error: bars.error });
      return;
    }
    const [rejected] = bars.value.rejected;
    if (rejected !== undefined) {
      this.options.dispatch({ type: "chartFailed", ...chart, error: rejected });
      return;
    }
    if (!indicators.ok) this.complain(indicators.error);
    this.options.dispatch({
      type: "chartLoaded",
      ...chart,
      bars: readBars(bars.value.snapshot),
      indicators: indicators.ok ? readIndicators(indicators.value.snapshot) : [],
    });
  }

  private hear(name: string, payload: unknown): void {
    const { data, lost } = readFrame(payload);
    this.deliver(name, data, lost);
    // What was left out of the chart's own channel left a hole in its series.
    if (name === "indicators" && lost > 0 && this.now() - this.reloadedAt > reloadEveryMs) {
      this.reloadedAt = this.now();
      void this.followChart();
    }
  }

  private deliver(channel: string, data: unknown, lost: number): void {
    const at = this.now();
    const { dispatch } = this.options;
    switch (channel as Channel) {
      case "ticks":
        dispatch({ type: "ticks", at, records: readTicks(data), lost });
        break;
      case "bars":
        dispatch({ type: "bars", at, records: readBars(data), lost });
        break;
      case "indicators":
        dispatch({ type: "indicators", at, records: readIndicators(data), lost });
        break;
      case "alerts":
        dispatch({ type: "alerts", at, records: readAlerts(data), lost });
        break;
      case "market_events":
        dispatch({ type: "marketEvents", at, records: readMarketEvents(data), lost });
        break;
    }
  }

  /** A subscription of this connection: one that comes to nothing with it is made anew by the next. */
  private subscribe(
    request: SubscribeRequest,
    wanted = (): boolean => true,
  ): Promise<Answer<Subscribed>> {
    const { connections } = this;
    const here = (): boolean => connections === this.connections && this.connection.isConnected();
    return subscribe(this.connection, request, () => here() && wanted());
  }

  private leave(subscriptions: readonly string[]): void {
    for (const subscription of subscriptions)
      void this.connection.request("unsubscribe", { subscription }, Boolean);
  }

  /** Says a failed subscription aloud; one that failed with its connection has been told already. */
  private complain(error: ServerError): void {
    if (!this.connection.isConnected()) return;
    this.options.dispatch({ type: "serverStatus", at: this.now(), status: error });
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
