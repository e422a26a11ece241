const pattern = /^[\w.\-/:^=]{1,32}$/;

/** The symbol that a text names, if it may be one. */
export function asSymbol(text: string): string | null {
  const symbol = text.trim().toUpperCase();
  return pattern.test(symbol) ? symbol : null;
}

/** The symbols of a text like `AAPL, msft SPY`, each once, in order. */
export function readSymbols(text: string): readonly string[] {
  const found = text.split(/[\s,;]+/).map(asSymbol);
  return [...new Set(found.filter((symbol) => symbol !== null))];
}
