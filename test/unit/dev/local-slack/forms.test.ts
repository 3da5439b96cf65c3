import { describe, expect, test } from 'vitest';
import type { Json } from '../../../../dev/local-slack/json.ts';
import { TROUBLE } from '../../../../dev/local-slack/person/form.ts';
import { until } from '../../../kit/eventually.ts';
import { filled, form, opened, option, plain } from './forms.ts';
import { useSlack } from './rig.ts';

const rig = useSlack();

describe('a form', () => {
  test('looks like this, and takes what its fields allow', async () => {
    await opened(rig);
    const alice = rig.slack.as('alice').form();
    expect(alice.title).toBe('Deploy');
    expect(alice.text.split('\n')).toEqual([
      'Repository: [ ▾]',
      'Environment: ( ) staging ( ) production',
      'Revision: [ ▾]',
      'Why (optional): []',
    ]);
    await expect(alice.fill('Repository', 'ops')).rejects.toThrow('"ops" is not offered');
    await expect(alice.fill('Why', 'x'.repeat(11))).rejects.toThrow('longer than the field takes');
    await expect(alice.fill('Why', 'a\nb')).rejects.toThrow('one line');
    await expect(alice.fill('Revision', 'v1')).rejects.toThrow('nothing can be chosen');
    await expect(alice.pick('Revision', 'v1')).rejects.toThrow('searched first');
    expect(await alice.submit()).toEqual({
      result: 'incomplete',
      errors: {
        Repository: 'Please complete this required field.',
        Revision: 'Please complete this required field.',
      },
    });
  });

  test('a field with `dispatch_action` tells the app at once; the others when it is submitted', async () => {
    const submitted: Json[] = [];
    rig.bolt.app.view('deploy', async ({ ack, view, body }) => {
      await ack();
      submitted.push({ id: view.id, user: body.user.id, ...view.state.values });
    });
    await opened(rig);
    const alice = await filled(rig);
    expect(await alice.fill('Environment', 'production')).toMatchObject({ acknowledged: true });
    await alice.fill('why', 'basket');
    expect(await alice.submit()).toEqual({ result: 'closed' });
    expect(submitted).toMatchObject([
      {
        id: alice.view.id,
        user: 'U0ALICE',
        repository: { repository: { selected_option: { value: 'web' } } },
        environment: { environment: { selected_option: { value: 'production' } } },
        revision: { revision: { selected_option: { value: 'v1.1' } } },
        why: { why: { value: 'basket' } },
      },
    ]);
    expect(rig.slack.as('alice').openViews).toEqual([]);
    await expect(alice.submit()).rejects.toThrow('not open any more');
  });

  test('errors stand at their field; one at no field is trouble', async () => {
    let errors: Record<string, string> = { revision: 'no such revision' };
    rig.bolt.app.view('deploy', async ({ ack }) => ack({ response_action: 'errors', errors }));
    await opened(rig);
    const alice = await filled(rig);
    expect(await alice.submit()).toEqual({ result: 'errors', errors: { Revision: 'no such revision' } });
    expect(alice.values).toMatchObject({ repository: { value: 'web' } });
    errors = { nowhere: 'x' };
    expect(await alice.submit()).toEqual({ result: 'failed', shown: TROUBLE });
    expect(alice.open).toBe(true);
    expect(rig.slack.world.violations.join()).toContain('an error at what is no input: nowhere');
  });

  test('update, push, clear', async () => {
    const answers: Json[] = [
      { response_action: 'update', view: form({ title: plain('Sure?'), blocks: [{ type: 'divider' }] }) },
      { response_action: 'push', view: form({ title: plain('Second'), blocks: [{ type: 'divider' }] }) },
      { response_action: 'push', view: form({ title: plain('Third'), blocks: [{ type: 'divider' }] }) },
      { response_action: 'push', view: form({ title: plain('Fourth'), blocks: [{ type: 'divider' }] }) },
      { response_action: 'clear' },
    ];
    rig.bolt.app.view('deploy', async ({ ack }) => ack(answers.shift() as never));
    await opened(rig);
    const submit = () => rig.slack.as('alice').form().submit();
    expect((await (await filled(rig)).submit()).result).toBe('updated');
    expect(rig.slack.as('alice').openViews).toEqual(['Sure?']);
    expect((await submit()).result).toBe('pushed');
    expect((await submit()).result).toBe('pushed');
    expect(rig.slack.as('alice').openViews).toEqual(['Sure?', 'Second', 'Third']);
    expect((await submit()).result).toBe('failed');
    expect(rig.slack.world.violations).toEqual(['answer to view_submission: push_limit_reached {}']);
    expect((await submit()).result).toBe('cleared');
    expect(rig.slack.as('alice').openViews).toEqual([]);
  });

  test('an answer with a view that is not valid, or none in 3 s: trouble, and the form stays', async () => {
    let silent = false;
    rig.bolt.app.view('deploy', async ({ ack }) => {
      if (!silent) await ack({ response_action: 'update', view: form({ title: plain('x'.repeat(25)) }) });
    });
    await opened(rig);
    const alice = await filled(rig);
    expect(await alice.submit()).toEqual({ result: 'failed', shown: TROUBLE });
    expect(rig.slack.world.violations.join()).toContain('must be less than 25 characters');
    silent = true;
    const submitting = alice.submit();
    rig.clock.advance(3000);
    expect(await submitting).toEqual({ result: 'failed', shown: TROUBLE });
    expect(rig.slack.as('alice').openViews).toEqual(['Deploy']);
  });

  test.each([false, true])('closed: the app hears of it only if it asked (%s)', async (asked) => {
    const closed: Json[] = [];
    rig.bolt.app.view({ callback_id: 'deploy', type: 'view_closed' }, async ({ ack, body }) => {
      await ack();
      closed.push({ ...body });
    });
    await opened(rig, form({ notify_on_close: asked }));
    const alice = rig.slack.as('alice').form();
    await alice.close();
    expect(rig.slack.as('alice').openViews).toEqual([]);
    expect(closed.map(({ view }) => (view as Json).id)).toEqual(asked ? [alice.view.id] : []);
  });

  test('every kind of field', async () => {
    const field = (name: string, element: Json): Json => ({
      type: 'input',
      block_id: name,
      label: plain(name),
      element: { action_id: name, ...element },
    });
    const options = [option('web'), option('api')];
    const blocks = [
      field('several', { type: 'multi_static_select', options, max_selected_items: 1 }),
      field('grouped', { type: 'static_select', option_groups: [{ label: plain('all'), options }] }),
      field('checks', { type: 'checkboxes', options, initial_options: [option('api')] }),
      field('user', { type: 'users_select' }),
      field('channel', { type: 'channels_select' }),
      field('where', { type: 'conversations_select' }),
      field('date', { type: 'datepicker' }),
      field('time', { type: 'timepicker', initial_time: '19:30' }),
      field('moment', { type: 'datetimepicker' }),
      field('text', { type: 'plain_text_input', min_length: 3 }),
    ];
    rig.bolt.app.view('deploy', async ({ ack }) => ack());
    await opened(rig, form({ blocks: blocks as never }));
    const alice = rig.slack.as('alice').form();
    await expect(alice.fill('several', ['web', 'api'])).rejects.toThrow('the field takes 1');
    await expect(alice.fill('date', 'today')).rejects.toThrow('not a date');
    await expect(alice.fill('time', '25:00')).rejects.toThrow('not a time');
    await expect(alice.fill('user', 'nobody')).rejects.toThrow('not seeded');
    const filling: Record<string, string | string[]> = {
      ...{ several: ['web'], grouped: 'api', checks: ['web', 'api'], user: 'bob', channel: 'deploys' },
      ...{ where: 'prod', date: '2026-01-01', time: '08:00', moment: '1767225600', text: 'ab' },
    };
    expect(Object.keys(((await alice.submit()) as { errors: object }).errors)).not.toContain('checks');
    for (const [name, value] of Object.entries(filling)) await alice.fill(name, value);
    expect(await alice.submit()).toEqual({
      result: 'incomplete',
      errors: { text: 'Please enter at least 3 characters.' },
    });
    await alice.fill('text', 'abc');
    expect(alice.values).toEqual({
      several: [option('web')],
      grouped: option('api'),
      checks: options,
      user: 'U0BOB',
      channel: 'C0DEPLOYS',
      where: 'C0PROD',
      date: '2026-01-01',
      time: '08:00',
      moment: 1767225600,
      text: 'abc',
    });
    expect(await alice.submit()).toEqual({ result: 'closed' });
  });

  test('a button in a view; its trigger pushes a second view; closing the second leaves the first', async () => {
    const bodies: Json[] = [];
    rig.bolt.app.action('more', async ({ ack, body, client }) => {
      await ack();
      bodies.push({ ...body });
      const { trigger_id } = body as unknown as { trigger_id: string };
      await client.views.push({ trigger_id, view: form({ title: plain('More') }) });
    });
    const button = { type: 'button' as const, action_id: 'more', text: plain('More') };
    await opened(rig, form({ blocks: [{ type: 'actions', elements: [button] }] }));
    await rig.slack.as('alice').form().click('More');
    await until(() => expect(rig.slack.as('alice').openViews).toEqual(['Deploy', 'More']));
    expect(bodies).toMatchObject([{ container: { type: 'view' }, view: { callback_id: 'deploy' } }]);
    await rig.slack.as('alice').form().close();
    expect(rig.slack.as('alice').openViews).toEqual(['Deploy']);
  });

  test('`clear_on_close` closes all, and says so', async () => {
    const cleared: Json[] = [];
    rig.bolt.app.view({ callback_id: 'deploy', type: 'view_closed' }, async ({ ack, body }) => {
      await ack();
      cleared.push({ ...body });
    });
    rig.bolt.app.view('deploy', async ({ ack }) => {
      await ack({ response_action: 'push', view: form({ notify_on_close: true, clear_on_close: true }) });
    });
    await opened(rig, form({ notify_on_close: true }));
    await (await filled(rig)).submit();
    await rig.slack.as('alice').form().close();
    expect(cleared.map((body) => body.is_cleared)).toEqual([true, true]);
    expect(rig.slack.as('alice').openViews).toEqual([]);
  });

  test('a global shortcut opens one too, and has no channel', async () => {
    const bodies: Json[] = [];
    rig.bolt.app.shortcut('deploy', async ({ ack, body, client }) => {
      await ack();
      bodies.push({ ...body });
      await client.views.open({ trigger_id: body.trigger_id, view: form() });
    });
    await rig.bolt.connect();
    expect(await rig.slack.as('alice').shortcut('deploy')).toEqual({ acknowledged: true });
    await until(() => expect(rig.slack.as('alice').openViews).toEqual(['Deploy']));
    expect(bodies[0]).not.toHaveProperty('channel');
  });
});
