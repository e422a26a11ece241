import type { AppStore } from "../store/state.ts";
import { download } from "../ui/download.ts";
import { formatCount } from "../ui/format.ts";

import { type ChartAdapter, readColours } from "./adapter.ts";
import { type Item, picker, type Picker } from "./picker.ts";
import type { Picture } from "./picture.ts";
import { csvFor, framed, nameFor } from "./save.ts";
import { namesOf, type Study, studiesOf, volumeId } from "./studies.ts";
import { words } from "./words.ts";

/** What there is to be shown beside the prices: what the server computes for these bars, and what was chosen elsewhere. */
function studyItems(store: AppStore): Item[] {
  const { chart } = store.get();
  const newest = chart.indicators.at(-1);
  const found = new Map<string, Study>();
  for (const study of studiesOf(namesOf(newest))) found.set(study.id, study);
  const absent = studiesOf(chart.studies.filter((id) => id !== volumeId && !found.has(id)));
  const item = (study: Study, note: string): Item => ({
    id: study.id,
    label: study.label,
    detail: [words.titles[study.kind] ?? "", note].filter((text) => text !== "").join("; "),
    chosen: chart.studies.includes(study.id),
  });
  const isWarming = ({ outputs }: Study): boolean =>
    outputs.every(({ name }) => newest?.values[name] === undefined);
  return [
    {
      id: volumeId,
      label: words.volume,
      detail: words.titles.volume ?? "",
      chosen: chart.studies.includes(volumeId),
    },
    ...[...found.values()].map((study) => item(study, isWarming(study) ? words.warming : "")),
    ...absent.map((study) => item(study, words.notHere(chart.interval))),
  ];
}

export function studiesDialog(store: AppStore): Picker {
  return picker({
    title: words.studiesTitle,
    testId: "studies",
    single: false,
    items: () => studyItems(store),
    pick: (study) => {
      store.dispatch({ type: "toggleStudy", study });
    },
  });
}

export function compareDialog(store: AppStore): Picker {
  const items = (): Item[] => {
    const { chart, watchlist } = store.get();
    const other = chart.rival?.symbol;
    const stop: Item[] =
      other === undefined ? [] : [{ id: "", label: words.stopComparing(other), detail: "" }];
    const symbols = watchlist.symbols.filter((symbol) => symbol !== chart.symbol);
    return [
      ...stop,
      ...symbols.map((symbol) => ({
        id: symbol,
        label: symbol,
        detail: "",
        chosen: symbol === other,
      })),
    ];
  };
  return picker({
    title: words.compareTitle,
    testId: "compare",
    single: true,
    items,
    pick: (symbol) => {
      const { rival } = store.get().chart;
      const ends = symbol === "" || symbol === rival?.symbol;
      store.dispatch({ type: "compare", symbol: ends ? null : symbol });
    },
  });
}

interface Drawn {
  picture: () => Picture | undefined;
  /** The legend's text. */
  legend: () => string;
  adapter: ChartAdapter;
  /** Has the page's colours. */
  element: Element;
}

export function saveDialog(store: AppStore, drawn: Drawn): Picker {
  const save = async (id: string): Promise<void> => {
    const picture = drawn.picture();
    if (picture === undefined) return;
    const name = nameFor(picture);
    if (id !== "picture") {
      const text = csvFor(store.get().chart, picture, id === "all");
      download(`${name}.csv`, new Blob([text], { type: "text/csv;charset=utf-8" }));
      return;
    }
    const colours = readColours(drawn.element);
    const canvas = framed(drawn.adapter.image(), picture, drawn.legend(), colours);
    const blob = await new Promise<Blob | null>((resolve) => {
      canvas.toBlob(resolve, "image/png");
    });
    if (blob !== null) download(`${name}.png`, blob);
  };
  return picker({
    title: words.saveTitle,
    testId: "save",
    single: true,
    search: false,
    items: () => {
      const count = (bars: number): string => words.savedBars(formatCount(bars));
      return [
        // What isn't drawn can't be saved.
        ...(store.get().chart.table
          ? []
          : [{ id: "picture", label: words.savePicture, detail: words.savePictureOf }]),
        { id: "view", label: words.saveView, detail: count(drawn.picture()?.bars.length ?? 0) },
        { id: "all", label: words.saveAll, detail: count(store.get().chart.bars.length) },
      ];
    },
    pick: (id) => void save(id),
  });
}
