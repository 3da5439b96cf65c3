import type { Refusal } from '../chat/authorise.ts';
import { type Answer, answer } from '../chat/rich-text.ts';
import { deployTexts } from '../chat/texts/deploy.ts';
import type { Language } from '../chat/texts/language.ts';

/** Why nothing was done, for the one who asked. */
export function refusalAnswer(language: Language, because: Refusal): Answer {
  const texts = deployTexts[language];
  return answer([[texts.refused[because], ...(because === 'noRule' ? texts.askWhoami() : [])]]);
}
