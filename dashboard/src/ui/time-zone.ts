/** In whose time the page shows times: the exchange's, the user's own, or the world's. */

export const zoneChoices = ["exchange", "local", "UTC"] as const;
export type ZoneChoice = (typeof zoneChoices)[number];

/** The zone in which the trading day of the shown markets changes. */
export const exchangeZone = "America/New_York";

const localZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The IANA name of the chosen zone. */
export function zoneOf(choice: ZoneChoice): string {
  return { exchange: exchangeZone, local: localZone, UTC: "UTC" }[choice];
}
