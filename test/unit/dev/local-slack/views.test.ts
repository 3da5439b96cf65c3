import type { View } from '@slack/types';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../../../dev/local-slack/json.ts';
import { webClient } from './bolt-app.ts';
import { filled, form, opened, option, plain } from './forms.ts';
import { code, useSlack } from './rig.ts';

const rig = useSlack();

const opening = (trigger_id: string, view: View = form()): Promise<Json> =>
  rig.bolt.app.client.views.open({ trigger_id, view }).then(
    (answer) => ({ ...answer }),
    (error: { data: Json }) => error.data,
  );

describe('trigger ids', () => {
  const trigger = (): string => rig.slack.world.triggers.issue('A0CAPDEPLOY', 'U0ALICE');

  test('live 3 s, once, for their app', async () => {
    const fresh = trigger();
    rig.clock.advance(2000);
    expect(await opening(fresh)).toMatchObject({ ok: true });
    expect((await opening(fresh)).error).toBe('exchanged_trigger_id');
    const late = trigger();
    rig.clock.advance(3001);
    expect((await opening(late)).error).toBe('expired_trigger_id');
    expect((await opening('1.2.x')).error).toBe('invalid_trigger_id');
    expect((await opening(rig.slack.world.triggers.issue('A0OTHER', 'U0ALICE'))).error).toBe('invalid_trigger_id');
  });

  test('are used up also by a view that is not valid', async () => {
    const id = trigger();
    const refused = await opening(id, form({ title: plain('x'.repeat(25)) }));
    expect(refused).toMatchObject({
      error: 'invalid_arguments',
      response_metadata: { messages: ['[ERROR] must be less than 25 characters [json-pointer:/view/title/text]'] },
    });
    expect((await opening(id)).error).toBe('exchanged_trigger_id');
  });
});

describe('views.update', () => {
  const update = (args: Json): Promise<Json> =>
    rig.bolt.app.client.apiCall('views.update', { view: form(), ...args }).then(
      (answer) => ({ ...answer }),
      (error: { data: Json }) => error.data,
    );

  test('by id or external id, with the hash of what is there, while it is open', async () => {
    const view = form({ external_id: 'one' });
    const { view: first } = (await opening(rig.slack.world.triggers.issue('A0CAPDEPLOY', 'U0ALICE'), view)) as {
      view: { id: string; hash: string };
    };
    expect((await opening(rig.slack.world.triggers.issue('A0CAPDEPLOY', 'U0BOB'), view)).error).toBe(
      'duplicate_external_id',
    );
    expect(await update({ external_id: 'one', view, hash: first.hash })).toMatchObject({ ok: true });
    expect((await update({ view_id: first.id, view, hash: first.hash })).error).toBe('hash_conflict');
    expect(await update({ view_id: first.id, view: form({ title: plain('New') }) })).toMatchObject({ ok: true });
    expect(rig.slack.as('alice').openViews).toEqual(['New']);
    const others = webClient(rig.slack, 'other').apiCall('views.update', { view_id: first.id, view: form() });
    expect(await code(others)).toBe('not_found');
    expect((await update({ view_id: 'V0NONE' })).error).toBe('not_found');
    expect((await update({})).error).toBe('invalid_arguments');
    expect((await update({ view_id: first.id, view: { type: 'modal' } })).error).toBe('invalid_arguments');
    const huge = form({
      blocks: Array.from({ length: 90 }, () => ({ type: 'section', text: plain('x'.repeat(2900)) })),
    });
    expect((await update({ view_id: first.id, view: huge })).error).toBe('view_too_large');
    await rig.slack.as('alice').form().close();
    expect((await update({ view_id: first.id })).error).toBe('not_found');
  });

  test('what was filled in stays under the same ids; a choice that is gone is lost', async () => {
    await opened(rig);
    const alice = await filled(rig);
    await alice.fill('Why', 'basket');
    const [repository, ...others] = form().blocks;
    const menu = { type: 'static_select' as const, action_id: 'repository', options: [option('api')] };
    const blocks = [{ ...(repository as object), element: menu }, ...others];
    expect(await update({ view_id: alice.view.id, view: { ...form(), blocks } })).toMatchObject({ ok: true });
    expect(alice.values).toMatchObject({ repository: null, revision: { value: 'v1.1' }, why: 'basket' });
  });
});
