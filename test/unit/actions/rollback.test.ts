import { describe, expect, it } from 'vitest';
import type { FoundDeploy } from '../../../src/actions/find-deploy.ts';
import { type RollbackChoice, rollback } from '../../../src/actions/rollback.ts';
import type { CapDeployJobStatus, HistoryEntry } from '../../../src/api/capdeployjob.ts';
import { aCheckedResource } from '../../kit/builders.ts';
import { ASKING, aStatus, ended, failed, running, waits } from './a-status.ts';

const BAD = failed('web-production-cccc', { revision: 'v1.2.0' });
const HISTORY = [
  BAD,
  ended('web-production-bbbb', { revision: 'v1.1.0', repository: 'livesense/old-name' }),
  ended('web-production-aaaa', { revision: 'v1.0.0' }),
];
const found = (entry: HistoryEntry): FoundDeploy => ({ environment: 'production', state: 'ended', entry });
const goBack = (
  status: CapDeployJobStatus,
  choice: RollbackChoice = {},
  tasks = ['deploy', 'deploy:rollback', 'app:restart'],
  environment = 'production',
) => rollback({ ...aCheckedResource({ spec: { tasks } }), status }, environment, choice, ASKING);
const refusal = (kind: string, words: string) =>
  expect.objectContaining({ kind, message: expect.stringContaining(words) });

describe('a rollback', () => {
  it('deploys the revision that was there before the deploy that was started last', () => {
    const made = goBack(aStatus({}, HISTORY));
    expect(made).toMatchObject({ from: { job: 'web-production-cccc' }, to: { revision: 'v1.1.0' }, earlier: [] });
    const { idPrefix: _, ...asking } = ASKING;
    expect(made.message).toEqual({
      ...asking,
      id: expect.stringMatching(/^slack-T0TEAM-rollback-web-production-cccc-[0-9a-f]{8}-0$/),
      repository: 'livesense/old-name',
      environment: 'production',
      task: 'deploy',
      revision: 'v1.1.0',
    });
  });

  it('goes back from the deploy that it is asked of', () => {
    const { message, from } = goBack(aStatus({}, HISTORY), { from: found(HISTORY[1]!) });
    expect([from.revision, message.revision]).toEqual(['v1.1.0', 'v1.0.0']);
  });

  it('is a task of the application if that is asked for, and then names no revision', () => {
    const { message, from, to } = goBack(aStatus({}, HISTORY), { task: 'deploy:rollback' });
    expect(message).toMatchObject({ task: 'deploy:rollback', revision: undefined, repository: 'livesense/web' });
    expect([from.job, to]).toEqual(['web-production-cccc', undefined]);
    expect(message.id).not.toBe(goBack(aStatus({}, HISTORY)).message.id);
  });

  it('by a task needs no revision in the history to go back to', () => {
    expect(goBack(aStatus({}, [BAD]), { task: 'deploy:rollback' }).message.task).toBe('deploy:rollback');
  });

  it('that waits already is asked for once', () => {
    const { message } = goBack(aStatus({}, HISTORY));
    const { id, repository } = message;
    const waiting = [waits('x', { id, repository, revision: 'v1.1.0' })];
    expect(goBack(aStatus({ waiting }, HISTORY))).toMatchObject({ message: { id }, earlier: [{ state: 'waiting' }] });
  });

  it('may be asked for while something else than a deploy runs', () => {
    const active = [running('x', { task: 'app:restart' })];
    expect(goBack(aStatus({ active }, HISTORY)).message.revision).toBe('v1.1.0');
  });
});

describe('it is refused', () => {
  it.each(['deploy', 'deploy:rollback'])(
    'while the task %s runs, unless the deploy to go back from is named',
    (task) => {
      const status = aStatus({ active: [running('web-production-dddd', { task, revision: 'v1.3.0' })] }, HISTORY);
      expect(() => goBack(status)).toThrow(
        refusal('refused', 'web-production-dddd (v1.3.0) still runs: abort it first'),
      );
      expect(goBack(status, { from: found(BAD) }).message.revision).toBe('v1.1.0');
    },
  );

  it.each<[string, FoundDeploy, string]>([
    ['runs', { environment: 'production', state: 'active', entry: running('x') }, 'x still runs: abort it first'],
    ['waits', { environment: 'production', state: 'waiting', entry: waits('x') }, 'x has not started'],
    ['was no deploy', found(failed('x', { task: 'db:migrate' })), 'x (db:migrate) was no deploy of a revision'],
  ])('from what %s', (_, from, words) => {
    expect(() => goBack(aStatus({}, HISTORY), { from })).toThrow(refusal('refused', words));
  });

  it.each<[string, string, string[]]>([
    ['that spec.tasks does not name', 'deploy:rollback', ['deploy', 'app:rollback']],
    ['that is no rollback', 'app:restart', ['deploy', 'app:restart', 'app:rollback']],
  ])('by a task %s', (_, task, tasks) => {
    const words = `"${task}" is no rollback that spec.tasks of deploy/web names; there are app:rollback`;
    expect(() => goBack(aStatus({}, HISTORY), { task }, tasks)).toThrow(refusal('refused', words));
  });

  it('by a task if spec.tasks names no rollback, or cannot be read', () => {
    const by = { task: 'deploy:rollback' };
    expect(() => goBack(aStatus({}, HISTORY), by, ['deploy'])).toThrow(refusal('refused', 'there is none'));
    expect(() => goBack(aStatus({}, HISTORY), by, [])).toThrow(refusal('refused', 'has an invalid spec'));
  });
});

describe('there is nothing to go back to', () => {
  const nothing = (words: string) => refusal('notFound', words);

  it('if nothing was started, with or without a task', () => {
    const words = 'cannot roll back "staging" of deploy/web: the history names no deploy of "staging" that was started';
    for (const choice of [{}, { task: 'deploy:rollback' }]) {
      expect(() => goBack(aStatus({}, HISTORY), choice, undefined, 'staging')).toThrow(nothing(words));
    }
  });

  it('if the deploy to go back from was never started', () => {
    const { startedAt: _, ...missed } = ended('web-production-dddd', { result: 'Missed', reason: 'Expired' });
    const going = () => goBack(aStatus({}, [missed, ...HISTORY]), { from: found(missed) });
    expect(going).toThrow(nothing('web-production-dddd was never started'));
  });

  it('if no other revision has succeeded before', () => {
    const again = ended('web-production-aaab', { revision: 'v1.0.0' });
    expect(() => goBack(aStatus({}, [again, HISTORY[2]!]))).toThrow(
      nothing('no deploy of another revision to "production" that succeeded before web-production-aaab'),
    );
  });

  it('if a rollback by a task has succeeded since', () => {
    const { revision: _, ...byTask } = ended('web-production-eeee', { task: 'deploy:rollback' });
    expect(() => goBack(aStatus({}, [byTask, ...HISTORY]))).toThrow(
      nothing('web-production-eeee (deploy:rollback) succeeded since'),
    );
  });
});
