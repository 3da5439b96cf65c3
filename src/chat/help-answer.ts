import type { Verb } from './command-line.ts';
import { type Answer, answerOf, type Line, type Section } from './rich-text.ts';
import { aboutTexts } from './texts/about.ts';
import type { Language } from './texts/language.ts';

/** What a person may use here, and what the bot itself may not do. */
export interface Help {
  /** With the environments in which the person may do anything at all. */
  readonly targets: readonly {
    readonly name: string;
    readonly repository: string;
    readonly environments: readonly string[];
  }[];
  /** Commands that work in at least one of these places. */
  readonly verbs: readonly Verb[];
  /** False: Slack could not say whether there are more. */
  readonly areAll: boolean;
  /** A bot outside the cluster. */
  readonly isFile: boolean;
  readonly cannot: readonly {
    readonly power: 'freeze' | 'abort' | 'approve';
    readonly targets: readonly string[];
    readonly why: string;
  }[];
}

const MOST_TARGETS = 10;
/** Targets that one thing is said of. */
const MOST_NAMES = 5;
/** A longer name makes no example. */
const LONGEST_EXAMPLE = 40;

export function helpAnswer({ targets, verbs, areAll, isFile, cannot }: Help, language: Language): Answer {
  const texts = aboutTexts[language];
  const [first] = targets;
  const name = lastPart(first?.repository ?? 'web');
  const example = texts.example(
    name.length > LONGEST_EXAMPLE ? '<repository>' : name,
    first?.environments[0] ?? 'production',
  );
  const left = targets.length - MOST_TARGETS;
  const yours: Line[] = [
    ...(targets.length > 0 ? [texts.yours()] : [texts.nothing()]),
    ...targets.slice(0, MOST_TARGETS).map(({ repository, environments }) => texts.target(repository, environments)),
    ...(left > 0 ? [texts.moreTargets(left)] : []),
    ...(areAll ? [] : [texts.notAll()]),
  ];
  const limits: Line[] = [
    ...(isFile ? [texts.file()] : []),
    ...cannot.map(({ power, targets: where, why }) => texts.cannot(texts.powers[power], some(where), why)),
  ];
  const sections: Section[] = [
    { lines: [texts.commands(), ...verbs.map((verb): Line => [{ code: example[verb] }, ` – ${texts.does[verb]}`])] },
    ...(limits.length > 0 ? [{ lines: limits }] : []),
    { lines: yours },
  ];
  return answerOf(sections);
}

const some = (names: readonly string[]): string[] =>
  names.length <= MOST_NAMES ? [...names] : [...names.slice(0, MOST_NAMES), '…'];

const lastPart = (name: string): string => name.slice(name.lastIndexOf('/') + 1);
