import type { AlertEvent } from "../socket/records.ts";
import type { State } from "../store/state.ts";
import { h, setText } from "../ui/dom.ts";

import { announcement, freshlyFiring } from "./reducer.ts";
import { chime } from "./sound.ts";

const announceEveryMs = 5_000;

/** Whether the browser lets this page show notices of the system. */
export function mayNotify(): boolean {
  return "Notification" in globalThis && Notification.permission === "granted";
}

/** A notice of the system, when the user has consented; one for an alert, however many pages are open. */
function notify(text: string, alert: string): void {
  if (!mayNotify()) return;
  const options = { body: text, tag: alert, icon: "/icons/icon-192.png" };
  try {
    const notice = new Notification("Tickstream", options);
    notice.addEventListener("click", () => {
      window.focus();
      notice.close();
    });
  } catch {
    // A phone's browser takes them from a service worker alone.
    void navigator.serviceWorker.ready.then((worker) =>
      worker.showNotification("Tickstream", options),
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
      const fresh = spokenAt === 0 ? [] : freshlyFiring(spoken, alerts.list);
      spoken = alerts.list;
      spokenAt = now;
      const [latest] = fresh;
      if (latest === undefined) return;
      const text = announcement(fresh);
      setText(element, text);
      if (preferences.notify) notify(text, latest.alert_id);
      if (preferences.sound) chime();
    },
  };
}
