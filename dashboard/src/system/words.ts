import { spoken } from "../ui/language.ts";

interface Figure {
  label: string;
  hint: string;
}

const figure = (label: string, hint: string): Figure => ({ label, hint });

export const words = spoken({
  en: {
    quality: "Connection quality",
    figures: {
      rate: figure("Trades a second", "What reaches this page, conflated ones counted"),
      median: figure("Median latency", "From the platform's intake of a trade to this page"),
      p99: figure("p99 latency", "99 of 100 trades were here sooner"),
      roundTrip: figure("Round trip", "A question to the server and its answer"),
      lost: figure("Lost", "Records left out where none may be"),
      drops: figure("Connection lost", "Since this page was opened"),
      resumes: figure("Back without a gap", "What was missed was brought, each record once"),
      starts: figure("Begun anew", "Too much had been missed to go on"),
      stalls: figure("Stood still", "The page slept, or the browser gave it no frames"),
    },
    services: "Services",
    table: "Table of services",
    titles: ["Service", "State", "Records/s", "Lag", "CPU", "Memory"],
    reports: "reports",
    silentFor: (age: string) => `silent ${age}`,
    silent: (count: number) => `${count} silent`,
    allReport: "all report",
    none: "No service has reported for a minute.",
    asking: "Asking the services how they are.",
    failed: (why: string) => `No figures: ${why}.`,
    retry: "Try again",
  },
  de: {
    quality: "Verbindungsqualität",
    figures: {
      rate: figure("Trades je Sekunde", "Was diese Seite erreicht, Zusammengefasstes mitgezählt"),
      median: figure(
        "Mittlere Latenz",
        "Vom Eingang eines Trades in die Plattform bis zu dieser Seite",
      ),
      p99: figure("p99-Latenz", "99 von 100 Trades waren schneller hier"),
      roundTrip: figure("Hin und zurück", "Eine Frage an den Server und seine Antwort"),
      lost: figure("Verloren", "Ausgelassen, wo nichts fehlen darf"),
      drops: figure("Verbindung verloren", "Seit diese Seite offen ist"),
      resumes: figure("Lückenlos zurück", "Was fehlte, wurde nachgeholt, alles genau einmal"),
      starts: figure("Neu begonnen", "Es fehlte zu viel, um fortzufahren"),
      stalls: figure("Stillgestanden", "Die Seite schlief, oder der Browser gab ihr keine Bilder"),
    },
    services: "Dienste",
    table: "Tabelle der Dienste",
    titles: ["Dienst", "Zustand", "Daten/s", "Rückstand", "CPU", "Speicher"],
    reports: "meldet sich",
    silentFor: (age) => `still seit ${age}`,
    silent: (count) => `${count} still`,
    allReport: "alle melden sich",
    none: "Seit einer Minute hat sich kein Dienst gemeldet.",
    asking: "Die Dienste werden gefragt, wie es ihnen geht.",
    failed: (why) => `Keine Zahlen: ${why}.`,
    retry: "Noch einmal versuchen",
  },
});
