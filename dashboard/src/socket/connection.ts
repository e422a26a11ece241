import { io, type Socket } from "socket.io-client";

import type { ConnectionAction } from "../store/actions.ts";

import { backoff } from "./backoff.ts";
import {
  type Answer,
  readAnswer,
  readClosing,
  readError,
  readStatus,
  type ServerError,
} from "./protocol.ts";

const answerWithinMs = 10_000;
const connectWithinMs = 10_000;
/** A try that has only just begun isn't begun anew. */
const freshTryMs = 1_000;
/** After these the server would only say the same again. */
const finalCodes: readonly string[] = ["unauthorized", "forbidden", "auth_expired"];

type Fields = Record<string, unknown>;

export interface ConnectionOptions {
  /** Where the bridge is; the page's own origin when left out. */
  url?: string;
  dispatch: (action: ConnectionAction) => void;
  apiKey: () => string | null;
  onConnected: () => void;
  onEvent: (name: string, payload: unknown) => void;
  /** Called with every sign of life. */
  onHeard: () => void;
  now?: () => number;
  random?: () => number;
}

/**
 * The one socket. It reconnects by itself: the stock client's own way doesn't tell when the next try is, and the
 * page shows it.
 */
export class Connection {
  private readonly socket: Socket;
  private readonly now: () => number;
  private readonly random: () => number;
  private attempt = 0;
  private triedAt = Number.NEGATIVE_INFINITY;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closing: ReturnType<typeof readClosing> | undefined;
  /** Before this time the server that goes doesn't want us back. */
  private notBefore = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: ConnectionOptions) {
    this.now = options.now ?? Date.now;
    this.random = options.random ?? Math.random;
    const settings = {
      autoConnect: false,
      reconnection: false,
      forceNew: true,
      // The deadline of our own goes on to the server's welcome, the library's only to the open socket.
      timeout: 2 * connectWithinMs,
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      auth: (give: (auth: object) => void) => {
        const apiKey = options.apiKey();
        give(apiKey === null ? {} : { apiKey });
      },
    };
    this.socket = options.url === undefined ? io(settings) : io(options.url, settings);
    this.listen();
  }

  isConnected(): boolean {
    return this.socket.connected;
  }

  /** Connects now, without waiting for the countdown, and begins to count the tries anew. */
  open(): void {
    if (this.now() - this.triedAt < freshTryMs && this.socket.active) return;
    this.attempt = 0;
    this.connect();
  }

  close(): void {
    clearTimeout(this.timer);
    this.socket.off();
    this.socket.disconnect();
  }

  /** Drops a connection that no longer answers and makes a new one. */
  reopen(): void {
    this.socket.disconnect();
    this.attempt = 0;
    const at = this.now();
    this.options.dispatch({ type: "disconnected", at, reason: "mute", retryAt: at });
    this.connect();
  }

  /**
   * Asks the server. `take` gets the answer at the moment it comes, before the frames behind it; silence and a lost
   * connection are answers too.
   */
  ask<T>(
    event: string,
    payload: object,
    read: (fields: Fields) => T,
    take: (answer: Answer<T>) => void,
    withinMs = answerWithinMs,
  ): void {
    const silence: ServerError = { code: "timeout", message: "" };
    if (!this.socket.connected) {
      take({ ok: false, error: silence });
      return;
    }
    this.socket.timeout(withinMs).emit(event, payload, (error: unknown, answer: unknown) => {
      if (error === null) this.options.onHeard();
      take(error === null ? readAnswer(answer, read) : { ok: false, error: silence });
    });
  }

  /** As `ask`, for who need not be quicker than the frames. */
  request<T>(
    event: string,
    payload: object,
    read: (fields: Fields) => T,
    withinMs = answerWithinMs,
  ): Promise<Answer<T>> {
    return new Promise((resolve) => {
      this.ask(event, payload, read, resolve, withinMs);
    });
  }

  private connect(): void {
    clearTimeout(this.timer);
    if (this.socket.connected) return;
    if (this.socket.active) this.socket.disconnect();
    this.triedAt = this.now();
    this.options.dispatch({ type: "connecting", at: this.triedAt });
    this.timer = setTimeout(() => {
      this.socket.disconnect();
      this.retryLater("timeout");
    }, connectWithinMs);
    this.socket.connect();
  }

  private listen(): void {
    const { dispatch, onConnected, onEvent, onHeard } = this.options;
    this.socket.on("connect", () => {
      clearTimeout(this.timer);
      this.attempt = 0;
      this.closing = undefined;
      this.notBefore = Number.NEGATIVE_INFINITY;
      dispatch({ type: "connected", at: this.now() });
      onConnected();
    });
    this.socket.on("connect_error", (error: Error & { data?: unknown }) => {
      if (error.data === undefined) this.retryLater(error.message);
      else this.refused(readError(error.data));
    });
    this.socket.on("disconnect", (reason) => {
      if (this.closing?.reconnect === false) this.refused({ code: this.closing.code, message: "" });
      else if (reason !== "io client disconnect") this.retryLater(reason);
    });
    this.socket.on("closing", (payload: unknown) => {
      this.closing = readClosing(payload);
      this.wait(this.closing.afterMs);
      dispatch({ type: "closing", at: this.now(), code: this.closing.code });
    });
    this.socket.on("status", (payload: unknown) => {
      const status = readStatus(payload);
      this.wait(status.afterMs);
      dispatch({ type: "serverStatus", at: this.now(), status });
    });
    this.socket.onAny((name: string, payload: unknown) => {
      onHeard();
      onEvent(name, payload);
    });
    this.socket.io.on("ping", onHeard);
  }

  private wait(afterMs: number | undefined): void {
    if (afterMs !== undefined) this.notBefore = this.now() + afterMs;
  }

  private refused(error: ServerError): void {
    if (!finalCodes.includes(error.code) && this.closing?.reconnect !== false) {
      this.retryLater(error.code, error);
      return;
    }
    clearTimeout(this.timer);
    const keyGiven = this.options.apiKey() !== null;
    this.options.dispatch({ type: "refused", at: this.now(), error, keyGiven });
  }

  private retryLater(reason: string, error?: ServerError): void {
    const at = this.now();
    const delay = Math.max(backoff(this.attempt, this.random()), this.notBefore - at);
    this.attempt += 1;
    this.closing = undefined;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.connect();
    }, delay);
    const told = error === undefined ? {} : { error };
    this.options.dispatch({ type: "disconnected", at, reason, retryAt: at + delay, ...told });
  }
}
