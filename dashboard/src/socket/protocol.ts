/** The requests and answers of the socket. */

export type Channel = "ticks" | "bars" | "indicators" | "analytics" | "alerts" | "market_events";

export interface SubscribeRequest {
  channel: Channel;
  symbols: readonly string[];
  interval?: string;
  mode?: "latest" | "all";
  maxHz?: number;
  history?: number;
  /** Where an earlier connection's subscription had come to. */
  resume?: string;
}

export interface Subscribed {
  subscription: string;
  symbols: string[];
  rejected: ServerError[];
  snapshot: unknown;
  /** Whether the frames go on where `resume` was; if not, they go on from the snapshot. */
  recovered: boolean;
  resume: string | undefined;
}

export interface ServerError {
  code: string;
  message: string;
}

/** A change of service, as the server announces it. */
export interface ServerStatus extends ServerError {
  /** Frames a second that are left to us, null when all of them; undefined when that isn't what it is about. */
  rateHz?: number | null;
  /** By how many ms records are late at the server itself. */
  lagMs?: number;
  /** After how many ms the server wants to be asked again. */
  afterMs?: number;
}

export interface Frame {
  data: unknown;
  lost: number;
  resume: string | undefined;
}

export type Answer<T> = { ok: true; value: T } | { ok: false; error: ServerError };

type Fields = Record<string, unknown>;

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

/** A server's `{code, message}`, with words of our own where it gave none. */
export function readError(value: unknown): ServerError {
  const { code, message } = fieldsOf(value);
  return {
    code: typeof code === "string" ? code : "internal",
    message: typeof message === "string" ? message : "",
  };
}

const isPositive = (value: unknown): value is number => typeof value === "number" && value > 0;

const textOrNothing = (value: unknown): string | undefined =>
  typeof value === "string" ? value : undefined;

export function readStatus(value: unknown): ServerStatus {
  const { rate_hz, lag_ms, reconnect_after_ms } = fieldsOf(value);
  return {
    ...readError(value),
    ...(isPositive(rate_hz) || rate_hz === null ? { rateHz: rate_hz } : {}),
    ...(isPositive(lag_ms) ? { lagMs: lag_ms } : {}),
    ...(isPositive(reconnect_after_ms) ? { afterMs: reconnect_after_ms } : {}),
  };
}

export function readFrame(value: unknown): Frame {
  const { data, lost, resume } = fieldsOf(value);
  return { data, lost: isPositive(lost) ? lost : 0, resume: textOrNothing(resume) };
}

/** The acknowledgement of a request, its own fields read by `read`. */
export function readAnswer<T>(value: unknown, read: (fields: Fields) => T): Answer<T> {
  const fields = fieldsOf(value);
  return fields.ok === true
    ? { ok: true, value: read(fields) }
    : { ok: false, error: readError(fields.error) };
}

export function readSubscribed(fields: Fields): Subscribed {
  const { subscription, symbols, rejected, snapshot, recovered, resume } = fields;
  return {
    subscription: typeof subscription === "string" ? subscription : String(subscription),
    symbols: Array.isArray(symbols) ? symbols.filter((name) => typeof name === "string") : [],
    rejected: Array.isArray(rejected) ? rejected.map(readError) : [],
    snapshot,
    recovered: recovered === true,
    resume: textOrNothing(resume),
  };
}

/** Whether and after how many ms a `closing` wants the client back; undefined leaves the delay to the client. */
export function readClosing(value: unknown): {
  code: string;
  reconnect: boolean;
  afterMs?: number;
} {
  const { code, reconnect, reconnect_after_ms } = fieldsOf(value);
  const after = [reconnect_after_ms, reconnect].find(isPositive);
  return {
    code: typeof code === "string" ? code : "internal",
    reconnect: reconnect !== false,
    ...(after === undefined ? {} : { afterMs: after }),
  };
}

/** What `/readyz` says: the parts of the server that can't do their work now. */
export function readReasons(value: unknown): string[] {
  return Object.keys(fieldsOf(fieldsOf(value).reasons));
}
