import type { ActionError } from '../../actions/action-error.ts';
import type { Line } from '../../chat/rich-text.ts';
import { decidedTexts } from '../../chat/texts/decided.ts';
import type { Language } from '../../chat/texts/language.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Outcome } from '../decision.ts';
import type { Submission } from '../submit.ts';

/** How a decision is carried out: by a write to the API server, or by a message to the queue. */
export type Deed =
  | { readonly by: 'kube'; act(client: KubeClient): Promise<void> }
  | { readonly by: 'queue'; readonly submission: Submission };

/** It can be done. */
export interface Possible {
  readonly may: true;
  /** Name of the Job. */
  readonly job: string;
  /** What would happen now. */
  readonly lines: readonly Line[];
  /** The same to compare: with another one, somebody would decide about what he has not seen. */
  readonly seen: string;
  /** The same was asked for before, and has ended. */
  readonly isAskedBefore: boolean;
  readonly deed: Deed;
  /** What all read when it is done. */
  readonly said: Line;
}

export interface Impossible {
  readonly may: false;
  readonly outcome: Outcome;
  readonly line: Line;
}

export type Outlook = Possible | Impossible;

export const impossible = (outcome: Outcome, line: Line): Impossible => ({ may: false, outcome, line });

/** @returns what the error of an action means for the one who asked */
export function actionErrorLine(error: ActionError, language: Language): Line {
  const texts = decidedTexts[language];
  return error.kind === 'unclear' ? texts.perhapsDone(error.message) : texts.notDone(error.message);
}
