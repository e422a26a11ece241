import { errorWords } from "../status/words.ts";
import { button, h } from "../ui/dom.ts";

import type { Outcome } from "./api.ts";
import { deskWords } from "./desk-words.ts";
import { words } from "./words.ts";

/** A dialog that asks the service for what it shows. */
export interface AskingSheet {
  element: HTMLDialogElement;
  /** Opens the dialog, and shows what is answered; or why nothing is, and the way to ask once more. */
  show: <T>(title: string, ask: () => Promise<Outcome<T>>, draw: (answer: T) => Node[]) => void;
}

/** @param name of its class, and of its test id before `-dialog` */
export function askingSheet(name: string): AskingSheet {
  const heading = h("h2", { id: `${name}-title` });
  const labelled = { "aria-labelledby": heading.id };
  const body = h("div", { class: "scroller", tabindex: 0, role: "region", ...labelled });
  const close = button(deskWords.close, {}, () => {
    element.close();
  });
  const attributes = { ...labelled, "data-testid": `${name}-dialog` };
  const actions = h("div", { class: "actions" }, close);
  const element = h(
    "dialog",
    { class: `sheet asking ${name}`, ...attributes },
    heading,
    body,
    actions,
  );
  // An answer to what was asked before is of no use any more.
  let asked = 0;
  return {
    element,
    show(title, ask, draw) {
      const number = ++asked;
      heading.textContent = title;
      const again = async (): Promise<void> => {
        body.replaceChildren(h("p", { class: "note", role: "status" }, deskWords.asking));
        const outcome = await ask();
        if (number !== asked) return;
        if (outcome.ok) {
          body.replaceChildren(...draw(outcome.value));
          // What was pressed may be gone.
          if (!element.contains(document.activeElement)) body.focus();
          return;
        }
        const retry = button(words.retry, {}, () => void again());
        body.replaceChildren(
          h("p", { class: "fault", role: "alert" }, `${errorWords(outcome.error)}.`),
          retry,
        );
      };
      void again();
      if (!element.open) element.showModal();
    },
  };
}
