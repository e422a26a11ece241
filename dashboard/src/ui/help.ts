import { button, h } from "./dom.ts";
import { shortcuts } from "./keyboard.ts";
import { words } from "./words.ts";

/** The list of keys, as a dialog. */
export function helpDialog(): HTMLDialogElement {
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
  dialog.append(
    button(words.close, {}, () => {
      dialog.close();
    }),
  );
  return dialog;
}
