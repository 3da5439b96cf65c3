import { describe, expect, it } from 'vitest';
import type { CapDeployJob } from '../../../src/api/capdeployjob.ts';
import { ANNOTATION } from '../../../src/api/names.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import { POWERS, type Power, type Powers } from '../../../src/slack-bot/self-check.ts';
import { aResource } from '../../kit/builders.ts';
import { ALL, away, forbidden, gone, type Patch, Played, policies, rule } from './played-policies.ts';

const entry = (job: string, uid: string | undefined = `uid-of-${job}`) => ({ job, ...(uid && { uid }) });
function resource(name = 'web', lanes: object[] = [], namespace = 'deploy'): CapDeployJob {
  return aResource({ metadata: { name, namespace, uid: `uid-of-${name}` }, status: { environments: lanes } });
}
const busy = (name = 'web', namespace = 'deploy') =>
  resource(
    name,
    [{ name: 'production', active: [entry(`${name}-runs`)], waiting: [entry(`${name}-waits`)] }],
    namespace,
  );

/** Each power as true, or why it is off. */
const states = (powers: Powers | undefined) =>
  Object.fromEntries(Object.entries(powers ?? {}).map(([power, state]) => [power, state.on || state.why]));
const messageOf = (powers: Powers | undefined, power: Power) => {
  const state = powers?.[power];
  return state?.on === false ? state.message : undefined;
};

describe('a check', () => {
  it('turns on what the API server holds the bot to, having tried all of it by dry runs of the very object', async () => {
    const played = new Played();
    const found = await played.check.check([busy()]);
    expect(states(found.get('deploy/web'))).toEqual({ freeze: true, abort: true, approve: true });
    expect(played.patches.length).toBe(6);
    for (const { dryRun, under, name } of played.patches) {
      expect({ dryRun, under }).toEqual({ dryRun: true, under: { uid: `uid-of-${name}`, anyVersion: true } });
    }
    expect(played.triedOn()).toEqual(['deploy/web', 'deploy/web-runs', 'deploy/web-waits']);
  });

  it('leaves everything off if the API server would let all of it through', async () => {
    const played = new Played();
    played.answer = () => {};
    const powers = (await played.check.check([busy()])).get('deploy/web');
    expect(states(powers)).toEqual({ freeze: 'notHeld', abort: 'notHeld', approve: 'notHeld' });
    expect(messageOf(powers, 'approve')).toContain('apply deploy/admission');
  });

  it.each<[string, (patch: Patch) => boolean]>([
    ['a change of something else', ({ patch }) => patch.metadata.labels !== undefined],
    ['the name of nobody', ({ patch }) => patch.metadata.annotations !== undefined],
  ])('leaves everything off if only %s would be let through', async (_, isAllowed) => {
    const played = new Played();
    played.answer = (patch) => (isAllowed(patch) ? undefined : policies(patch));
    const powers = (await played.check.check([busy()])).get('deploy/web');
    expect(states(powers)).toEqual({ freeze: 'notHeld', abort: 'notHeld', approve: 'notHeld' });
  });

  it.each<[string, () => KubeError, string]>([
    [
      'the policies take the bot for a person',
      () => forbidden(`${ANNOTATION.approvedBy} must be your own user name, "bot"; found "x"`),
      'botUnknown',
    ],
    ['RBAC refuses it', () => forbidden('User "bot" cannot patch resource "jobs" in API group "batch"'), 'noRight'],
    [
      'something else refuses it',
      () => forbidden('admission webhook "kyverno" denied the request: no labels'),
      'unclear',
    ],
    ['the API server does not answer', away, 'unclear'],
    [
      'a webhook forbids dry runs',
      () => new KubeError('invalid', { status: 400, reason: 'BadRequest', message: 'does not support dry run' }),
      'unclear',
    ],
  ])('leaves everything off if %s', async (_, error, why) => {
    const played = new Played();
    played.answer = () => {
      throw error();
    };
    const powers = (await played.check.check([busy()])).get('deploy/web');
    expect(states(powers)).toEqual({ freeze: why, abort: why, approve: why });
  });

  it('says which rights are missing, and tries nothing there', async () => {
    const played = new Played();
    played.rules = [rule('capdeployjob.dev', 'capdeployjobs', ['get', 'list', 'watch'])];
    const powers = (await played.check.check([busy()])).get('deploy/web');
    expect(states(powers)).toEqual({ freeze: 'noRight', abort: 'noRight', approve: 'noRight' });
    expect(messageOf(powers, 'abort')).toContain('patch jobs.batch and delete jobs.batch');
    expect(messageOf(powers, 'approve')).toContain('capdeployjob-slack-bot-approve');
    expect(played.patches).toEqual([]);
  });

  it('tells CapDeployJobs apart if a right is for one of them only', async () => {
    const played = new Played();
    played.rules = [...ALL.slice(1), rule('capdeployjob.dev', 'capdeployjobs', ['approve'], ['web'])];
    const found = await played.check.check([busy('api'), busy('web')]);
    expect(states(found.get('deploy/api'))).toEqual({ freeze: 'noRight', abort: true, approve: 'noRight' });
    expect(states(found.get('deploy/web'))).toEqual({ freeze: 'noRight', abort: true, approve: true });
    expect(played.triedOn()).not.toContain('deploy/api-waits');
  });

  it('tries if the rights cannot all be listed, and if there is no such question', async () => {
    for (const change of [
      (played: Played) => Object.assign(played, { rules: [], incomplete: true }),
      (played: Played) =>
        Object.assign(played, {
          review: () => {
            throw gone();
          },
        }),
    ]) {
      const played = new Played();
      change(played);
      expect(states((await played.check.check([busy()])).get('deploy/web'))).toMatchObject({ abort: true });
    }
  });

  it('leaves everything off in the one namespace of which the rights could not be read', async () => {
    const played = new Played();
    played.review = (namespace) => {
      if (namespace === 'deploy') throw away();
    };
    const found = await played.check.check([busy(), busy('web', 'other')]);
    expect(states(found.get('deploy/web'))).toEqual({ freeze: 'unclear', abort: 'unclear', approve: 'unclear' });
    expect(states(found.get('other/web'))).toEqual({ freeze: true, abort: true, approve: true });
  });

  it('leaves off what there is no deploy to try on, and knows no Job without its uid', async () => {
    const played = new Played();
    const waits = { name: 'production', waiting: [entry('a', '')] };
    for (const each of [resource(), resource('web', [waits]), aResource({ metadata: { name: 'web' } })]) {
      const found = await played.check.check([each]);
      expect(states(found.get('deploy/web'))).toEqual({ freeze: true, abort: 'notTried', approve: 'notTried' });
    }
  });

  it('tries an approval on what waits only: what runs can no longer be approved', async () => {
    const played = new Played();
    const runs = resource('web', [{ name: 'production', active: [entry('runs')] }]);
    expect(states((await played.check.check([runs])).get('deploy/web'))).toMatchObject({
      abort: true,
      approve: 'notTried',
    });
  });

  it('takes the next Job if one has gone, or its name is another one’s by now', async () => {
    const otherUid = new KubeError('invalid', {
      status: 422,
      reason: 'Invalid',
      message: 'metadata.uid: Invalid value',
    });
    for (const error of [gone(), otherUid]) {
      const played = new Played();
      played.answer = (patch) => {
        if (patch.name === 'first') throw error;
        policies(patch);
      };
      const lanes = [{ name: 'production', waiting: [entry('first'), entry('second')] }];
      expect(states((await played.check.check([resource('web', lanes)])).get('deploy/web'))).toMatchObject({
        approve: true,
      });
    }
  });

  it('passes on what is no answer of the API server', async () => {
    const played = new Played();
    played.answer = () => {
      throw new TypeError('a mistake');
    };
    await expect(played.check.check([busy()])).rejects.toThrow('a mistake');
  });
});

describe('whether the bot may now', () => {
  const deploy = { namespace: 'deploy', job: 'late', uid: 'uid-of-late' };

  it('is known from the last check', async () => {
    const played = new Played();
    await played.check.check([busy()]);
    const before = played.patches.length;
    for (const power of POWERS) expect(await played.check.may(power, busy(), deploy)).toEqual({ on: true });
    expect(played.patches.length).toBe(before);
    expect(played.reviewed).toEqual(['deploy']);
  });

  it('is tried on the very deploy if nothing was there to try on', async () => {
    const played = new Played();
    await played.check.check([resource()]);
    played.patches.length = 0;
    expect(await played.check.may('approve', resource(), deploy)).toEqual({ on: true });
    expect(played.triedOn()).toEqual(['deploy/late']);
    expect(await played.check.may('approve', resource(), { ...deploy, job: 'later' })).toEqual({ on: true });
    expect(played.triedOn()).toEqual(['deploy/late']);
  });

  it('is tried before any check, too', async () => {
    const played = new Played();
    expect(await played.check.may('freeze', resource())).toEqual({ on: true });
    expect(played.triedOn()).toEqual(['deploy/web']);
  });

  it('is tried again if it was off: rights and policies may have come', async () => {
    const played = new Played();
    played.rules = [];
    expect(await played.check.may('abort', resource(), deploy)).toMatchObject({ why: 'noRight' });
    played.rules = ALL;
    played.answer = () => {};
    expect(await played.check.may('abort', resource(), deploy)).toMatchObject({ why: 'notHeld' });
    played.answer = policies;
    expect(await played.check.may('abort', resource(), deploy)).toEqual({ on: true });
  });

  it('is no any more once a check finds the policies gone', async () => {
    const played = new Played();
    await played.check.check([busy()]);
    played.answer = () => {};
    await played.check.check([busy()]);
    for (const power of POWERS) expect(await played.check.may(power, busy(), deploy)).toMatchObject({ why: 'notHeld' });
  });

  it('is no any more once a check has nothing to try on', async () => {
    const played = new Played();
    await played.check.check([busy()]);
    await played.check.check([resource()]);
    expect(await played.check.may('approve', resource())).toMatchObject({ why: 'notTried' });
  });

  it('is a question for each CapDeployJob if the right is for one only', async () => {
    const played = new Played();
    played.rules = [...ALL.slice(1), rule('capdeployjob.dev', 'capdeployjobs', ['approve'], ['web'])];
    expect(await played.check.may('approve', resource('web'), deploy)).toEqual({ on: true });
    expect(await played.check.may('approve', resource('api'), deploy)).toMatchObject({ why: 'noRight' });
  });

  it('is no if the deploy has gone', async () => {
    const played = new Played();
    played.answer = () => {
      throw gone();
    };
    expect(await played.check.may('abort', resource(), deploy)).toMatchObject({ why: 'notTried' });
  });
});
