/** The records of the socket, as the bridge sends them: the topics' field names, times in epoch milliseconds. */

export const intervals = ["1s", "1m", "5m", "15m", "1h", "1d"] as const;
export type Interval = (typeof intervals)[number];

export type Activity = "traded" | "quiet" | "feed_down" | "halted";
export type BarState = "partial" | "closed";
export type AlertState = "pending" | "firing" | "resolved" | "unknown";
export type Severity = "info" | "warning" | "critical";

export interface Tick {
  symbol: string;
  price: number;
  volume: number;
  ts_event_ms: number;
  ts_ingest_ms: number;
  source?: string;
}

export interface Bar {
  symbol: string;
  interval: string;
  start_ms: number;
  end_ms: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  vwap: number;
  trades: number;
  state: BarState;
  revision: number;
  activity: Activity;
  session: string;
}

export interface IndicatorSet {
  symbol: string;
  interval: string;
  start_ms: number;
  state: BarState;
  revision: number;
  values: Record<string, number>;
  /** Names that will have a value once enough bars have been seen. */
  warming?: readonly string[];
}

/** Figures of a scope (`market`, `group:NAME` or a symbol), that hold for one minute. */
export interface Figure {
  scope: string;
  name: string;
  ts_event_ms: number;
  /** How far they look: `30m`, `1d`. */
  window: string;
  values: Record<string, number>;
}

export interface AlertEvent {
  alert_id: string;
  rule_id: string;
  symbol: string;
  state: AlertState;
  severity: Severity;
  ts_event_ms: number;
  value: number | null;
  threshold: number | null;
  summary: string;
  revision: number;
}

export interface MarketEvent {
  type: string;
  symbol: string | null;
  source: string | null;
  ts_event_ms: number;
  detail: Record<string, string>;
}

type Fields = Record<string, unknown>;
type Reader<T> = (fields: Fields) => T | undefined;

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null;
const isNumber = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value);
const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const textOrNull = (value: unknown): string | null => (isText(value) ? value : null);
const numberOrNull = (value: unknown): number | null => (isNumber(value) ? value : null);

function oneOf<T extends string>(value: unknown, allowed: readonly T[], otherwise: T): T {
  return allowed.find((candidate) => candidate === value) ?? otherwise;
}

/** Whether each of `names` is a finite number in `fields`. */
function haveNumbers(fields: Fields, names: readonly string[]): boolean {
  return names.every((name) => isNumber(fields[name]));
}

const readTick: Reader<Tick> = (fields) =>
  isText(fields.symbol) && haveNumbers(fields, ["price", "volume", "ts_event_ms", "ts_ingest_ms"])
    ? (fields as unknown as Tick)
    : undefined;

const barNumbers = ["start_ms", "end_ms", "open", "high", "low", "close", "volume"] as const;

const readBar: Reader<Bar> = (fields) => {
  if (!isText(fields.symbol) || !isText(fields.interval)) return undefined;
  if (!haveNumbers(fields, barNumbers)) return undefined;
  return {
    ...(fields as unknown as Bar),
    vwap: numberOrNull(fields.vwap) ?? Number.NaN,
    trades: numberOrNull(fields.trades) ?? 0,
    state: oneOf(fields.state, ["partial", "closed"], "partial"),
    revision: numberOrNull(fields.revision) ?? 0,
    activity: oneOf(fields.activity, ["traded", "quiet", "feed_down", "halted"], "traded"),
    session: textOrNull(fields.session) ?? "",
  };
};

const numbersIn = (fields: Fields): Record<string, number> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => isNumber(value))) as Record<
    string,
    number
  >;

const readIndicatorSet: Reader<IndicatorSet> = (fields) => {
  if (!isText(fields.symbol) || !isText(fields.interval)) return undefined;
  if (!isNumber(fields.start_ms) || !isFields(fields.values)) return undefined;
  return {
    symbol: fields.symbol,
    interval: fields.interval,
    start_ms: fields.start_ms,
    state: oneOf(fields.state, ["partial", "closed"], "partial"),
    revision: numberOrNull(fields.revision) ?? 0,
    values: numbersIn(fields.values),
    ...(Array.isArray(fields.warming) && fields.warming.length > 0
      ? { warming: fields.warming.filter(isText) }
      : {}),
  };
};

const readFigure: Reader<Figure> = ({ scope, name, ts_event_ms, window, values }) => {
  if (!isText(scope) || !isText(name) || !isText(window)) return undefined;
  if (!isNumber(ts_event_ms) || !isFields(values)) return undefined;
  return { scope, name, ts_event_ms, window, values: numbersIn(values) };
};

const readAlert: Reader<AlertEvent> = (fields) => {
  if (!isText(fields.alert_id) || !isNumber(fields.ts_event_ms)) return undefined;
  return {
    alert_id: fields.alert_id,
    rule_id: textOrNull(fields.rule_id) ?? "",
    symbol: textOrNull(fields.symbol) ?? "",
    state: oneOf(fields.state, ["pending", "firing", "resolved", "unknown"], "unknown"),
    severity: oneOf(fields.severity, ["info", "warning", "critical"], "info"),
    ts_event_ms: fields.ts_event_ms,
    value: numberOrNull(fields.value),
    threshold: numberOrNull(fields.threshold),
    summary: textOrNull(fields.summary) ?? "",
    revision: numberOrNull(fields.revision) ?? 0,
  };
};

const readMarketEvent: Reader<MarketEvent> = (fields) => {
  if (!isText(fields.type) || !isNumber(fields.ts_event_ms)) return undefined;
  const detail = isFields(fields.detail) ? Object.entries(fields.detail) : [];
  return {
    type: fields.type,
    symbol: textOrNull(fields.symbol),
    source: textOrNull(fields.source),
    ts_event_ms: fields.ts_event_ms,
    detail: Object.fromEntries(detail.map(([name, value]) => [name, String(value)])),
  };
};

/** Turns what the server sent into records; what isn't one is left out. */
function listOf<T>(reader: Reader<T>): (data: unknown) => T[] {
  return (data) =>
    Array.isArray(data)
      ? data.flatMap((item: unknown) => {
          const record = isFields(item) ? reader(item) : undefined;
          return record === undefined ? [] : [record];
        })
      : [];
}

export const readTicks = listOf(readTick);
export const readBars = listOf(readBar);
export const readIndicators = listOf(readIndicatorSet);
export const readFigures = listOf(readFigure);
export const readAlerts = listOf(readAlert);
export const readMarketEvents = listOf(readMarketEvent);
