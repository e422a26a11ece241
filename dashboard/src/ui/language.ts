/** The languages of the page. One is chosen as it loads: what is built once needn't know of a switch. */

export const languages = ["en", "de"] as const;
export type Language = (typeof languages)[number];

const languageKey = "tickstream.language";

/** What is chosen and what the browser speaks; each is absent where there is no browser. */
interface Surroundings {
  localStorage?: Storage;
  navigator?: { languages?: readonly string[] };
}

const { localStorage: memory, navigator: browser } = globalThis as Surroundings;

/** What the user chose; null: what the browser speaks. */
export function chosenLanguage(): Language | null {
  const kept = memory?.getItem(languageKey);
  return languages.find((one) => one === kept) ?? null;
}

const inLanguage = (tag: string, wanted: Language): boolean =>
  tag.toLowerCase().split("-")[0] === wanted;

/** The first of the browser's languages that the page has too, else English. */
export function spokenOf(tags: readonly string[]): Language {
  for (const tag of tags) {
    const found = languages.find((one) => inLanguage(tag, one));
    if (found !== undefined) return found;
  }
  return "en";
}

const tags = browser?.languages ?? [];

export const language: Language = chosenLanguage() ?? spokenOf(tags);

/** Whose way to write numbers and days: the browser's, where it speaks the page's language. */
export const locale: string =
  tags.find((tag) => inLanguage(tag, language)) ?? { en: "en-US", de: "de-DE" }[language];

/** Keeps a choice and loads the page anew in it; null leaves it to the browser again. */
export function chooseLanguage(chosen: Language | null): void {
  if (chosen === null) memory?.removeItem(languageKey);
  else memory?.setItem(languageKey, chosen);
  location.reload();
}

/** A feature's words in the page's language. The other languages have the shape of the English. */
export function spoken<Words>(all: { en: Words; de: NoInfer<Words> }): Words {
  return all[language];
}
