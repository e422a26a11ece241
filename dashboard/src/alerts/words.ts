import { spoken } from "../ui/language.ts";

export const words = spoken({
  en: {
    title: "Alerts",
    states: { pending: "pending", firing: "firing", resolved: "resolved", unknown: "unknown" },
    severities: { info: "info", warning: "warning", critical: "critical" },
    firing: (count: number) => `${count} firing`,
    none: "No alert yet. They appear here as rules begin to fire.",
    fires: (severity: string, summary: string) => `${severity} alert: ${summary}`,
    several: (count: number, symbol: string) => `${count} alerts firing, the latest for ${symbol}`,
  },
  de: {
    title: "Alarme",
    states: { pending: "wartet", firing: "aktiv", resolved: "vorbei", unknown: "unbekannt" },
    severities: { info: "Info", warning: "Warnung", critical: "kritisch" },
    firing: (count) => `${count} aktiv`,
    none: "Noch kein Alarm. Hier erscheinen sie, sobald eine Regel anschlägt.",
    fires: (severity, summary) => `Alarm, ${severity}: ${summary}`,
    several: (count, symbol) => `${count} Alarme aktiv, der neueste zu ${symbol}`,
  },
});
