import { button, h, placeholder, setAttributes, setChildren, setText } from "../ui/dom.ts";
import { formatMoment } from "../ui/format.ts";

import { deskWords } from "./desk-words.ts";
import { matchWords, type Silence } from "./silences.ts";
import { words } from "./words.ts";

interface SilenceItem {
  element: HTMLElement;
  update: (silence: Silence, zone: string, mayWrite: boolean) => void;
}

function silenceItem(end: (id: string) => void): SilenceItem {
  let id = "";
  const about = h("strong");
  const time = h("p", { class: "note" });
  const comment = h("p");
  const over = button(deskWords.end, { class: "quiet" }, () => {
    end(id);
  });
  const line = h("div", { class: "alert-line" }, about, over);
  const element = h("li", { class: "rule-item" }, h("div", {}, line, comment, time));
  return {
    element,
    update(silence, zone, mayWrite) {
      ({ id } = silence);
      const { state, match, by } = silence;
      const [from, until] = [silence.starts_ms, silence.ends_ms].map((at) =>
        formatMoment(at, zone),
      );
      const what = matchWords(match);
      setText(about, what);
      setText(comment, silence.comment);
      comment.hidden = silence.comment === "";
      const isActive = state === "active";
      const ends = until ?? "";
      setText(
        time,
        isActive ? deskWords.untilBy(ends, by) : deskWords.fromUntilBy(from ?? "", ends, by),
      );
      over.hidden = !mayWrite;
      setAttributes(over, { "aria-label": deskWords.endOf(what) });
      setAttributes(element, { "data-id": id, "data-state": state });
    },
  };
}

/** The silences that aren't over, each the way to end it. */
export function silencesList(end: (id: string) => void): {
  element: HTMLElement;
  /** @param none what stands there when there are none */
  paint: (silences: readonly Silence[], zone: string, mayWrite: boolean, none: string) => void;
} {
  const list = h("ol", { "data-testid": "silences", "aria-label": words.pages.silences });
  const rest = h("div", { class: "rest" });
  const element = h("div", { tabindex: -1 }, list, rest);
  const items = new Map<string, SilenceItem>();
  return {
    element,
    paint(silences, zone, mayWrite, none) {
      const kept = new Set(silences.map(({ id }) => id));
      for (const id of items.keys()) if (!kept.has(id)) items.delete(id);
      const elements = silences.map((silence) => {
        const item = items.get(silence.id) ?? silenceItem(end);
        items.set(silence.id, item);
        item.update(silence, zone, mayWrite);
        return item.element;
      });
      const held = list.contains(document.activeElement);
      setChildren(list, elements);
      // The silence that was ended took the focus with it.
      if (held && !list.contains(document.activeElement)) element.focus();
      rest.replaceChildren(...(silences.length === 0 ? [placeholder(none)] : []));
    },
  };
}
