import type { ModalView, View } from '@slack/types';
import type { Form } from '../../../../dev/local-slack/person/form.ts';
import { until } from '../../../kit/eventually.ts';
import type { Rig } from './rig.ts';

export const plain = (text: string) => ({ type: 'plain_text' as const, text });
export const option = (text: string) => ({ text: plain(text), value: text });

export const form = (more: Partial<ModalView> = {}): ModalView => ({
  type: 'modal',
  callback_id: 'deploy',
  title: plain('Deploy'),
  submit: plain('Continue'),
  blocks: [
    {
      type: 'input',
      block_id: 'repository',
      label: plain('Repository'),
      element: { type: 'static_select', action_id: 'repository', options: [option('web'), option('api')] },
    },
    {
      type: 'input',
      block_id: 'environment',
      label: plain('Environment'),
      dispatch_action: true,
      element: {
        type: 'radio_buttons',
        action_id: 'environment',
        options: [option('staging'), option('production')],
        initial_option: option('staging'),
      },
    },
    {
      type: 'input',
      block_id: 'revision',
      label: plain('Revision'),
      element: { type: 'external_select', action_id: 'revision', min_query_length: 1 },
    },
    {
      type: 'input',
      block_id: 'why',
      label: plain('Why'),
      optional: true,
      element: { type: 'plain_text_input', action_id: 'why', max_length: 10 },
    },
  ],
  ...more,
});

/** The bot opens this at `/deploy`. */
export async function opened(rig: Rig, view: View = form()): Promise<void> {
  rig.bolt.app.command('/deploy', async ({ ack, body, client }) => {
    await ack();
    await client.views.open({ trigger_id: body.trigger_id, view });
  });
  rig.bolt.app.options('revision', async ({ ack, payload }) => {
    await ack({ options: [option(`${payload.value}.0`), option(`${payload.value}.1`)] });
  });
  rig.bolt.app.action('environment', async ({ ack }) => ack());
  await rig.bolt.connect();
  await rig.slack.as('alice').command('deploys', '/deploy');
  await until(() => rig.slack.as('alice').form());
}

/** With its required fields filled in. */
export async function filled(rig: Rig): Promise<Form> {
  const alice = rig.slack.as('alice').form();
  await alice.fill('Repository', 'web');
  await alice.search('Revision', 'v1');
  await alice.pick('Revision', 'v1.1');
  return alice;
}
