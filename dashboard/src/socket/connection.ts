import { io, type Socket } from "socket.io-client";

import type { ConnectionAction } from "../store/actions.ts";

import { backoff } from "./backoff.ts";
import { type Answer, readAnswer, readClosing, readError, type ServerError } from "./protocol.ts";

const answerWithinMs = 10_000;
/** After these the server would only say the same again. */
const finalCodes: readonly string[] = ["unauthorized", "forbidden", "auth_expired"];

export interface ConnectionOptions {
  /** Where the bridge is; the page's own origin when left out. */
  url?: string;
  dispatch: (action: ConnectionAction) => void;
  apiKey: () => string | null;
  onConnected: () => void;
  onEvent: (name: string, payload: unknown) => void;
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
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closing: ReturnType<typeof readClosing> | undefined;

  constructor(private readonly options: ConnectionOptions) {
    this.now = options.now ?? Date.now;
    this.random = options.random ?? Math.random;
    const settings = {
      autoConnect: false,
      reconnection: false,
      forceNew: true,
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
    this.attempt = 0;
    this.connect();
  }

  private connect(): void {
    clearTimeout(this.timer);
    if (this.socket.connected) return;
    this.options.dispatch({ type: "connecting", at: this.now() });
    this.socket.connect();
  }

  close(): void {
    clearTimeout(this.timer);
    this.socket.off();
    this.socket.disconnect();
  }

  /** Drops a connection that no longer answers and makes a new one. */
  reopen(): void {
    this.socket.disconnect();
    this.open();
  }

  /** Asks the server; never rejects: silence and a lost connection are answers too. */
  async request<T>(
    event: string,
    payload: object,
    read: (fields: Record<string, unknown>) => T,
    withinMs = answerWithinMs,
  ): Promise<Answer<T>> {
    try {
      const answer: unknown = await this.socket.timeout(withinMs).emitWithAck(event, payload);
      return readAnswer(answer, read);
    } catch {
      return { ok: false, error: { code: "timeout", message: "" } };
    }
  }

  private listen(): void {
    const { dispatch, onConnected, onEvent } = this.options;
    this.socket.on("connect", () => {
      this.attempt = 0;
      this.closing = undefined;
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
      dispatch({ type: "closing", at: this.now(), code: this.closing.code });
    });
    this.socket.on("status", (payload: unknown) => {
      dispatch({ type: "serverStatus", at: this.now(), status: readError(payload) });
    });
    this.socket.onAny(onEvent);
  }

  private refused(error: ServerError): void {
    if (finalCodes.includes(error.code) || this.closing?.reconnect === false)
      this.options.dispatch({ type: "refused", at: this.now(), error });
    else this.retryLater(error.message || error.code);
  }

  private retryLater(reason: string): void {
    const delay = this.closing?.afterMs ?? backoff(this.attempt, this.random());
    this.attempt += 1;
    this.closing = undefined;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.connect();
    }, delay);
    const at = this.now();
    this.options.dispatch({ type: "disconnected", at, reason, retryAt: at + delay });
  }
}
