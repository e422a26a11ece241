import { spoken } from "../ui/language.ts";

import { english } from "./words-en.ts";
import { german } from "./words-de.ts";

/** Words of the analytics view: what each figure is, and what it means, after docs/analytics.md. */
export const words = spoken({ en: english, de: german });
