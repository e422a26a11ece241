import type { AlertState } from "../socket/records.ts";
import type { AppStore } from "../store/state.ts";
import { button, h } from "../ui/dom.ts";
import { formatMoment } from "../ui/format.ts";
import { zoneOf } from "../ui/time-zone.ts";

import type { Desk } from "./desk.ts";
import { deskWords } from "./desk-words.ts";
import type { Alert } from "./records.ts";
import { askingSheet } from "./sheet.ts";
import type { Chapter, Decision, Story } from "./story.ts";
import { words } from "./words.ts";

function momentOf(at_ms: number, zone: string): HTMLElement {
  const datetime = new Date(at_ms).toISOString();
  return h("time", { class: "number", datetime }, formatMoment(at_ms, zone));
}

/** What became of the notification, in words. */
function sentWords({ status, attempts, lastError }: Decision): string {
  if (status === "") return "";
  const said = deskWords.statuses[status] ?? status;
  const tried = attempts > 1 || lastError !== "" ? `, ${deskWords.attempts(attempts)}` : "";
  return ` (${said}${tried}${lastError === "" ? "" : `: ${lastError}`})`;
}

function decisionItem(decision: Decision, zone: string): HTMLElement {
  const { receiver, outcome, reason, at_ms } = decision;
  const who = h("strong", {}, receiver === "" ? deskWords.everyone : receiver);
  const what = `: ${deskWords.outcomes[outcome] ?? outcome}${sentWords(decision)}`;
  const why = h("p", { class: "note", lang: "en" }, reason);
  return h("li", { "data-outcome": outcome }, momentOf(at_ms, zone), " ", who, what, why);
}

function chapterItem(
  { state, summary, reason, at_ms, decisions }: Chapter,
  zone: string,
): HTMLElement {
  const name = words.states[state as AlertState] as string | undefined;
  const line = h(
    "p",
    {},
    momentOf(at_ms, zone),
    " ",
    h("strong", {}, name ?? state),
    ` ${summary}`,
  );
  const why = reason === "" ? [] : [h("p", { class: "note", lang: "en" }, reason)];
  const items = decisions.map((one) => decisionItem(one, zone));
  const list = items.length === 0 ? [] : [h("ol", {}, ...items)];
  return h("li", { class: "chapter", "data-state": state }, line, ...why, ...list);
}

/** Shows what became of an alert: each change of its state, and who was told, or not, and why. */
export function storyDialog(
  store: AppStore,
  desk: Desk,
  showVersions: (rule: string, name: string) => void,
): { element: HTMLDialogElement; open: (alert: Alert) => void } {
  const sheet = askingSheet("story");
  const draw = (story: Story | undefined): Node[] => {
    if (story === undefined) return [];
    const { alert, version, chapters } = story;
    const zone = zoneOf(store.get().preferences.zone);
    const versions = button(deskWords.versions, { class: "quiet" }, () => {
      sheet.element.close();
      showVersions(alert.rule_id, alert.rule_name);
    });
    const made = h(
      "p",
      { class: "note" },
      deskWords.madeBy(alert.rule_name, version),
      " ",
      versions,
    );
    const isUndecided = chapters.every(({ decisions }) => decisions.length === 0);
    const note = isUndecided ? [h("p", { class: "note" }, deskWords.noDecisions)] : [];
    const items = chapters.map((one) => chapterItem(one, zone));
    return [h("p", {}, alert.summary), made, ...note, h("ol", { class: "chapters" }, ...items)];
  };
  return {
    element: sheet.element,
    open({ alert_id }) {
      sheet.show(deskWords.storyTitle, () => desk.api.story(alert_id), draw);
    },
  };
}
