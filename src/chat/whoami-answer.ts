import { ANYWHERE, type Asked, type Facts, UNKNOWN, type Unmet, type UnmetHere, unmetOf } from './authorise.ts';
import { type Answer, answer, type Line } from './rich-text.ts';
import type { Rule } from './rules.ts';
import { aboutTexts } from './texts/about.ts';
import type { Language } from './texts/language.ts';

/** Rules that are explained; beside the matching ones, others help little. */
const MOST_RULES = 20;
/** Names of one rule that are shown. */
const MOST_NAMES = 8;

/**
 * Which rules match a person here, and why the others do not. Of a rule it says its place, its commands, and of those
 * that match what they cover: never whom else they name.
 */
export function whoamiAnswer(
  rules: readonly Rule[],
  { user, channel }: Pick<Asked, 'user' | 'channel'>,
  facts: Facts,
  language: Language,
): Answer {
  const texts = aboutTexts[language];
  const judged = rules.map((rule, place) => ({ rule, place, unmet: unmetHere(rule, { user, channel }, facts) }));
  const matching = judged.filter(({ unmet }) => unmet.length === 0);
  const others = judged.filter(({ unmet }) => unmet.length > 0);
  const unknown = [
    ...(facts.person === UNKNOWN ? [texts.personUnknown()] : []),
    ...(facts.channel === UNKNOWN ? [texts.channelUnknown()] : []),
  ];
  const hasAny = matching.some(({ rule }) => rule.environments.includes('*'));
  return answer([
    texts.you(user, channel),
    ...unknown,
    ...(rules.length === 0 ? [texts.noRules()] : matching.length === 0 ? [texts.noneMatch()] : [texts.matching()]),
    ...shown(matching, ({ rule, place }) => [
      ...texts.rule(place, rule.may),
      texts.covers(some(rule.targets), some(rule.environments)),
    ]),
    ...(hasAny ? [texts.protectedNote()] : []),
    ...(others.length > 0 ? [texts.others()] : []),
    ...shown(others, ({ rule, place, unmet }) => [
      // What it covers is not theirs to know.
      ...texts.rule(place, rule.may),
      ` · ${unmet.map((condition) => texts.unmet[condition]).join(texts.between)}`,
    ]),
  ]);

  function shown<T>(list: readonly T[], lineOf: (item: T) => Line): Line[] {
    const left = list.length - MOST_RULES;
    return [...list.slice(0, MOST_RULES).map(lineOf), ...(left > 0 ? [texts.moreRules(left)] : [])];
  }
}

const isHere = (condition: Unmet): condition is UnmetHere =>
  condition === 'channel' || condition === 'person' || condition === 'groupUnknown';

function unmetHere(rule: Rule, { user, channel }: Pick<Asked, 'user' | 'channel'>, facts: Facts): UnmetHere[] {
  const [verb = 'deploy'] = rule.may;
  const asked = { verb, target: ANYWHERE, environment: ANYWHERE, isProtected: false, user, channel } as const;
  const unmet = unmetOf(rule, asked, facts).filter(isHere);
  // Of rules for other channels nobody asks Slack who is in their groups.
  return unmet.includes('channel') ? unmet.filter((condition) => condition !== 'groupUnknown') : unmet;
}

const some = (names: readonly string[]): string[] =>
  names.length <= MOST_NAMES ? [...names] : [...names.slice(0, MOST_NAMES), '…'];
