import type { ServerError } from "../socket/protocol.ts";

const errors: Readonly<Record<string, string>> = {
  bad_request: "The server did not understand the request",
  unauthorized: "The server asks for a valid API key",
  forbidden: "This API key may not see that",
  unknown_channel: "The server does not have this kind of data",
  unknown_symbol: "The server does not know this symbol",
  unknown_subscription: "The subscription had already ended",
  too_many_symbols: "More symbols than this key may follow",
  too_many_subscriptions: "More subscriptions than this key may hold",
  rate_limited: "Too many requests in a short time",
  too_large: "The request was too large",
  slow_consumer: "This connection is too slow for the data it asked for",
  auth_expired: "The sign-in has expired",
  shutting_down: "The server is shutting down",
  internal: "The server had a problem of its own",
  timeout: "The server did not answer in time",
};

/** An error of the server in plain words, its own message where it gave one we have no words for. */
export function errorWords(error: ServerError): string {
  return errors[error.code] ?? (error.message || `The server reported ${error.code}`);
}

/** A change of service: the server's message says more than its code. */
export function statusWords(status: ServerError): string {
  return upperFirst(status.message) || errorWords(status);
}

export function closingWords(code: string): string {
  return `The server closed the connection: ${lowerFirst(errorWords({ code, message: "" }))}`;
}

const reasons: Readonly<Record<string, string>> = {
  "io server disconnect": "The server ended the connection",
  "io client disconnect": "Disconnected",
  "ping timeout": "The server went silent",
  "transport close": "The connection was lost",
  "transport error": "The connection broke",
  offline: "This device is offline",
};

/** Why the connection went, from the Socket.IO client's reason or error message. */
export function disconnectWords(reason: string): string {
  return reasons[reason] ?? "The server can't be reached";
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
