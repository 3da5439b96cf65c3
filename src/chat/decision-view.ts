import type { KnownBlock, ModalView } from '@slack/types';
import { z } from 'zod';
import { DEPLOY_BUTTONS, type DeployButton, deployValue } from './buttons.ts';
import { type Answer, type Line, richText } from './rich-text.ts';
import { decideTexts } from './texts/decide.ts';
import { LANGUAGES, type Language } from './texts/language.ts';

/** The view that a click on a button of a deploy opens: what would happen now, and one more question. Pure. */

export const DECISION_VIEW = 'decision';

/**
 * What a view keeps for its submission. People cannot change it; it gives no right all the same: whoever submits is
 * authorised for this place anew.
 */
export const decisionMetadata = z.strictObject({
  kind: z.enum(DEPLOY_BUTTONS),
  ...deployValue.shape,
  /** Where the button was clicked. */
  channel: z.string().max(40),
  threadTs: z.string().max(40).optional(),
  /** What the person was shown, in a form that can be compared: if it is another by then, he is asked again. */
  seen: z.string().max(400),
  language: z.enum(LANGUAGES),
});
export type DecisionMetadata = z.output<typeof decisionMetadata>;

/** @param submit the label of the button that does it */
export function decisionView(lines: readonly Line[], submit: string, metadata: DecisionMetadata): ModalView {
  const texts = decideTexts[metadata.language];
  return {
    ...base([richText(lines)], texts.titles[metadata.kind], texts.cancel),
    callback_id: DECISION_VIEW,
    submit: { type: 'plain_text', text: submit, emoji: false },
    private_metadata: JSON.stringify(metadata),
  };
}

/** Says something, and asks nothing. */
export const noticeView = ({ blocks }: Answer, kind: DeployButton, language: Language): ModalView =>
  base(blocks, decideTexts[language].titles[kind], decideTexts[language].close);

const base = (blocks: readonly KnownBlock[], title: string, close: string): ModalView => ({
  type: 'modal',
  title: { type: 'plain_text', text: title, emoji: false },
  close: { type: 'plain_text', text: close, emoji: false },
  blocks: [...blocks],
});
