import type { AppStore, State } from "../store/state.ts";

import { words as alertWords } from "../alerts/words.ts";
import { chime } from "../alerts/sound.ts";
import { mayNotify } from "../alerts/voice.ts";

import { button, h, setText } from "./dom.ts";
import { zoneName } from "./format.ts";
import { chooseLanguage, chosenLanguage, languages } from "./language.ts";
import { frequencies, palettes, themes } from "./preferences.ts";
import { zoneChoices, zoneOf } from "./time-zone.ts";
import { words } from "./words.ts";

interface Choice<Value extends string> {
  element: HTMLElement;
  paint: (chosen: Value) => void;
}

/** Radio buttons in a row. */
function choice<Value extends string>(
  name: string,
  title: string,
  labels: readonly [Value, string][],
  choose: (value: Value) => void,
  note?: HTMLElement,
): Choice<Value> {
  const inputs = labels.map(([value]) => {
    const input = h("input", { type: "radio", name, value });
    input.addEventListener("change", () => {
      choose(value);
    });
    return input;
  });
  const items = labels.map(([, label], index) => h("label", {}, inputs[index] ?? "", label));
  const options = h("div", { class: "options" }, ...items);
  const rest = note === undefined ? [] : [note];
  const legend = h("legend", {}, title);
  const element = h("fieldset", { "data-testid": name }, legend, options, ...rest);
  return {
    element,
    paint(chosen) {
      for (const input of inputs) input.checked = input.value === chosen;
    },
  };
}

const labelled = <Value extends string>(
  values: readonly Value[],
  labels: Readonly<Record<Value, string>>,
): [Value, string][] => values.map((value) => [value, labels[value]]);

/** What happens beside the list when an alert fires: asked for here, and by the browser. */
function alertChoices(store: AppStore): { element: HTMLElement; paint: (state: State) => void } {
  const notify = h("input", { type: "checkbox", "data-testid": "notify" });
  const sound = h("input", { type: "checkbox", "data-testid": "sound" });
  const note = h("p", { class: "note", role: "status" });
  const askBrowser = async (): Promise<void> => {
    if ("Notification" in globalThis) await Notification.requestPermission();
    const allowed = mayNotify();
    store.dispatch({ type: "notify", on: allowed });
    notify.checked = allowed;
    setText(note, allowed ? "" : alertWords.denied);
  };
  notify.addEventListener("change", () => {
    if (notify.checked) void askBrowser();
    else store.dispatch({ type: "notify", on: false });
  });
  sound.addEventListener("change", () => {
    store.dispatch({ type: "sound", on: sound.checked });
    if (sound.checked) chime();
  });
  const legend = h("legend", {}, alertWords.onAlert);
  const checks = [
    h("label", { class: "check" }, notify, alertWords.notify),
    h("label", { class: "check" }, sound, alertWords.sound),
  ];
  return {
    element: h("fieldset", {}, legend, ...checks, note),
    paint({ preferences }) {
      // It can be taken back in the browser, too.
      notify.checked = preferences.notify && mayNotify();
      sound.checked = preferences.sound;
    },
  };
}

/** What the user may choose about the look, as a dialog. */
export function settingsDialog(store: AppStore): {
  element: HTMLDialogElement;
  paint: (state: State) => void;
} {
  const zoneNote = h("p", { class: "note", role: "status" });
  const language = choice(
    "language",
    words.language,
    labelled(["auto", ...languages] as const, words.languages),
    (chosen) => {
      chooseLanguage(chosen === "auto" ? null : chosen);
    },
  );
  const zone = choice(
    "zone",
    words.zone,
    labelled(zoneChoices, words.zones),
    (chosen) => {
      store.dispatch({ type: "zone", zone: chosen });
    },
    zoneNote,
  );
  const theme = choice("theme", words.theme, labelled(themes, words.themes), (chosen) => {
    store.dispatch({ type: "theme", theme: chosen });
  });
  const palette = choice("palette", words.palette, labelled(palettes, words.palettes), (chosen) => {
    store.dispatch({ type: "palette", palette: chosen });
  });
  const frequency = choice(
    "frequency",
    words.frequency,
    labelled(frequencies, words.frequencies),
    (chosen) => {
      store.dispatch({ type: "frequency", frequency: chosen });
    },
  );
  const alerts = alertChoices(store);
  const element = h(
    "dialog",
    { class: "sheet settings", "aria-labelledby": "settings-title", "data-testid": "settings" },
    h("h2", { id: "settings-title" }, words.settings),
    ...[frequency, zone, theme, palette, alerts, language].map((one) => one.element),
  );
  element.append(
    button(words.close, {}, () => {
      element.close();
    }),
  );
  element.addEventListener("click", (event) => {
    if (event.target === element) element.close();
  });
  language.paint(chosenLanguage() ?? "auto");
  return {
    element,
    paint(state) {
      const { preferences } = state;
      alerts.paint(state);
      frequency.paint(preferences.frequency);
      zone.paint(preferences.zone);
      setText(zoneNote, words.zoneNow(zoneName(zoneOf(preferences.zone))));
      theme.paint(preferences.theme);
      palette.paint(preferences.palette);
    },
  };
}
