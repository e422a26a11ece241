import { errorWords } from "../status/words.ts";
import type { AppStore } from "../store/state.ts";
import { button, h, setText } from "../ui/dom.ts";
import { formatMoment } from "../ui/format.ts";
import { zoneOf } from "../ui/time-zone.ts";

import type { Desk } from "./desk.ts";
import { deskWords } from "./desk-words.ts";
import { ruleWords } from "./rule-words.ts";
import { askingSheet } from "./sheet.ts";
import type { Difference, Version } from "./versions.ts";

function differenceItem({ name, before, after }: Difference): HTMLElement {
  const own = name.split(".").at(-1) ?? name;
  const label = ruleWords.fields[own] ?? own.replaceAll("_", " ");
  const [was, is] = [before, after].map((text) => (text === "" ? deskWords.unset : text));
  return h("li", {}, `${label}: `, h("del", {}, was ?? ""), " → ", h("ins", {}, is ?? ""));
}

/** Shows what a rule was before, who changed it, and makes it that again. */
export function versionsDialog(
  store: AppStore,
  desk: Desk,
): { element: HTMLDialogElement; open: (rule: string, name: string) => void } {
  const sheet = askingSheet("versions");
  const said = h("p", { class: "note", role: "status" });
  sheet.element.querySelector(".actions")?.before(said);
  let shown = { rule: "", name: "" };
  const show = (): void => {
    const { rule, name } = shown;
    sheet.show(deskWords.versionsOf(name), () => desk.api.versions(rule), draw);
  };
  const restore = async (version: number): Promise<void> => {
    const outcome = await desk.api.restore(shown.rule, version);
    setText(said, outcome.ok ? deskWords.restored(version) : `${errorWords(outcome.error)}.`);
    if (!outcome.ok) return;
    desk.refresh();
    show();
  };
  const itemOf = (one: Version, place: number, zone: string): HTMLElement => {
    const { version, change, by, at_ms } = one;
    const inForce = place === 0 && change !== "deleted";
    const back = button(
      deskWords.restore,
      { class: "quiet", "aria-label": deskWords.restoreOf(version) },
      () => void restore(version),
    );
    const offered = store.get().alerts.mayWrite && !inForce;
    const end = offered
      ? [back]
      : inForce
        ? [h("span", { class: "alert-state" }, deskWords.present)]
        : [];
    const name = h("strong", {}, deskWords.version(version));
    const line = h("div", { class: "alert-line" }, name, ...end);
    const what = deskWords.changes[change] ?? change;
    const who = h("p", { class: "note" }, deskWords.changedBy(what, by, formatMoment(at_ms, zone)));
    const items = (one.differences ?? []).map(differenceItem);
    const isSame = one.differences?.length === 0 && change === "changed";
    const changes = isSame ? [h("li", {}, deskWords.nothingElse)] : items;
    const list = changes.length === 0 ? [] : [h("ul", {}, ...changes)];
    return h("li", { "data-version": version }, line, who, ...list);
  };
  const draw = (versions: readonly Version[]): Node[] => {
    const zone = zoneOf(store.get().preferences.zone);
    return [h("ol", {}, ...versions.map((one, place) => itemOf(one, place, zone)))];
  };
  return {
    element: sheet.element,
    open(rule, name) {
      shown = { rule, name };
      setText(said, "");
      show();
    },
  };
}
