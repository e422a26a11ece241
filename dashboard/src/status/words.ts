import type { Channel, ServerError, ServerStatus } from "../socket/protocol.ts";

const errors: Readonly<Record<string, string>> = {
  bad_request: "The server did not understand the request",
  unauthorized: "The server asks for an API key",
  forbidden: "This API key may not see that",
  unknown_channel: "The server does not have this kind of data",
  unknown_symbol: "The server does not know this symbol",
  unknown_subscription: "The subscription had already ended",
  too_many_symbols: "More symbols than this key may follow",
  too_many_subscriptions: "More subscriptions than this key may hold",
  rate_limited: "Too many requests or connections in a short time",
  too_large: "That is more than the server gives at once",
  slow_consumer: "This connection is too slow for the data it asked for",
  auth_expired: "The API key has ended",
  shutting_down: "The server is shutting down",
  internal: "The server had a problem of its own",
  timeout: "The server did not answer in time",
};

/**
 * An error of the server in plain words, its own message where it gave one we have no words for.
 *
 * @param keyGiven whether it answers a key
 */
export function errorWords(error: ServerError, keyGiven = false): string {
  if (error.code === "unauthorized" && keyGiven) return "The server does not take this API key";
  return errors[error.code] ?? (error.message || `The server reported ${error.code}`);
}

const announcements: Readonly<Record<string, string>> = {
  feed_down: "The server is cut off from the market's data",
  feed_up: "The market's data is back; nothing was missed",
  slow_consumer: "This connection can't keep up; the server will end it if that goes on",
  shutting_down: "The server is about to shut down; this page will come back by itself",
};

/** A change of service in plain words; the server's own where its code says too little. */
export function statusWords(status: ServerStatus): string {
  if (status.rateHz === null) return "This connection keeps up again: every update comes";
  if (status.rateHz !== undefined) return rateWords(status.rateHz);
  return announcements[status.code] ?? (upperFirst(status.message) || errorWords(status));
}

/** To how many updates a second the server has slowed this connection down. */
export function rateWords(hz: number): string {
  const often = hz === 1 ? "once a second" : `${hz} times a second`;
  return `This connection can't keep up: updates come ${often} at most`;
}

export function closingWords(code: string): string {
  return `The server closed the connection: ${lowerFirst(errorWords({ code, message: "" }))}`;
}

const reasons: Readonly<Record<string, string>> = {
  "io server disconnect": "The server ended the connection",
  "io client disconnect": "Disconnected",
  "ping timeout": "The server went silent",
  mute: "The server went silent",
  timeout: "The server does not answer",
  "transport close": "The connection was lost",
  "transport error": "The connection broke",
};

/** Why the connection went, from the Socket.IO client's reason or error message. */
export function disconnectWords(reason: string): string {
  return reasons[reason] ?? "The server can't be reached";
}

export const freshStartWords = "Everything was loaded anew: too much had been missed to go on";
export const caughtUpWords = "Caught up: nothing was missed";

const channels: Readonly<Record<Channel, string>> = {
  ticks: "prices",
  bars: "bars",
  indicators: "indicators",
  alerts: "alerts",
  market_events: "market events",
};

/** What the server won't give, and why. */
export function unavailableWords(channel: Channel, error: ServerError): string {
  return `No ${channels[channel]}: ${lowerFirst(errorWords(error))}`;
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
