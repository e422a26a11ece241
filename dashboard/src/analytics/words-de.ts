import type { Words } from "./words-en.ts";

type Text = Words["breadth"]["symbols"];
type CardText = Words["cards"]["breadth"];

const text = (label: string, hint: string): Text => ({ label, hint });
const card = (label: string, hint: string, none: string): CardText => ({ label, hint, none });

export const german: Words = {
  market: "Der Markt",
  symbol: "Symbol",
  region: "Analyse",
  choose: "Symbol, dessen Zahlen gezeigt werden",
  openChart: "Chart",
  openSymbol: (symbol) => `${symbol}: Chart öffnen`,
  explain: "Erklären",
  minute: (day, time, zone) => `${day}, ${time} ${zone}`,
  old: (time) => `◷ ${time}`,
  of: (time) => time,
  oldHint: (time) => `Alt: von ${time}, seitdem nicht wieder errechnet`,
  ofHint: (time) => `Von ${time}`,
  day: "Tag bisher",
  days: (count) => `${count} Tage`,
  minutes: (count) => `${count} min`,
  noSymbol: "Noch ist kein Symbol gewählt.",
  noFigures:
    "Noch keine Zahlen: es gibt sie für jede volle Minute, wenige Sekunden nach ihrem Ende.",
  noSymbolFigures: (symbol) =>
    `Noch keine Zahlen zu ${symbol}: es gibt sie für jede volle Minute der Handelszeit.`,
  failed: (why) => `Keine Zahlen: ${why}.`,
  cards: {
    breadth: card(
      "Marktbreite",
      "Wie viele Symbole über, unter oder auf dem letzten Schlusskurs des Vortags stehen, oder auf ihrem ersten Kurs, wo kein Vortag bekannt ist; nur die heute gehandelten.",
      "Heute wurde noch kein Symbol gehandelt.",
    ),
    movers: card(
      "Bewegteste",
      "Veränderung seit dem letzten Schlusskurs des Vortags, oder seit dem ersten Kurs des Tages; je höchstens zehn. Ein Klick öffnet den Chart.",
      "Heute wurde noch nichts gehandelt.",
    ),
    highsLows: card(
      "Neue Hochs und Tiefs",
      "Wie viele Symbole weiter gingen als je zuvor in der Zeit.",
      "Bekannt mit der zweiten Minute des Tages.",
    ),
    together: card(
      "Gleichlauf",
      "Ob sich die Symbole wie eines bewegen, nach der Korrelation ihrer Minutenrenditen. Alle fünf Minuten.",
      "Braucht zwanzig Minuten, in denen sich zwei Symbole beide bewegt haben.",
    ),
    marketAnomaly: card(
      "Anomalie des Marktes",
      "Die letzte Minute neben den sechzig davor: wie weit sie von ihnen liegt, alle Größen zusammen.",
      "Braucht zwanzig Minuten desselben Tages zum Vergleich.",
    ),
    groups: card(
      "Gruppen",
      "Dieselben Zahlen für jede Gruppe von Symbolen.",
      "Es gibt keine Gruppen.",
    ),
    trend: card(
      "Trend",
      "Die Gerade, die am besten durch die Logarithmen der Schlusskurse passt.",
      "Braucht drei Balken mit Kurs im Fenster.",
    ),
    volatility: card(
      "Volatilität",
      "Wie stark der Kurs schwankt, in Prozent im Jahr; auf vier Arten geschätzt.",
      "Braucht zwei Balken der heutigen Handelszeit.",
    ),
    volume: card(
      "Relatives Volumen",
      "Das Volumen des Tages bisher neben dem zu dieser Tageszeit üblichen.",
      "Braucht einen früheren Handelstag zum Vergleich.",
    ),
    flow: card(
      "Orderfluss",
      "Volumen, danach getrennt, wie sich der Kurs bewegte; wer einen Trade begann, sagen Balken nicht: eine Schätzung.",
      "Braucht zwei Balken mit Kurs im Fenster.",
    ),
    liquidity: card(
      "Liquidität",
      "Was das Handeln kostet, aus Balken geschätzt: Quotes gibt es hier nicht.",
      "Braucht zwei Balken mit Trades im Fenster.",
    ),
    profile: card(
      "Volumen nach Kurs",
      "Bei welchen Kursen das Volumen des Tages bisher gehandelt wurde, in fünfzig Stufen.",
      "Braucht heutige Balken mit Trades.",
    ),
    levels: card(
      "Unterstützung und Widerstand",
      "Kurse, an denen es heute drehte: Hochs und Tiefs jenseits der fünf Balken auf beiden Seiten, auf 0,1 % zusammengefasst.",
      "Noch keine Wende bekannt: es braucht fünf Balken auf beiden Seiten.",
    ),
    beta: card(
      "Beta",
      "Um wie viel sich das Symbol bewegt, wenn Markt oder Vergleichssymbol sich um eins bewegen. Alle fünf Minuten.",
      "Braucht zwanzig Minuten, in denen sich beide bewegt haben; alle fünf Minuten.",
    ),
    correlated: card(
      "Läuft am ehesten mit",
      "Die stärksten Korrelationen der Minutenrenditen; −1 ist gegenläufig, 1 gleich. Ein Klick öffnet den Chart.",
      "Braucht zwanzig Minuten, in denen sich zwei Symbole beide bewegt haben; alle fünf Minuten.",
    ),
    anomaly: card(
      "Anomalie",
      "Die letzte Minute neben den sechzig davor: wie weit sie von ihnen liegt, alle Größen zusammen.",
      "Braucht zwanzig Minuten desselben Tages zum Vergleich.",
    ),
    forecasts: card(
      "Prognosen",
      "Für die nächsten Minuten, jede neben einer naiven, und wie gut beide heute waren. Kleinere Verluste sind besser.",
      "Braucht zwanzig Renditen in den letzten dreißig Handelsminuten.",
    ),
  },
  sides: { up: "▲ Steigend", down: "▼ Fallend", rest: "Gleich" },
  breadth: {
    symbols: text("Symbole", "Wie viele es von jeder Art gibt."),
    volume: text("Volumen", "Volumen des Tages bisher, alle Symbole jeder Art zusammen."),
    net: text("Steigende minus fallende", "Um wie viele mehr Symbole steigen als fallen."),
    ratio: text("Steigende je fallendem", "Wie viele Symbole steigen für jedes, das fällt."),
    equal: text(
      "Rendite aller, zu gleichen Teilen",
      "Mittlere Veränderung aller heute gehandelten Symbole.",
    ),
    weighted: text(
      "Rendite aller, nach Umsatz",
      "Mittlere Veränderung, gewichtet mit dem heutigen Umsatz.",
    ),
  },
  movers: {
    gainers: { ...text("Gewinner", "Größter Anstieg zuerst."), none: "Keines ist gestiegen." },
    losers: { ...text("Verlierer", "Größter Rückgang zuerst."), none: "Keines ist gefallen." },
    most_active: {
      ...text("Meistgehandelt", "Größtes Volumen des Tages bisher zuerst."),
      none: "Keines.",
    },
  },
  highsLows: {
    highs: text(
      "Neue Hochs",
      "Des Tages: Symbole mit einem in genau dieser Minute. Mehrerer Tage: Symbole, deren heutiges Hoch über dem all dieser Tage liegt.",
    ),
    lows: text("Neue Tiefs", "Dasselbe nach unten."),
    days: text("Verglichene Tage", "Wie viele frühere Tage bekannt sind."),
  },
  together: {
    mean: text(
      "Mittlere Korrelation",
      "Aller Paare von Symbolen; 1, wenn alle wie eines laufen, 0, wenn jedes für sich.",
    ),
    share: text(
      "Anteil des ersten Eigenwerts",
      "Wie viel aller Bewegung eine gemeinsame ist: 100 %, wenn alle wie eines laufen, 1 / Symbole, wenn jedes für sich.",
    ),
    symbols: text("Symbole", "Wie viele verglichen werden."),
  },
  groups: {
    return: text("Rendite", "Mittlere Veränderung der Symbole der Gruppe heute."),
    rising: text("▲", "Symbole, die steigen."),
    falling: text("▼", "Symbole, die fallen."),
    volume: text("Volumen", "Volumen des Tages bisher, alle Symbole der Gruppe zusammen."),
  },
  trend: {
    slope: text("Steigung", "Um wie viele Hundertstel Prozent die Gerade je Minute steigt."),
    t: text(
      "t-Wert",
      "Die Steigung in Einheiten ihres Fehlers. Kurse irren umher: jenseits von ±2 ist ohne jeden Trend häufig; er ordnet Trends und beweist keinen.",
    ),
    fit: text("R²", "Wie viel der Bewegung die Gerade ist: 100 %, wenn alles."),
    bars: text("Balken", "Wie viele im Fenster sind."),
  },
  volatility: {
    realised: text(
      "Realisiert",
      "Aus allen Minutenrenditen des Fensters, ohne die Nacht; im Jahr.",
    ),
    ewma: text("EWMA", "Aus den Renditen des Tages, die neuesten zählen am meisten; im Jahr."),
    garmanKlass: text(
      "Garman-Klass",
      "Aus Eröffnung, Hoch, Tief und Schluss jedes Balkens; zu klein, wo wenig gehandelt wird; im Jahr.",
    ),
    window: text("Innerhalb des Fensters", "Die realisierte, nicht aufs Jahr gerechnet."),
  },
  volume: {
    ratio: text("Zum Üblichen", "2× ist doppelt so viel wie zu dieser Tageszeit üblich."),
    volume: text("Volumen heute", "Des Tages bisher."),
    usual: text("Üblich", "Das Mittel früherer Tage bis zur selben Minute."),
    days: text("Verglichene Tage", "Von wie vielen Tagen das das Mittel ist."),
  },
  flow: {
    imbalance: text(
      "Ungleichgewicht",
      "Gekauftes minus Verkauftes, als Teil von beidem: +100 % ist alles gekauft.",
    ),
    bought: text("Gekauft", "Volumen, das mit steigenden Kursen kam."),
    sold: text("Verkauft", "Volumen, das mit fallenden Kursen kam."),
  },
  liquidity: {
    spread: text(
      "Spanne",
      "Geschätzte Kosten für Kauf und Verkauf, in Hundertstel Prozent des Kurses.",
    ),
    impact: text(
      "Bewegung je Million",
      "Um wie viel sich der Kurs je gehandelter Million der Währung bewegte.",
    ),
    value: text("Umsatz", "In der Währung."),
  },
  profile: {
    control: text("Kontrollpunkt", "Der Kurs, bei dem am meisten gehandelt wurde."),
    high: text("Wertbereich, oben", "Zwischen oben und unten wurden 70 % des Volumens gehandelt."),
    low: text("Wertbereich, unten", "Zwischen oben und unten wurden 70 % des Volumens gehandelt."),
    volume: text("Volumen", "Des Tages bisher."),
  },
  levels: {
    resistance: text("Widerstand", "Der nächste Wendekurs über dem Kurs."),
    support: text("Unterstützung", "Der nächste Wendekurs unter dem Kurs."),
    price: text("Kurs", "Wo er liegt."),
    touches: text("Wenden", "Wie oft der Kurs dort drehte."),
  },
  beta: {
    market: text("Zum Markt", "Dem Mittel aller Symbole."),
    benchmark: text(
      "Zum Vergleichssymbol",
      "Das Symbol, mit dem der Dienst vergleicht; SPY, wenn nichts anderes eingestellt ist.",
    ),
    marketCorrelation: text(
      "Korrelation mit dem Markt",
      "Wie eng es ihm folgt: 1 im Gleichschritt, 0 gar nicht.",
    ),
    benchmarkCorrelation: text(
      "Korrelation mit dem Vergleichssymbol",
      "Wie eng es ihm folgt: 1 im Gleichschritt, 0 gar nicht.",
    ),
  },
  correlated: { none: "Keines bekannt." },
  components: {
    return: text("Rendite", "Die Bewegung des Kurses in der Minute."),
    volume: text("Volumen", "Wie viel gehandelt wurde."),
    range: text("Spannweite", "Vom Tief der Minute bis zu ihrem Hoch."),
    dispersion: text("Streuung", "Wie weit die Bewegungen der Symbole auseinandergehen."),
  },
  anomaly: {
    share: text("Anteil", "Wie viel des Abstands jede Größe ausmacht; zusammen 100 %."),
    deviation: text("Abweichung", "Vom Median der Stunde, in robusten Standardabweichungen."),
    usual: (distance, limit) =>
      `Nichts Ungewöhnliches: Abstand ${distance}. Über ${limit} liegt etwa eine Minute von hundert.`,
    unusual: (distance, often) => `Ungewöhnlich: Abstand ${distance}, ${often}.`,
    rare: "wie in etwa einer Minute von hundert",
    rarer: "wie in etwa einer Minute von tausend oder weniger",
    drivers: (drivers) => `Was dazu führte: ${drivers}.`,
    above: (name, part, size) => `${name} (${part}, ${size} Abweichungen über dem Üblichen)`,
    below: (name, part, size) => `${name} (${part}, ${size} Abweichungen unter dem Üblichen)`,
    rose: (name, minutes) => `${name}: auf höherem Niveau seit ${minutes} min.`,
    fell: (name, minutes) => `${name}: auf niedrigerem Niveau seit ${minutes} min.`,
  },
  forecasts: {
    names: {
      forecast_ewma: text(
        "Volatilität, EWMA",
        "Wie stark der Kurs in den nächsten Minuten schwanken wird, nach den neuesten Renditen.",
      ),
      forecast_garch: text("Volatilität, GARCH", "Dasselbe, mit Rückkehr zum üblichen Maß."),
      forecast_direction: text(
        "Nächste Minute auf",
        "Wahrscheinlichkeit, dass der nächste Balken höher schließt als dieser, wenn er nicht gleich schließt.",
      ),
    },
    in: (name, window) => `${name}, ${window}`,
    value: text(
      "Prognose / naiv",
      "Naiv: wie die letzten dreißig Minuten, bei der Richtung wie alle Minuten zusammen.",
    ),
    loss: text(
      "Verlust / naiv",
      "Mittlerer Fehler der heutigen Prognosen bisher, und der naiven. Kleiner ist besser; bei der Richtung hat eine Münze 0,25.",
    ),
    verdict: text(
      "Beurteilt",
      "Besser, wenn mindestens dreißig beurteilt sind und der mittlere Verlust unter dem der naiven liegt.",
    ),
    better: (judged) => `✓ besser (${judged})`,
    worse: (judged) => `✗ nicht besser (${judged})`,
    early: (judged) => `zu wenige (${judged})`,
    allBetter: "Alle schlagen heute die naive Prognose.",
    notBetter: (names) => `Schlägt heute die naive Prognose nicht: ${names}.`,
    notJudged: (names) => `Heute noch zu wenige beurteilt (es braucht dreißig): ${names}.`,
  },
};
