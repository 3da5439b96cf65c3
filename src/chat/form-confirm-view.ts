import type { ModalView } from '@slack/types';
import { FORM_ACTIONS, FORM_VIEWS, type FormMetadata } from './form.ts';
import { frame, lines, plainText } from './form-view.ts';
import { laneLines, staleLines } from './lane-lines.ts';
import type { LaneState, Reader } from './lane-state.ts';
import type { Line } from './rich-text.ts';
import type { Understood } from './texts/deploy.ts';
import { formTexts } from './texts/form.ts';
import { timeOf } from './texts/time.ts';

export interface QuestionContent {
  /** Holds all that is sent. */
  readonly metadata: FormMetadata & { readonly channel: string };
  readonly wanted: Understood;
  readonly reason: string | undefined;
  /** Undefined if the bot sees no cluster. */
  readonly lane: LaneState | undefined;
  readonly problems: readonly Line[];
  readonly staleMs: number | undefined;
  readonly reader: Reader;
}

/** What an environment in `confirm` asks before it is sent: "v1.0.0 → v1.1.0 on production?" */
export function confirmView(content: QuestionContent): ModalView {
  const { metadata, wanted, reason, lane, problems, staleMs, reader } = content;
  const { language, channel } = metadata;
  const texts = formTexts[language];
  const { notBefore } = wanted;
  return {
    ...frame(language),
    callback_id: FORM_VIEWS.confirm,
    private_metadata: JSON.stringify(metadata),
    submit: plainText(texts.deploy),
    close: plainText(texts.cancel),
    blocks: [
      ...lines(problems),
      ...lines([
        texts.question(wanted),
        texts.change(lane?.current?.revision, wanted),
        ...(reason === undefined ? [] : [texts.because(reason)]),
        ...(notBefore === undefined ? [] : [texts.notBeforeAt(timeOf(notBefore, reader))]),
      ]),
      { type: 'divider' },
      ...lines([
        ...(lane ? laneLines(lane, reader) : [texts.notSeen()]),
        ...(staleMs === undefined ? [] : staleLines(staleMs, reader)),
        texts.announced(channel),
      ]),
      {
        type: 'actions',
        elements: [{ type: 'button', action_id: FORM_ACTIONS.back, text: plainText(texts.back) }],
      },
    ],
  };
}
