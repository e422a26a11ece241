import type { MarketEvent } from "../socket/records.ts";
import { spoken } from "../ui/language.ts";

/** By the type of the event; others keep their own name. */
const events: Readonly<Record<string, string>> = {
  session_open: "Session opened",
  session_close: "Session closed",
  halt: "Trading halted",
  resume: "Trading resumed",
  feed_up: "Feed up",
  feed_down: "Feed down",
  gap: "Gap in the feed",
};

export const words = spoken({
  en: {
    title: "Activity",
    kinds: { all: "All", market: "Market", server: "Server", connection: "Connection" },
    kind: "Kind of activity",
    search: "Search activity",
    symbol: "Symbol",
    allSymbols: "All symbols",
    period: "Time",
    periods: { all: "Any time", "5m": "Last 5 min", "1h": "Last hour" },
    save: "Save as CSV",
    noMatch: "Nothing matches the filter.",
    none: "Nothing has happened yet.",
    events,
    connected: "Connected",
    offline: "This device is offline",
    online: "This device is online again",
    slept: (age: string) => `This page stood still for ${age}`,
    stalled: (age: string) => `The screen stood still for ${age}`,
    broken: (part: string) => `A part of this page can't be drawn: ${part}`,
  },
  de: {
    title: "Ereignisse",
    kinds: { all: "Alle", market: "Markt", server: "Server", connection: "Verbindung" },
    kind: "Art der Ereignisse",
    search: "Ereignisse suchen",
    symbol: "Symbol",
    allSymbols: "Alle Symbole",
    period: "Zeit",
    periods: { all: "Jederzeit", "5m": "Letzte 5 min", "1h": "Letzte Stunde" },
    save: "Als CSV sichern",
    noMatch: "Nichts passt zum Filter.",
    none: "Noch ist nichts geschehen.",
    events: {
      session_open: "Handel eröffnet",
      session_close: "Handel geschlossen",
      halt: "Handel ausgesetzt",
      resume: "Handel wieder aufgenommen",
      feed_up: "Datenquelle da",
      feed_down: "Datenquelle ausgefallen",
      gap: "Lücke in den Daten",
    },
    connected: "Verbunden",
    offline: "Dieses Gerät ist offline",
    online: "Dieses Gerät ist wieder online",
    slept: (age) => `Diese Seite stand ${age} still`,
    stalled: (age) => `Das Bild stand ${age} still`,
    broken: (part) => `Ein Teil dieser Seite lässt sich nicht zeichnen: ${part}`,
  },
});

/** A market event in plain words, its details behind it. */
export function eventWords(event: MarketEvent): string {
  const what = words.events[event.type] ?? event.type.replaceAll("_", " ");
  const detail = Object.entries(event.detail).map(([name, value]) => `${name} ${value}`);
  const from = event.source === null ? [] : [event.source];
  const rest = [...from, ...detail].join(", ");
  return rest === "" ? what : `${what} (${rest})`;
}
