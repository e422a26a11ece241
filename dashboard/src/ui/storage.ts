/** What the browser keeps under `key`; null where it keeps nothing, or won't say. */
export function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Keeps `text` for the next visit. A browser that keeps nothing, or no more, shows the page all the same. */
export function keep(key: string, text: string): void {
  try {
    localStorage.setItem(key, text);
  } catch {
    return;
  }
}
