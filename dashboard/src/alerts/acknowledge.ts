import { errorWords } from "../status/words.ts";
import { button, h, setText } from "../ui/dom.ts";

import type { Desk } from "./desk.ts";
import type { Alert } from "./records.ts";
import { words } from "./words.ts";

const nameKey = "tickstream.name";

/** Who it is that uses this browser, as far as they have said. */
export const keptName = (): string => localStorage.getItem(nameKey) ?? "";

export function keepName(name: string): void {
  localStorage.setItem(nameKey, name.trim());
}

/** Asks who acknowledges an alert, and for a comment. */
export function acknowledgeDialog(desk: Desk): {
  element: HTMLDialogElement;
  open: (alert: Alert) => void;
} {
  const about = h("p", { class: "note" });
  const name = h("input", { name: "name", maxlength: 200, autocomplete: "name" });
  const comment = h("input", { name: "comment", maxlength: 1000, autocomplete: "off" });
  const failure = h("p", { class: "fault", role: "alert" });
  let id = "";
  const form = h(
    "form",
    { method: "dialog" },
    h("h2", { id: "acknowledge-title" }, words.acknowledge),
    about,
    h("label", {}, words.yourName, name),
    h("label", {}, words.comment, comment),
    failure,
  );
  const element = h(
    "dialog",
    {
      class: "sheet",
      "aria-labelledby": "acknowledge-title",
      "data-testid": "acknowledge-dialog",
    },
    form,
  );
  const cancel = button(words.cancel, {}, () => {
    element.close();
  });
  form.append(h("div", { class: "actions" }, h("button", {}, words.acknowledge), cancel));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keepName(name.value);
    void desk.acknowledge(id, name.value, comment.value).then((outcome) => {
      if (outcome.ok) element.close();
      else setText(failure, `${errorWords(outcome.error)}.`);
    });
  });
  return {
    element,
    open(alert) {
      id = alert.alert_id;
      setText(about, alert.summary || alert.symbol);
      setText(failure, "");
      name.value = keptName();
      comment.value = "";
      element.showModal();
    },
  };
}
