import type { AlertEvent } from "../socket/records.ts";
import type { State } from "../store/state.ts";
import { h, setText } from "../ui/dom.ts";

import { announcement, freshlyFiring } from "./reducer.ts";
import { chime } from "./sound.ts";

const announceEveryMs = 5_000;

/** A notice of the system, when the user has consented; in the place of the one before. */
function notify(text: string): void {
  if (!("Notification" in globalThis) || Notification.permission !== "granted") return;
  try {
    new Notification("Tickstream", { body: text, tag: "alert", icon: "/icons/icon-192.png" });
  } catch {
    // A phone's browser takes them from a service worker alone.
    void navigator.serviceWorker.ready.then((worker) =>
      worker.showNotification("Tickstream", { body: text, tag: "alert" }),
    );
  }
}

/** A polite voice for alerts that begin to fire: read aloud, and by consent as a notice and a sound. */
export function alertVoice(): { element: HTMLElement; paint: (state: State) => void } {
  const element = h("div", {
    class: "visually-hidden",
    "aria-live": "polite",
    role: "status",
    "data-testid": "alert-voice",
  });
  let spoken: readonly AlertEvent[] = [];
  let spokenAt = 0;
  return {
    element,
    paint({ alerts, connection, preferences }) {
      const { now } = connection;
      if (!alerts.loaded || now - spokenAt < announceEveryMs) return;
      // What was firing when the page was opened is in the list, and no news.
      const text = spokenAt === 0 ? "" : announcement(freshlyFiring(spoken, alerts.list));
      spoken = alerts.list;
      spokenAt = now;
      if (text === "") return;
      setText(element, text);
      if (preferences.notify) notify(text);
      if (preferences.sound) chime();
    },
  };
}
