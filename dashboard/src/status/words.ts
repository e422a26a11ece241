import type { Channel, ServerError, ServerStatus } from "../socket/protocol.ts";
import { formatAge, formatCount } from "../ui/format.ts";
import { spoken } from "../ui/language.ts";

import type { Session } from "./market-clock.ts";

type Texts = Readonly<Record<string, string>>;

const english = {
  errors: {
    bad_request: "The server did not understand the request",
    unauthorized: "The server asks for an API key",
    forbidden: "This API key may not see that",
    read_only: "This API key may only read",
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
  } as Texts,
  keyNotTaken: "The server does not take this API key",
  reported: (code: string) => `The server reported ${code}`,
  announcements: {
    feed_down: "The server is cut off from the market's data",
    feed_up: "The market's data is back; nothing was missed",
    caught_up: "The server keeps up again: updates come in time",
    slow_consumer: "This connection can't keep up; the server will end it if that goes on",
    shutting_down: "The server is about to shut down; this page will come back by itself",
  } as Texts,
  keepsUp: "This connection keeps up again: every update comes",
  slowed: (hz: number) => {
    const often = hz === 1 ? "once a second" : `${formatCount(hz)} times a second`;
    return `This connection can't keep up: updates come ${often} at most`;
  },
  lagging: (age: string) => `The server can't keep up: updates come ${age} late`,
  closed: (why: string) => `The server closed the connection: ${lowerFirst(why)}`,
  reasons: {
    "io server disconnect": "The server ended the connection",
    "io client disconnect": "Disconnected",
    "ping timeout": "The server went silent",
    mute: "The server went silent",
    timeout: "The server does not answer",
    "transport close": "The connection was lost",
    "transport error": "The connection broke",
  } as Texts,
  unreachable: "The server can't be reached",
  freshStart: "Everything was loaded anew: too much had been missed to go on",
  caughtUp: "Caught up: nothing was missed",
  channels: {
    ticks: "prices",
    bars: "bars",
    indicators: "indicators",
    analytics: "figures",
    alerts: "alerts",
    market_events: "market events",
  } as Readonly<Record<Channel, string>>,
  unavailable: (what: string, why: string) => `No ${what}: ${lowerFirst(why)}`,
  sessions: {
    unknown: "",
    pre: "pre-market",
    regular: "market open",
    post: "after hours",
    closed: "market closed",
    continuous: "open around the clock",
  } as Readonly<Record<Session, string>>,
  connecting: "connecting",
  catchingUp: "catching up",
  live: (latency: string) => (latency === "" ? "live" : `live ${latency}`),
  quiet: (age: string) => `live, quiet ${age}`,
  stale: (age: string) => `stale ${age}`,
  offline: "offline",
  reconnectingNow: "reconnecting now",
  reconnectingIn: (seconds: number) => `reconnecting in ${seconds} s`,
  refused: "refused",
  deviceOffline: "This device is offline",
  mute: "The server gives no sign of life",
  broken: (parts: string) => `Not all of this page can be drawn: ${parts}`,
  old: (age: string) => `What you see is ${age} old.`,
  tryingNow: "Trying now.",
  tryingIn: (seconds: number) => `Trying again in ${seconds} s.`,
  replay: (day: string, clock: string) => `replay ${day} ${clock}`,
  apiKey: "API key",
  connect: "Connect",
  retry: "Retry now",
  notice: "Notice",
  status: "Status",
  figures: {
    ticks: "ticks/s",
    p99: "p99 latency",
    roundTrip: "round trip",
    lost: "lost",
    resumes: "resumed",
    symbols: "symbols",
  },
  history: (drops: number, resumes: number, starts: number) =>
    `Lost ${drops} times; came back without a gap ${resumes} times, began anew ${
      starts === 1 ? "once" : `${starts} times`
    }`,
};

const german: typeof english = {
  errors: {
    bad_request: "Der Server hat die Anfrage nicht verstanden",
    unauthorized: "Der Server verlangt einen API-Schlüssel",
    forbidden: "Dieser API-Schlüssel gibt darauf keinen Zugriff",
    read_only: "Dieser API-Schlüssel darf nur lesen",
    unknown_channel: "Der Server hat keine Daten dieser Art",
    unknown_symbol: "Der Server kennt dieses Symbol nicht",
    unknown_subscription: "Das Abonnement war schon beendet",
    too_many_symbols: "Mehr Symbole, als dieser Schlüssel verfolgen darf",
    too_many_subscriptions: "Mehr Abonnements, als dieser Schlüssel halten darf",
    rate_limited: "Zu viele Anfragen oder Verbindungen in kurzer Zeit",
    too_large: "Das ist mehr, als der Server auf einmal gibt",
    slow_consumer: "Diese Verbindung ist zu langsam für die verlangten Daten",
    auth_expired: "Der API-Schlüssel ist abgelaufen",
    shutting_down: "Der Server fährt herunter",
    internal: "Der Server hat selbst ein Problem",
    timeout: "Der Server hat nicht rechtzeitig geantwortet",
  },
  keyNotTaken: "Der Server nimmt diesen API-Schlüssel nicht an",
  reported: (code) => `Der Server meldet ${code}`,
  announcements: {
    feed_down: "Der Server ist von den Marktdaten abgeschnitten",
    feed_up: "Die Marktdaten sind wieder da; nichts ging verloren",
    caught_up: "Der Server kommt wieder mit: Änderungen treffen rechtzeitig ein",
    slow_consumer:
      "Diese Verbindung kommt nicht mit; der Server wird sie beenden, wenn das so weitergeht",
    shutting_down: "Der Server fährt gleich herunter; diese Seite kommt von selbst wieder",
  },
  keepsUp: "Diese Verbindung kommt wieder mit: jede Änderung wird übertragen",
  slowed: (hz) => {
    const often = hz === 1 ? "einmal" : `${formatCount(hz)}-mal`;
    return `Diese Verbindung kommt nicht mit: Änderungen höchstens ${often} je Sekunde`;
  },
  lagging: (age) => `Der Server kommt nicht mit: Änderungen treffen um ${age} verspätet ein`,
  closed: (why) => `Der Server hat die Verbindung geschlossen. ${why}`,
  reasons: {
    "io server disconnect": "Der Server hat die Verbindung beendet",
    "io client disconnect": "Getrennt",
    "ping timeout": "Der Server ist verstummt",
    mute: "Der Server ist verstummt",
    timeout: "Der Server antwortet nicht",
    "transport close": "Die Verbindung ging verloren",
    "transport error": "Die Verbindung ist abgebrochen",
  },
  unreachable: "Der Server ist nicht erreichbar",
  freshStart: "Alles wurde neu geladen: es fehlte zu viel, um fortzufahren",
  caughtUp: "Aufgeholt: nichts ging verloren",
  channels: {
    ticks: "Kurse",
    bars: "Balken",
    indicators: "Indikatoren",
    analytics: "Zahlen der Analyse",
    alerts: "Alarme",
    market_events: "Marktereignisse",
  },
  unavailable: (what, why) => `Keine ${what}. ${why}`,
  sessions: {
    unknown: "",
    pre: "vorbörslich",
    regular: "Börse offen",
    post: "nachbörslich",
    closed: "Börse geschlossen",
    continuous: "rund um die Uhr offen",
  },
  connecting: "verbindet",
  catchingUp: "holt auf",
  live: (latency) => (latency === "" ? "live" : `live ${latency}`),
  quiet: (age) => `live, still seit ${age}`,
  stale: (age) => `veraltet ${age}`,
  offline: "offline",
  reconnectingNow: "verbindet neu",
  reconnectingIn: (seconds) => `verbindet in ${seconds} s`,
  refused: "abgelehnt",
  deviceOffline: "Dieses Gerät ist offline",
  mute: "Der Server gibt kein Lebenszeichen",
  broken: (parts) => `Nicht alles auf dieser Seite lässt sich zeichnen: ${parts}`,
  old: (age) => `Was Sie sehen, ist ${age} alt.`,
  tryingNow: "Neuer Versuch läuft.",
  tryingIn: (seconds) => `Neuer Versuch in ${seconds} s.`,
  replay: (day, clock) => `Aufzeichnung ${day} ${clock}`,
  apiKey: "API-Schlüssel",
  connect: "Verbinden",
  retry: "Jetzt versuchen",
  notice: "Hinweis",
  status: "Status",
  figures: {
    ticks: "Trades/s",
    p99: "p99-Latenz",
    roundTrip: "Hin und zurück",
    lost: "verloren",
    resumes: "fortgesetzt",
    symbols: "Symbole",
  },
  history: (drops, resumes, starts) =>
    `${drops}-mal getrennt; ${resumes}-mal lückenlos fortgesetzt, ${starts}-mal neu begonnen`,
};

export const words = spoken({ en: english, de: german });

export const { freshStart: freshStartWords, caughtUp: caughtUpWords } = words;

/**
 * An error of the server in plain words, its own message where it gave one we have no words for.
 *
 * @param keyGiven whether it answers a key
 */
export function errorWords(error: ServerError, keyGiven = false): string {
  if (error.code === "unauthorized" && keyGiven) return words.keyNotTaken;
  return words.errors[error.code] ?? (error.message || words.reported(error.code));
}

/** A change of service in plain words; the server's own where its code says too little. */
export function statusWords(status: ServerStatus): string {
  if (status.rateHz === null) return words.keepsUp;
  if (status.rateHz !== undefined) return words.slowed(status.rateHz);
  if (status.code === "lagging") return words.lagging(formatAge(status.lagMs ?? 0));
  return words.announcements[status.code] ?? (upperFirst(status.message) || errorWords(status));
}

export function closingWords(code: string): string {
  return words.closed(errorWords({ code, message: "" }));
}

/** Why the connection went, from the Socket.IO client's reason or error message. */
export function disconnectWords(reason: string): string {
  return words.reasons[reason] ?? words.unreachable;
}

/** What the server won't give, and why. */
export function unavailableWords(channel: Channel, error: ServerError): string {
  return words.unavailable(words.channels[channel], errorWords(error));
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
