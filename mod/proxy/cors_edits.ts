/**
 * What a route with CORS changes in its answers, by the origin of the request: the rules of each origin are compiled
 * once, and those of the origins seen last are kept.
 */
import type { CorsSnapshot } from "../config/guard_snapshot.ts";
import type { ResponseRules } from "../config/snapshot.ts";
import { answerRules } from "../guard/cors.ts";
import { Origins } from "../guard/origins.ts";
import { HeaderEdit } from "../route/header_edit.ts";

/** Compiled rules kept, of each route in each worker. */
const MOST_KEPT = 64;

export class CorsEdits {
  readonly #settings: CorsSnapshot;
  readonly #origins: Origins;
  readonly #rules: readonly ResponseRules[];
  readonly #kept = new Map<string, HeaderEdit>();
  /** For pages that may not read answers, and for whatever is no page. */
  readonly #others: HeaderEdit;

  /** `rules`: what the route changes otherwise. */
  constructor(settings: CorsSnapshot, rules: readonly ResponseRules[]) {
    this.#settings = settings;
    this.#origins = new Origins(settings.origins);
    this.#rules = rules;
    this.#others = this.#make(null);
  }

  /** `origin`: as the request has it; null: it has none. */
  of(origin: string | null): HeaderEdit {
    if (origin === null || !this.#origins.names(origin)) return this.#others;
    const kept = this.#kept.get(origin);
    if (kept !== undefined) return kept;
    if (this.#kept.size === MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    const made = this.#make(origin);
    this.#kept.set(origin, made);
    return made;
  }

  #make(origin: string | null): HeaderEdit {
    return new HeaderEdit([...this.#rules, answerRules(this.#settings, origin)], true);
  }
}
