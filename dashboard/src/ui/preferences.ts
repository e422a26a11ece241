import type { Action, Frequency, Palette, Tab, Theme } from "../store/actions.ts";

import { type ZoneChoice, zoneChoices } from "./time-zone.ts";

/** What the user chose about the look; all but the tab is remembered in the browser. */
export interface Preferences {
  theme: Theme;
  palette: Palette;
  /** In whose time every time is shown. */
  zone: ZoneChoice;
  frequency: Frequency;
  /** Whether an alert that fires is shown by the system, and heard. Both only by consent. */
  notify: boolean;
  sound: boolean;
  tab: Tab;
}

export const defaultPreferences: Preferences = {
  theme: "system",
  palette: "green-red",
  zone: "exchange",
  frequency: "live",
  notify: false,
  sound: false,
  tab: "chart",
};

export function preferencesReducer(state: Preferences, action: Action): Preferences {
  switch (action.type) {
    case "theme":
      return { ...state, theme: action.theme };
    case "palette":
      return { ...state, palette: action.palette };
    case "zone":
      return { ...state, zone: action.zone };
    case "frequency":
      return { ...state, frequency: action.frequency };
    case "notify":
      return { ...state, notify: action.on };
    case "sound":
      return { ...state, sound: action.on };
    case "tab":
      return { ...state, tab: action.tab };
    default:
      return state;
  }
}

export const themes: readonly Theme[] = ["system", "dark", "light"];
export const palettes: readonly Palette[] = ["green-red", "blue-orange"];
export const frequencies: readonly Frequency[] = ["live", "1s", "5s"];

/** What is kept between visits, as text. */
export function serialize(preferences: Preferences): string {
  return JSON.stringify({ ...preferences, tab: undefined });
}

/** Reads what `serialize` wrote; whatever isn't as expected is left at its default. */
export function deserialize(text: string | null): Preferences {
  const kept = parse(text);
  return {
    ...defaultPreferences,
    theme: themes.find((theme) => theme === kept.theme) ?? defaultPreferences.theme,
    palette: palettes.find((name) => name === kept.palette) ?? defaultPreferences.palette,
    zone: zoneChoices.find((zone) => zone === kept.zone) ?? defaultPreferences.zone,
    frequency: frequencies.find((one) => one === kept.frequency) ?? defaultPreferences.frequency,
    notify: kept.notify === true,
    sound: kept.sound === true,
  };
}

function parse(text: string | null): Record<string, unknown> {
  try {
    return asFields(JSON.parse(text ?? "{}"));
  } catch {
    return {};
  }
}

function asFields(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
