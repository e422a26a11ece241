import type {
  AlertEvent,
  Bar,
  IndicatorSet,
  Interval,
  MarketEvent,
  Tick,
} from "../src/socket/records.ts";
import { intervals } from "../src/socket/records.ts";

const lengths: Readonly<Record<Interval, number>> = {
  "1s": 1_000,
  "1m": 60_000,
  "5m": 300_000,
  "15m": 900_000,
  "1h": 3_600_000,
  "1d": 86_400_000,
};

const listed: Readonly<Record<string, number>> = {
  AIG: 48.6,
  BAC: 13.7,
  C: 48.9,
  F: 16.9,
  GE: 23.8,
  IBM: 181.2,
  JPM: 50.9,
  MSFT: 33.0,
  QQQ: 78.4,
  SPY: 165.5,
  T: 33.6,
  XOM: 85.5,
};

const historyLength = 1_200;

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const cents = (price: number): number => Math.round(price * 100) / 100;

type Series = Record<Interval, Bar[]>;

/** What has changed since the last look. */
export interface Changes {
  ticks: Tick[];
  bars: Bar[];
  alerts: AlertEvent[];
  events: MarketEvent[];
  /** Whether a minute has ended. */
  minute: boolean;
}

/** A made-up market: random walks with a past in every interval. Good to look at, of no other meaning. */
export class Market {
  readonly symbols: readonly string[];
  /** Event time, ms. */
  time: number;
  readonly alerts: AlertEvent[] = [];
  readonly events: MarketEvent[] = [];
  private readonly random: () => number;
  private readonly prices = new Map<string, number>();
  private readonly series = new Map<string, Series>();
  private readonly ticks = new Map<string, Tick>();
  private alertCount = 0;

  constructor(seed: number, now: number, symbols: readonly string[] = Object.keys(listed)) {
    this.random = randomNumbers(seed);
    this.symbols = symbols;
    this.time = now;
    for (const symbol of symbols) {
      this.prices.set(symbol, listed[symbol] ?? 10 + this.random() * 200);
      this.series.set(symbol, this.pastOf(symbol, now));
      this.trade(symbol, now, now);
    }
    this.event("session_open", now, { calendar: "XNYS" });
    this.event("feed_up", now, {});
    this.raise(now);
    this.raise(now);
  }

  bars(symbol: string, interval: string): readonly Bar[] {
    return this.series.get(symbol)?.[interval as Interval] ?? [];
  }

  lastTick(symbol: string): Tick | undefined {
    return this.ticks.get(symbol);
  }

  /** Lets time go on to `now` (event time, ms); `wall` is when it is received. */
  advance(now: number, wall: number): Changes {
    const minute = Math.floor(now / lengths["1m"]) > Math.floor(this.time / lengths["1m"]);
    this.time = now;
    const ticks: Tick[] = [];
    const bars: Bar[] = [];
    for (const symbol of this.symbols) {
      if (this.random() < 0.35) continue;
      bars.push(...this.trade(symbol, now, wall));
      const tick = this.ticks.get(symbol);
      if (tick !== undefined) ticks.push(tick);
    }
    const before = this.alerts.length;
    const alerts = this.random() < 0.008 ? this.raise(now) : this.settle(now);
    if (this.alerts.length > 100) this.alerts.splice(0, before - 50);
    return { ticks, bars, alerts, events: [], minute };
  }

  indicators(bar: Bar): IndicatorSet {
    const series = this.bars(bar.symbol, bar.interval);
    const index = series.findLastIndex((candidate) => candidate.start_ms === bar.start_ms);
    return indicatorsAt(series, index);
  }

  private trade(symbol: string, now: number, wall: number): Bar[] {
    const before = this.prices.get(symbol) ?? 100;
    const price = Math.max(0.01, before * (1 + (this.random() - 0.5) * 0.0006));
    this.prices.set(symbol, price);
    const volume = Math.ceil(this.random() * 9) * 100;
    const shown = cents(price);
    this.ticks.set(symbol, {
      symbol,
      price: shown,
      volume,
      ts_event_ms: now,
      ts_ingest_ms: wall - this.random() * 12,
    });
    return intervals.flatMap((interval) => this.tradeInto(symbol, interval, now, shown, volume));
  }

  /** The bars of one interval that a trade has closed, opened or changed. */
  private tradeInto(
    symbol: string,
    interval: Interval,
    now: number,
    price: number,
    volume: number,
  ): Bar[] {
    const series = this.series.get(symbol)?.[interval] ?? [];
    const start = Math.floor(now / lengths[interval]) * lengths[interval];
    const last = series.at(-1);
    if (last?.start_ms === start) {
      const grown = withTrade(last, price, volume);
      series[series.length - 1] = grown;
      return [grown];
    }
    const opened = newBar(symbol, interval, start, price, volume);
    if (last === undefined) {
      series.push(opened);
      return [opened];
    }
    const closed: Bar = { ...last, state: "closed" };
    series[series.length - 1] = closed;
    series.push(opened);
    if (series.length > historyLength + 100) series.splice(0, 100);
    return [closed, opened];
  }

  private pastOf(symbol: string, now: number): Series {
    const past = (interval: Interval): Bar[] => {
      const length = lengths[interval];
      const count = interval === "1d" ? 250 : historyLength;
      const step = 0.0004 * Math.sqrt(Math.min(length, 8_000_000) / 10_000);
      let close = this.prices.get(symbol) ?? 100;
      const bars: Bar[] = [];
      let start = Math.floor(now / length) * length;
      for (let made = 0; made < count; made += 1) {
        start -= length;
        const bar = this.pastBar(symbol, interval, start, close, step);
        bars.push(bar);
        close = bar.open;
      }
      return bars.reverse();
    };
    return Object.fromEntries(intervals.map((interval) => [interval, past(interval)])) as Series;
  }

  private pastBar(
    symbol: string,
    interval: Interval,
    start: number,
    close: number,
    step: number,
  ): Bar {
    const open = close * (1 + (this.random() - 0.497) * step * 2);
    const high = Math.max(open, close) * (1 + this.random() * step * 0.6);
    const low = Math.min(open, close) * (1 - this.random() * step * 0.6);
    const volume = Math.round((lengths[interval] / 10) * (0.2 + this.random() ** 3));
    return {
      ...newBar(symbol, interval, start, cents(close), volume),
      open: cents(open),
      high: cents(high),
      low: cents(low),
      vwap: (open + close) / 2,
      trades: Math.ceil(volume / 300),
      state: "closed",
    };
  }

  private event(type: string, now: number, detail: Record<string, string>): void {
    this.events.push({ type, symbol: null, source: "stand-in", ts_event_ms: now, detail });
  }

  private raise(now: number): AlertEvent[] {
    const symbol = this.symbols[Math.floor(this.random() * this.symbols.length)] ?? "SPY";
    const price = cents(this.prices.get(symbol) ?? 0);
    const [severity, summary] = (
      [
        ["warning", `${symbol} volume is 4.2 times its usual`],
        ["critical", `${symbol} above ${price.toFixed(2)}`],
        ["info", `${symbol} moved 0.5 % within 5 minutes`],
      ] as const
    )[Math.floor(this.random() * 3)] ?? ["info", symbol];
    this.alertCount += 1;
    const alert: AlertEvent = {
      alert_id: `alert-${this.alertCount}`,
      rule_id: `rule-${severity}`,
      symbol,
      state: this.random() < 0.3 ? "pending" : "firing",
      severity,
      ts_event_ms: now,
      value: price,
      threshold: price,
      summary,
      revision: 0,
    };
    this.alerts.push(alert);
    return [alert];
  }

  private settle(now: number): AlertEvent[] {
    const index = this.alerts.findIndex((alert) => alert.state !== "resolved");
    const alert = this.alerts[index];
    if (alert === undefined || this.random() > 0.004) return [];
    const state = alert.state === "pending" ? "firing" : "resolved";
    const changed: AlertEvent = {
      ...alert,
      state,
      ts_event_ms: now,
      revision: alert.revision + 1,
    };
    this.alerts[index] = changed;
    return [changed];
  }
}

function newBar(
  symbol: string,
  interval: Interval,
  start: number,
  price: number,
  volume: number,
): Bar {
  return {
    symbol,
    interval,
    start_ms: start,
    end_ms: start + lengths[interval],
    open: price,
    high: price,
    low: price,
    close: price,
    volume,
    vwap: price,
    trades: 1,
    state: "partial",
    revision: 0,
    activity: "traded",
    session: "regular",
  };
}

function withTrade(bar: Bar, price: number, volume: number): Bar {
  const total = bar.volume + volume;
  return {
    ...bar,
    high: Math.max(bar.high, price),
    low: Math.min(bar.low, price),
    close: price,
    volume: total,
    vwap: (bar.vwap * bar.volume + price * volume) / total,
    trades: bar.trades + 1,
  };
}

/** Bands, RSI (simple averages) and VWAP at one bar; enough to draw. */
function indicatorsAt(series: readonly Bar[], index: number): IndicatorSet {
  const bar = series[index];
  if (bar === undefined) throw new RangeError(`no bar at ${index} of ${series.length}`);
  const closes = series.slice(Math.max(0, index - 19), index + 1).map(({ close }) => close);
  const mean = closes.reduce((sum, close) => sum + close, 0) / closes.length;
  const variance = closes.reduce((sum, close) => sum + (close - mean) ** 2, 0) / closes.length;
  const width = 2 * Math.sqrt(variance);
  const moves = closes.slice(1).map((close, at) => close - (closes[at] ?? close));
  const gain = moves.reduce((sum, move) => sum + Math.max(0, move), 0);
  const loss = moves.reduce((sum, move) => sum + Math.max(0, -move), 0);
  const session = series.slice(Math.max(0, index - 150), index + 1);
  const volume = session.reduce((sum, item) => sum + item.volume, 0);
  const turnover = session.reduce((sum, item) => sum + item.vwap * item.volume, 0);
  return {
    symbol: bar.symbol,
    interval: bar.interval,
    start_ms: bar.start_ms,
    state: bar.state,
    revision: bar.revision,
    values: {
      bbands_20_2_upper: mean + width,
      bbands_20_2_middle: mean,
      bbands_20_2_lower: mean - width,
      rsi_14: gain + loss === 0 ? 50 : (100 * gain) / (gain + loss),
      vwap: turnover / volume,
    },
  };
}
