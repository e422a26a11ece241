import { button, h } from "./dom.ts";
import { shortcuts } from "./keyboard.ts";

/** The list of keys, as a dialog. */
export function helpDialog(): HTMLDialogElement {
  const rows = shortcuts.flatMap(([keys, does]) => [
    h("dt", {}, h("kbd", {}, keys)),
    h("dd", {}, does),
  ]);
  const title = h("h2", { id: "help-title" }, "Keyboard");
  const dialog = h(
    "dialog",
    { class: "help", "aria-labelledby": "help-title" },
    title,
    h("dl", {}, ...rows),
  );
  dialog.append(
    button("Close", {}, () => {
      dialog.close();
    }),
  );
  return dialog;
}
