import { button, h } from "./dom.ts";
import { shortcuts } from "./keyboard.ts";
import { words } from "./words.ts";

/** The list of keys and the way back to the tour, as a dialog. */
export function helpDialog(startTour: () => void): HTMLDialogElement {
  const rows = shortcuts.flatMap(([keys, does]) => [
    h("dt", {}, h("kbd", {}, keys)),
    h("dd", {}, does),
  ]);
  const title = h("h2", { id: "help-title" }, words.keyboard);
  const dialog = h(
    "dialog",
    { class: "sheet help", "aria-labelledby": "help-title" },
    title,
    h("dl", {}, ...rows),
  );
  const close = button(words.close, {}, () => {
    dialog.close();
  });
  const tour = button(
    words.takeTour,
    { "data-testid": "take-tour", "aria-keyshortcuts": "g" },
    () => {
      dialog.close();
      startTour();
    },
  );
  dialog.append(h("div", { class: "actions" }, close, tour));
  return dialog;
}
