interface Text {
  label: string;
  hint: string;
}

/** A card's words; `none` is what it says without any figures. */
interface CardText extends Text {
  none: string;
}

const text = (label: string, hint: string): Text => ({ label, hint });
const card = (label: string, hint: string, none: string): CardText => ({ label, hint, none });

export const english = {
  market: "The market",
  symbol: "Symbol",
  region: "Analytics",
  choose: "Symbol whose figures are shown",
  openChart: "Chart",
  openSymbol: (symbol: string) => `${symbol}: open its chart`,
  explain: "Explain",
  minute: (day: string, time: string, zone: string) => `${day}, ${time} ${zone}`,
  old: (time: string) => `◷ ${time}`,
  of: (time: string) => time,
  oldHint: (time: string) => `Old: of ${time}, and not given again since`,
  ofHint: (time: string) => `Of ${time}`,
  day: "day so far",
  days: (count: number) => `${count} days`,
  minutes: (count: number) => `${count} min`,
  noSymbol: "No symbol is chosen yet.",
  noFigures:
    "No figures yet: they are given for each complete minute, a few seconds after it has ended.",
  noSymbolFigures: (symbol: string) =>
    `No figures of ${symbol} yet: they are given for each complete minute of the regular session.`,
  failed: (why: string) => `No figures: ${why}.`,
  cards: {
    breadth: card(
      "Breadth",
      "How many symbols are above, below or at the last close of the trading day before, or at their first price when no day before is known; only those that have traded today.",
      "No symbol has traded today yet.",
    ),
    movers: card(
      "Movers",
      "Change since the last close of the trading day before, or since the day's first price; at most ten each. Choosing one opens its chart.",
      "Nothing has traded today yet.",
    ),
    highsLows: card(
      "New highs and lows",
      "How many symbols have gone beyond where they have been.",
      "Known with the day's second minute.",
    ),
    together: card(
      "Moving together",
      "Whether symbols move as one, by the correlation of their one-minute returns. Given every five minutes.",
      "Needs twenty minutes in which two symbols both moved.",
    ),
    marketAnomaly: card(
      "Anomaly of the market",
      "The last minute beside the sixty before it: how far it is from them, all components together.",
      "Needs twenty minutes of the same day to compare with.",
    ),
    groups: card("Groups", "The same figures of each group of symbols.", "There are no groups."),
    trend: card(
      "Trend",
      "The straight line that fits the logarithm of the closes best.",
      "Needs three bars with a price in the window.",
    ),
    volatility: card(
      "Volatility",
      "How much the price moves, as percent a year; four ways to estimate it.",
      "Needs two bars of today's session.",
    ),
    volume: card(
      "Relative volume",
      "The day's volume so far beside the usual one at this time of the day.",
      "Needs an earlier trading day to compare with.",
    ),
    flow: card(
      "Trade flow",
      "Volume told apart by how the price moved, as bars don't say who began a trade: an estimate.",
      "Needs two bars with a price in the window.",
    ),
    liquidity: card(
      "Liquidity",
      "What it costs to trade, estimated from bars: there are no quotes to read it from.",
      "Needs two bars with trades in the window.",
    ),
    profile: card(
      "Volume by price",
      "At which prices the day's volume so far was traded, in fifty steps.",
      "Needs bars with trades today.",
    ),
    levels: card(
      "Support and resistance",
      "Levels at which the price turned today: highs and lows beyond the five bars on either side, gathered within 0.1 %.",
      "No turn is known yet: it takes five bars on either side.",
    ),
    beta: card(
      "Beta",
      "How much the symbol moves when the market or the benchmark moves by one. Given every five minutes.",
      "Needs twenty minutes in which both moved; it is given every five minutes.",
    ),
    correlated: card(
      "Moves most with",
      "The strongest correlations of one-minute returns; −1 is opposite, 1 the same. Choosing one opens its chart.",
      "Needs twenty minutes in which two symbols both moved; given every five minutes.",
    ),
    anomaly: card(
      "Anomaly",
      "The last minute beside the sixty before it: how far it is from them, all components together.",
      "Needs twenty minutes of the same day to compare with.",
    ),
    forecasts: card(
      "Forecasts",
      "Of the next minutes, each beside a naive one, and how well both did today. Smaller losses are better.",
      "Needs twenty returns within the last thirty minutes of trading.",
    ),
  },
  sides: { up: "▲ Rising", down: "▼ Falling", rest: "Unchanged" },
  breadth: {
    symbols: text("Symbols", "How many there are of each kind."),
    volume: text("Volume", "The day's volume so far of all symbols of each kind together."),
    net: text("Net advances", "Rising less falling symbols."),
    ratio: text("Rising to falling", "How many symbols rise for each one that falls."),
    equal: text(
      "Return of all, equal parts",
      "The mean change of all symbols that have traded today.",
    ),
    weighted: text(
      "Return of all, by value",
      "The mean change, weighted by the value traded today.",
    ),
  },
  movers: {
    gainers: { ...text("Gainers", "Largest rise first."), none: "None has risen." },
    losers: { ...text("Losers", "Largest fall first."), none: "None has fallen." },
    most_active: {
      ...text("Most active", "Largest volume of the day so far first."),
      none: "None.",
    },
  },
  highsLows: {
    highs: text(
      "New highs",
      "Of the day: symbols that made one in this very minute. Of several days: symbols whose high today is above that of all those days.",
    ),
    lows: text("New lows", "The same, downwards."),
    days: text("Days compared", "How many earlier days are known."),
  },
  together: {
    mean: text(
      "Mean correlation",
      "Of all pairs of symbols; 1 when all move as one, 0 when each goes its way.",
    ),
    share: text(
      "Share of the first eigenvalue",
      "How much of all movement is one common movement: 100% when all move as one, 1 / symbols when each goes its way.",
    ),
    symbols: text("Symbols", "How many are compared."),
  },
  groups: {
    return: text("Return", "The mean change of the group's symbols today."),
    rising: text("▲", "Symbols that rise."),
    falling: text("▼", "Symbols that fall."),
    volume: text("Volume", "The day's volume so far of the group's symbols together."),
  },
  trend: {
    slope: text("Slope", "By how many hundredths of a percent the line rises in a minute."),
    t: text(
      "t-statistic",
      "The slope in units of its error. Prices wander: beyond ±2 is common without any trend, so it ranks trends and proves none.",
    ),
    fit: text("R²", "How much of the movement is the line: 100% when all of it."),
    bars: text("Bars", "How many there are in the window."),
  },
  volatility: {
    realised: text(
      "Realised",
      "From all one-minute returns of the window, overnight left out; a year.",
    ),
    ewma: text("EWMA", "From the day's returns, the latest counting most; a year."),
    garmanKlass: text(
      "Garman-Klass",
      "From open, high, low and close of each bar; too small where trades are few; a year.",
    ),
    window: text("Within the window", "The realised one, not stretched to a year."),
  },
  volume: {
    ratio: text("To the usual", "2× is twice as much as is usual at this time of the day."),
    volume: text("Volume today", "Of the day so far."),
    usual: text("Usual", "The mean of earlier days up to the same minute."),
    days: text("Days compared", "Of how many days that is the mean."),
  },
  flow: {
    imbalance: text("Imbalance", "Bought less sold as a part of both: +100% is all bought."),
    bought: text("Bought", "Volume that came with rising prices."),
    sold: text("Sold", "Volume that came with falling prices."),
  },
  liquidity: {
    spread: text(
      "Spread",
      "The estimated cost of buying and selling again, in hundredths of a percent of the price.",
    ),
    impact: text(
      "Move for a million",
      "By how much the price moved for each million of the currency that was traded.",
    ),
    value: text("Value traded", "In the currency."),
  },
  profile: {
    control: text("Point of control", "The price at which most was traded."),
    high: text("Value area, top", "Between top and bottom 70% of the volume was traded."),
    low: text("Value area, bottom", "Between top and bottom 70% of the volume was traded."),
    volume: text("Volume", "Of the day so far."),
  },
  levels: {
    resistance: text("Resistance", "The next level above the price."),
    support: text("Support", "The next level below the price."),
    price: text("Price", "Where the level lies."),
    touches: text("Turns", "How often the price turned there."),
  },
  beta: {
    market: text("To the market", "The mean of all symbols."),
    benchmark: text(
      "To the benchmark",
      "The symbol that the service compares with, SPY unless set otherwise.",
    ),
    marketCorrelation: text(
      "Correlation with the market",
      "How closely it follows: 1 in step, 0 not at all.",
    ),
    benchmarkCorrelation: text(
      "Correlation with the benchmark",
      "How closely it follows: 1 in step, 0 not at all.",
    ),
  },
  correlated: { none: "None is known." },
  components: {
    return: text("Return", "The move of the price within the minute."),
    volume: text("Volume", "How much was traded."),
    range: text("Range", "From the minute's low to its high."),
    dispersion: text("Dispersion", "How far the symbols' moves differ from each other."),
  },
  anomaly: {
    share: text("Part", "How much of the distance each makes up; all parts add up to 100%."),
    deviation: text("Deviation", "From the hour's median, in robust standard deviations."),
    usual: (distance: string, limit: string) =>
      `Nothing unusual: distance ${distance}. Above ${limit} is about one minute in a hundred.`,
    unusual: (distance: string, often: string) => `Unusual: distance ${distance}, ${often}.`,
    rare: "as in about one minute of a hundred",
    rarer: "as in about one minute of a thousand or fewer",
    drivers: (drivers: string) => `What drove it: ${drivers}.`,
    above: (name: string, part: string, size: string) =>
      `${name} (${part}, ${size} deviations above its usual)`,
    below: (name: string, part: string, size: string) =>
      `${name} (${part}, ${size} deviations below its usual)`,
    rose: (name: string, minutes: string) => `${name}: on a higher level for ${minutes} min.`,
    fell: (name: string, minutes: string) => `${name}: on a lower level for ${minutes} min.`,
  },
  forecasts: {
    names: {
      forecast_ewma: text(
        "Volatility, EWMA",
        "How much the price will move in the minutes ahead, from the latest returns.",
      ),
      forecast_garch: text("Volatility, GARCH", "The same, with a return to the usual level."),
      forecast_direction: text(
        "Up next minute",
        "The probability that the next bar closes above this one, if it doesn't close at the same price.",
      ),
    },
    in: (name: string, window: string) => `${name}, ${window}`,
    value: text(
      "Forecast / naive",
      "The naive one: as the last thirty minutes, or for direction, as all minutes alike.",
    ),
    loss: text(
      "Loss / naive",
      "The mean error of today's forecasts so far, and the naive one's. Smaller is better; a coin has 0.25 for direction.",
    ),
    verdict: text(
      "Judged",
      "Better when at least thirty were judged and the mean loss is below the naive one's.",
    ),
    better: (judged: string) => `✓ better (${judged})`,
    worse: (judged: string) => `✗ not better (${judged})`,
    early: (judged: string) => `too few (${judged})`,
    allBetter: "All of them beat the naive forecast today.",
    notBetter: (names: string) => `Doesn't beat the naive forecast today: ${names}.`,
    notJudged: (names: string) => `Too few judged today to tell (thirty are needed): ${names}.`,
  },
};

export type Words = typeof english;
