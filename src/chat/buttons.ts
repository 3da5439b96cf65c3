import type { Button } from '@slack/types';
import { z } from 'zod';

/**
 * What a button carries. It says which deploy is meant, and gives no right: whoever clicks is authorised then. The
 * bot's answers have such buttons.
 */

/** Buttons about one deploy. Each opens a view that says what would happen now, and asks once more. */
export const DEPLOY_BUTTONS = ['approve', 'refuse', 'abort', 'retry', 'rollback'] as const;
export type DeployButton = (typeof DEPLOY_BUTTONS)[number];

/** Opens the form, filled in as far as a line was understood. */
export const FORM_BUTTON = 'form';

export const deployValue = z.strictObject({
  /** `<namespace>/<name>` of the CapDeployJob. */
  target: z.string().max(320),
  environment: z.string().max(50),
  job: z.string().max(63),
});
export type DeployValue = z.output<typeof deployValue>;

export const formValue = z.strictObject({
  repository: z.string().max(140).optional(),
  environment: z.string().max(50).optional(),
  revision: z.string().max(244).optional(),
  task: z.string().max(100).optional(),
  reason: z.string().max(256).optional(),
  /** RFC 3339. */
  notBefore: z.string().max(40).optional(),
});
export type FormValue = z.output<typeof formValue>;

/**
 * @param place tells buttons of one message apart: Slack wants each action id once in a message. It follows the id after
 *   a colon.
 */
export const deployButton = (kind: DeployButton, label: string, value: DeployValue, place = ''): Button =>
  button(place === '' ? kind : `${kind}:${place}`, label, value, kind === 'abort' || kind === 'refuse');

/** @param actionId of a click, with the place @returns undefined if it is none of these buttons */
export const deployButtonOf = (actionId: string): DeployButton | undefined =>
  DEPLOY_BUTTONS.find((kind) => kind === actionId.split(':', 1)[0]);

export const formButton = (label: string, value: FormValue): Button => button(FORM_BUTTON, label, value, false);

function button(actionId: string, label: string, value: object, isDanger: boolean): Button {
  return {
    type: 'button',
    action_id: actionId,
    // Slack takes 75 characters.
    text: { type: 'plain_text', text: label.slice(0, 75).toWellFormed(), emoji: false },
    value: JSON.stringify(value),
    ...(isDanger ? { style: 'danger' as const } : {}),
  };
}

/** @returns undefined for a value that no button of ours has */
export function readValue<T>(schema: z.ZodType<T>, value: string): T | undefined {
  try {
    const parsed = schema.safeParse(JSON.parse(value));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
