/**
 * What header rules make of the values of fields that are there: replacements, and the fix-ups of `Location` and
 * `Set-Cookie`; those of one name one after the other. Pure.
 */
import type { HeaderRules, ResponseRules, TemplatePairs } from "../config/snapshot.ts";
import { bareExpressionOf } from "./expression.ts";
import { fixCookieDomain, fixCookiePath, fixLocation, type Substitution } from "./fix_up.ts";
import { fillText, type Keeper } from "./kept.ts";
import { groupScope } from "./rewrite.ts";
import { type Scope, templateOf } from "./template.ts";
import type { AnswerSource } from "./variables.ts";

/** Makes another value of a field. */
export type Change = (value: string, kept: readonly string[], answer: AnswerSource | null) => string;

/** The change of each name, in lower case. */
export function valueChanges(
  rules: readonly (HeaderRules | ResponseRules)[],
  scope: Scope,
  keeper: Keeper,
): ReadonlyMap<string, Change> {
  const byName = new Map<string, Change>();
  const add = (name: string, change: Change) => {
    const before = byName.get(name);
    byName.set(
      name,
      before === undefined
        ? change
        : (value, kept, answer) => change(before(value, kept, answer), kept, answer),
    );
  };
  for (const rule of rules) {
    if ("location" in rule) addFixUps(rule, scope, keeper, add);
    for (const { name, match, with: text } of rule.replace) {
      add(name, replacement(match, text, scope, keeper));
    }
  }
  return byName;
}

function replacement(match: string, text: string, { answers }: Scope, keeper: Keeper): Change {
  const expression = bareExpressionOf(match);
  const to = keeper.text(templateOf(text, groupScope(expression, answers)));
  return (value, kept, answer) => expression.replace(value, (groups) => fillText(to, kept, answer, groups));
}

function addFixUps(
  { location, cookieDomain, cookiePath }: ResponseRules,
  scope: Scope,
  keeper: Keeper,
  add: (name: string, change: Change) => void,
): void {
  const change = (
    pairs: TemplatePairs,
    fix: (value: string, substitutions: readonly Substitution[]) => string,
  ): Change => {
    const texts = pairs.map(([from, to]) => ({ from, text: keeper.text(templateOf(to, scope)) }));
    return (value, kept, answer) =>
      fix(value, texts.map(({ from, text }) => ({ from, to: () => fillText(text, kept, answer) })));
  };
  if (location.length > 0) {
    add("location", change(location, fixLocation));
    add("refresh", change(location, fixLocation));
  }
  if (cookieDomain.length > 0) add("set-cookie", change(cookieDomain, fixCookieDomain));
  if (cookiePath.length > 0) add("set-cookie", change(cookiePath, fixCookiePath));
}
