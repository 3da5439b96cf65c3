import { describe, expect, it } from 'vitest';
import { blockId, blockOf, FORM_ACTIONS, readFields, recentRevisions } from '../../../src/chat/form.ts';
import { aHistoryEntry, aJob } from '../../kit/builders.ts';

describe('the fields of a view', () => {
  it('are read by action id, in whatever block they stand', () => {
    const values = {
      channel: { [FORM_ACTIONS.channel]: 'C0PROD' },
      'repository:1': { [FORM_ACTIONS.repository]: 'deploy/web livesense/web' },
      'environment:2': { [FORM_ACTIONS.environment]: 'staging' },
      'revision:3': { [FORM_ACTIONS.revision]: ' v\u00a01.0.0\u200b' },
      task: { [FORM_ACTIONS.task]: 'deploy' },
      reason: { [FORM_ACTIONS.reason]: ' two\nlines \u202e' },
      notBefore: { [FORM_ACTIONS.notBefore]: '1800000000' },
    };
    expect(readFields(values)).toEqual({
      channel: 'C0PROD',
      repository: 'deploy/web livesense/web',
      environment: 'staging',
      revision: 'v 1.0.0',
      task: 'deploy',
      reason: 'two lines',
      notBefore: 1_800_000_000,
    });
  });

  it.each([
    ['nothing', {}],
    ['empty fields', { reason: { [FORM_ACTIONS.reason]: '' }, revision: {} }],
    ['several values', { environment: { [FORM_ACTIONS.environment]: ['a', 'b'] } }],
    ['names of objects', { x: { constructor: 'x', __proto__: { [FORM_ACTIONS.reason]: 'y' } } }],
    ['no number', { notBefore: { [FORM_ACTIONS.notBefore]: 'soon' } }],
    ['a number that is no second', { notBefore: { [FORM_ACTIONS.notBefore]: '1.5' } }],
  ])('of %s are none', (_, values) => {
    expect(readFields(values as never)).toEqual({});
  });

  it('have blocks that are others for another channel or repository', () => {
    const abouts = [
      ['C0PROD', 'deploy/web livesense/web'],
      ['C0PROD', 'deploy/api livesense/api'],
      ['C0PROD'],
      ['C0X'],
      [],
    ];
    const ids = abouts.map((about) => blockId('revision', about));
    expect(new Set(ids).size).toBe(5);
    for (const id of ids) expect(blockOf('revision', { reason: {}, [id]: {} })).toBe(id);
    expect(blockOf('task', { revision: {} })).toBeUndefined();
  });
});

describe('recentRevisions', () => {
  const entry = (id: string, over: object = {}) => aHistoryEntry(aJob({ id, ...over }), over);

  it('has each revision of the repository once, where it ended last', () => {
    const history = [
      entry('1', { revision: 'v2', environment: 'staging', result: 'Failed' }),
      entry('2', { revision: 'v2', environment: 'production' }),
      entry('3', { revision: 'v9', repository: 'livesense/api' }),
      entry('4', { revision: 'v3', task: 'deploy:rollback' }),
      entry('5', { revision: undefined }),
      entry('6', { revision: 'v1', environment: 'production' }),
    ];
    expect(recentRevisions({ history }, 'livesense/web')).toMatchObject([
      { revision: 'v2', environment: 'staging', result: 'Failed' },
      { revision: 'v1', environment: 'production', result: 'Succeeded' },
    ]);
    expect(recentRevisions(undefined, 'livesense/web')).toEqual([]);
  });
});
