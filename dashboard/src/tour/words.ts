import { spoken } from "../ui/language.ts";

interface Step {
  /** The view of a narrow screen in which it is seen. */
  tab: "market" | "chart" | "alerts";
  text: string;
}

interface Words {
  tour: string;
  steps: readonly Step[];
  place: (step: number, of: number) => string;
  next: string;
  done: string;
  skip: string;
}

const en: Words = {
  tour: "A short tour",
  steps: [
    {
      tab: "market",
      text: "Every symbol, live. A click charts it, ★ keeps it on top, ✎ makes watchlists; the Market view (m) shows all of it as a table or as cards.",
    },
    {
      tab: "chart",
      text: "Its chart. The keys 1 to 6 change the timeframe; scroll or pinch to zoom, drag to go back in time, 0 returns to now.",
    },
    {
      tab: "alerts",
      text: "Alerts as they fire, and below them what happened to the market and to this connection.",
    },
    {
      tab: "chart",
      text: "The address above is what you see: send it to someone and they see it, too. ? lists all keys.",
    },
  ],
  place: (step, of) => `${step} of ${of}`,
  next: "Next",
  done: "Done",
  skip: "Skip the tour",
};

const de: Words = {
  tour: "Ein kurzer Rundgang",
  steps: [
    {
      tab: "market",
      text: "Jedes Symbol, live. Ein Klick zeigt seinen Chart, ★ hält es oben, ✎ legt Watchlists an; die Ansicht Markt (m) zeigt alles als Tabelle oder Karten.",
    },
    {
      tab: "chart",
      text: "Sein Chart. Die Tasten 1 bis 6 wechseln das Intervall; Scrollen oder Spreizen vergrößert, Ziehen geht in der Zeit zurück, 0 zum Jetzt.",
    },
    {
      tab: "alerts",
      text: "Alarme, sobald sie auslösen, und darunter, was mit dem Markt und dieser Verbindung geschah.",
    },
    {
      tab: "chart",
      text: "Die Adresse oben ist, was du siehst: Wer sie bekommt, sieht dasselbe. ? nennt alle Tasten.",
    },
  ],
  place: (step, of) => `${step} von ${of}`,
  next: "Weiter",
  done: "Fertig",
  skip: "Rundgang überspringen",
};

export const words = spoken({ en, de });
