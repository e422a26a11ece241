/** The requests and answers of the socket. */

export type Channel = "ticks" | "bars" | "indicators" | "alerts" | "market_events";

export interface SubscribeRequest {
  channel: Channel;
  symbols: readonly string[];
  interval?: string;
  mode?: "latest" | "all";
  maxHz?: number;
  history?: number;
}

export interface Subscribed {
  subscription: string;
  symbols: string[];
  rejected: ServerError[];
  snapshot: unknown;
}

export interface ServerError {
  code: string;
  message: string;
}

export interface Frame {
  data: unknown;
  lost: number;
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

export function readFrame(value: unknown): Frame {
  const { data, lost } = fieldsOf(value);
  return { data, lost: typeof lost === "number" && lost > 0 ? lost : 0 };
}

/** The acknowledgement of a request, its own fields read by `read`. */
export function readAnswer<T>(value: unknown, read: (fields: Fields) => T): Answer<T> {
  const fields = fieldsOf(value);
  return fields.ok === true
    ? { ok: true, value: read(fields) }
    : { ok: false, error: readError(fields.error) };
}

export function readSubscribed(fields: Fields): Subscribed {
  const { subscription, symbols, rejected, snapshot } = fields;
  return {
    subscription: typeof subscription === "string" ? subscription : String(subscription),
    symbols: Array.isArray(symbols) ? symbols.filter((name) => typeof name === "string") : [],
    rejected: Array.isArray(rejected) ? rejected.map(readError) : [],
    snapshot,
  };
}

/** Whether and after how many ms a `closing` wants the client back; undefined leaves the delay to the client. */
export function readClosing(value: unknown): {
  code: string;
  reconnect: boolean;
  afterMs?: number;
} {
  const { code, reconnect } = fieldsOf(value);
  return {
    code: typeof code === "string" ? code : "internal",
    reconnect: reconnect !== false,
    ...(typeof reconnect === "number" && reconnect > 0 ? { afterMs: reconnect } : {}),
  };
}
