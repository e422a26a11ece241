import type { AppStore, State } from "../store/state.ts";

import { button, h, setText } from "./dom.ts";
import { zoneName } from "./format.ts";
import { chooseLanguage, chosenLanguage, languages } from "./language.ts";
import { palettes, themes } from "./preferences.ts";
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
  const element = h(
    "dialog",
    { class: "sheet settings", "aria-labelledby": "settings-title", "data-testid": "settings" },
    h("h2", { id: "settings-title" }, words.settings),
    ...[theme, palette, zone, language].map((one) => one.element),
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
    paint({ preferences }) {
      zone.paint(preferences.zone);
      setText(zoneNote, words.zoneNow(zoneName(zoneOf(preferences.zone))));
      theme.paint(preferences.theme);
      palette.paint(preferences.palette);
    },
  };
}
