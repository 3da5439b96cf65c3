import { UNKNOWN } from '../chat/authorise.ts';
import { languageOf } from '../chat/texts/language.ts';
import type { Profile } from './asker.ts';
import type { BotConfig } from './config.ts';
import type { SlackFacts } from './facts.ts';

/** What texts for a person need. Nothing here decides; who is not known is answered in English and UTC. */
export class People {
  readonly #facts: Pick<SlackFacts, 'person'>;
  readonly #config: () => BotConfig;

  constructor(facts: Pick<SlackFacts, 'person'>, config: () => BotConfig) {
    this.#facts = facts;
    this.#config = config;
  }

  async profile(user: string): Promise<Profile> {
    const person = await this.#facts.person(user);
    const known = person === UNKNOWN ? undefined : person;
    const { locale } = this.#config().slack;
    return {
      name: known?.name ?? '',
      timeZone: known?.timeZone ?? 'UTC',
      language: locale === 'auto' ? languageOf(known?.locale) : locale,
    };
  }
}
