import type { ModalView } from '@slack/types';
import { blockOf, type Chosen, type FormField, type FormMetadata, readMetadata } from '../../chat/form.ts';
import { frame, messageView, plainText } from '../../chat/form-view.ts';
import type { Answer, Line } from '../../chat/rich-text.ts';
import { formTexts } from '../../chat/texts/form.ts';
import type { Language } from '../../chat/texts/language.ts';
import type { ViewAnswer, ViewState } from '../../slack/listeners.ts';
import type { Errors } from './check.ts';
import type { Drawn } from './draw.ts';

/** From what was found to what Slack shows, and from a view to what stands in it. Pure. */

export const updateTo = (view: ModalView): ViewAnswer => ({ response_action: 'update', view });

export const viewOf = (drawn: Drawn, language: Language): ModalView =>
  'form' in drawn ? drawn.form : saying(language, drawn.refused);

/** A view that tells what the person is told in a channel otherwise. */
export const saying = (language: Language, { blocks }: Answer): ModalView => ({
  ...frame(language),
  close: plainText(formTexts[language].close),
  blocks,
});

export const expiredView = (language: Language = 'en'): ModalView =>
  messageView(language, [formTexts[language].expired()]);

/** For a view that has to be answered before anything is looked up. */
export const languageIn = (privateMetadata: string): Language => readMetadata(privateMetadata)?.language ?? 'en';

/**
 * Errors at their fields; what has no field in this view stands at the first one. Slack takes errors at inputs only.
 * @returns undefined if the view has no field of ours
 */
export function errorsAt(values: ViewState['values'], errors: Errors): ViewAnswer {
  const placed = Object.entries(errors).flatMap(([field, text]) => {
    const block = blockOf(field as FormField, values) ?? blockOf('repository', values) ?? blockOf('channel', values);
    return block === undefined ? [] : [[block, text] as const];
  });
  return placed.length === 0 ? undefined : { response_action: 'errors', errors: Object.fromEntries(placed) };
}

/** The same above a form. */
export function problemsOf(language: Language, errors: Errors): Line[] {
  const labels = formTexts[language];
  return Object.entries(errors).map(([field, text]) => [`⚠ ${labels[field as FormField]}: ${text}`]);
}

/**
 * What stands in the fields. With another repository its environments, revisions and tasks are others; with the first one
 * they are what the form was opened with.
 */
export function keptFields(typed: Chosen & { channel?: string }, { chosen }: FormMetadata): Chosen {
  const { channel: _, environment, revision, task, ...fields } = typed;
  if (chosen.repository === undefined) return { ...chosen, ...fields };
  if (typed.repository !== chosen.repository) return fields;
  return {
    ...fields,
    ...(environment === undefined ? {} : { environment }),
    ...(revision === undefined ? {} : { revision }),
    ...(task === undefined ? {} : { task }),
  };
}

/** With the channel that was chosen in the form. One that the form was opened in stays. */
export const withChannel = (metadata: FormMetadata, { channel }: { channel?: string }): FormMetadata =>
  metadata.picksChannel && channel !== undefined ? { ...metadata, channel } : metadata;
