import { errorWords } from "../status/words.ts";
import type { AppStore, State } from "../store/state.ts";
import { button, h, setText } from "../ui/dom.ts";
import { formatMoment } from "../ui/format.ts";
import { zoneOf } from "../ui/time-zone.ts";

import type { Refusal } from "./api.ts";
import type { Desk } from "./desk.ts";
import { type Draft, emptyDraft, renamed, ruleOf } from "./draft.ts";
import type { Kinds } from "./parameters.ts";
import type { Rehearsal } from "./records.ts";
import { type RuleFields, ruleFields } from "./rule-fields.ts";
import { columnsOf } from "./trial.ts";
import { words } from "./words.ts";

const shownTurns = 50;

/** What a test has found, in words and as a list of moments. */
function findings({ fired, bars, turns }: Rehearsal, zone: string): HTMLElement {
  const items = turns
    .filter(({ state }) => state === "firing")
    .slice(-shownTurns)
    .reverse()
    .map(({ at_ms, summary }) => {
      const time = h("time", { class: "number" }, formatMoment(at_ms, zone));
      return h("li", {}, time, " ", summary);
    });
  return h("div", {}, h("p", {}, words.tested(fired, bars)), h("ol", {}, ...items));
}

/** Makes and changes a rule, and tries it on what the chart shows. */
export function ruleDialog(
  store: AppStore,
  desk: Desk,
): {
  element: HTMLDialogElement;
  open: (draft: Draft) => void;
  /** Takes up the kinds of rules once they are known. */
  paint: (state: State) => void;
} {
  const title = h("h2", { id: "rule-title" });
  const body = h("div", { class: "fields" });
  const failure = h("p", { class: "fault", role: "alert" });
  const result = h("div", { class: "findings", role: "status", "data-testid": "rule-findings" });
  const onlyTried = h("p", { class: "note", "data-testid": "rule-read-only" }, words.onlyTried);
  const form = h("form", { method: "dialog" }, title, onlyTried, body, failure, result);
  const element = h(
    "dialog",
    { class: "sheet rule", "aria-labelledby": "rule-title", "data-testid": "rule-dialog" },
    form,
  );
  let id: string | null = null;
  let kinds: Kinds = {};
  let fields: RuleFields = ruleFields(emptyDraft, kinds, () => undefined);

  const show = (draft: Draft): void => {
    fields = ruleFields(draft, kinds, (next) => {
      show(renamed(next));
      body.querySelector<HTMLElement>("#rule-kind")?.focus();
    });
    body.replaceChildren(...fields.elements);
  };
  const written = (): object => ruleOf(renamed(fields.read()), kinds);
  const say = (error: Refusal | null): void => {
    const faults = error?.faults ?? [];
    const rest = fields
      .say(faults)
      .map(({ pointer, detail }) => `${pointer.replace(/^\//, "")}: ${detail}.`);
    const unsaid = error !== null && faults.length === 0 ? `${errorWords(error)}.` : "";
    setText(failure, rest.join(" ") || unsaid);
  };
  const done = (): void => {
    element.close();
    desk.refresh();
  };
  const save = async (): Promise<void> => {
    const outcome = await desk.api.save(id, written());
    if (outcome.ok) done();
    else say(outcome.error);
  };
  const test = async (): Promise<void> => {
    const { chart, preferences } = store.get();
    const rule = written();
    const bars = columnsOf(chart.bars, chart.indicators, rule);
    if (bars.start_ms.length === 0 || chart.symbol === null) {
      result.replaceChildren(words.noBars);
      return;
    }
    result.replaceChildren(words.testing);
    const outcome = await desk.api.rehearse({ rule, symbol: chart.symbol, bars });
    say(outcome.ok ? null : outcome.error);
    const found = outcome.ok ? [findings(outcome.value, zoneOf(preferences.zone))] : [];
    result.replaceChildren(...found);
  };
  const remove = button(words.remove, { class: "quiet" }, () => {
    if (remove.dataset.sure === undefined) {
      remove.dataset.sure = "";
      setText(remove, words.removeSure);
      return;
    }
    void desk.api.remove(id ?? "").then((outcome) => {
      if (outcome.ok) done();
      else say(outcome.error);
    });
  });
  const cancel = button(words.cancel, {}, () => {
    element.close();
  });
  const tryOut = button(words.test, { "data-testid": "rule-test" }, () => void test());
  const keep = h("button", { class: "main" }, words.save);
  form.append(h("div", { class: "actions" }, keep, cancel, remove));
  result.before(tryOut);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void save();
  });
  return {
    element,
    open(draft) {
      const { mayWrite } = store.get().alerts;
      onlyTried.hidden = mayWrite;
      keep.disabled = !mayWrite;
      ({ id } = draft);
      setText(title, id === null ? words.ruleTitle : words.changeTitle);
      setText(remove, words.remove);
      delete remove.dataset.sure;
      remove.hidden = !mayWrite || id === null;
      result.replaceChildren();
      setText(failure, "");
      show(draft);
      element.showModal();
    },
    paint({ alerts }) {
      if (alerts.kinds === kinds) return;
      const draft = fields.read();
      ({ kinds } = alerts);
      if (!element.open) return;
      const { id: focused = "" } = document.activeElement ?? {};
      show(draft);
      document.getElementById(focused)?.focus();
    },
  };
}
