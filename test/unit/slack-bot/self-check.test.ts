import { describe, expect, it } from 'vitest';
import { ANNOTATION } from '../../../src/api/names.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import { aResource } from '../../kit/builders.ts';
import {
  ALL,
  away,
  busy,
  entry,
  forbidden,
  gone,
  type Patch,
  Played,
  policies,
  resource,
  rule,
} from './played-policies.ts';

describe('a check', () => {
  it('turns on what the API server holds the bot to, having tried all of it by dry runs of the very object', async () => {
    const played = new Played();
    const found = await played.found(busy());
    expect(found['deploy/web']).toEqual({ freeze: true, abort: true, approve: true });
    expect(played.patches.length).toBe(6);
    for (const { dryRun, under, name } of played.patches) {
      expect({ dryRun, under }).toEqual({ dryRun: true, under: { uid: `uid-of-${name}`, anyVersion: true } });
    }
    expect(played.triedOn()).toEqual(['deploy/web', 'deploy/web-runs', 'deploy/web-waits']);
  });

  it('leaves everything off if the API server would let all of it through', async () => {
    const played = new Played();
    played.answer = () => {};
    const found = await played.found(busy());
    expect(found['deploy/web']).toEqual({ freeze: 'notHeld', abort: 'notHeld', approve: 'notHeld' });
    expect(played.check.powers(busy()).approve).toContain('apply deploy/admission');
  });

  it.each<[string, (patch: Patch) => boolean]>([
    ['a change of something else', ({ patch }) => patch.metadata.labels !== undefined],
    ['the name of nobody', ({ patch }) => patch.metadata.annotations !== undefined],
  ])('leaves everything off if only %s would be let through', async (_, isAllowed) => {
    const played = new Played();
    played.answer = (patch) => (isAllowed(patch) ? undefined : policies(patch));
    const found = await played.found(busy());
    expect(found['deploy/web']).toEqual({ freeze: 'notHeld', abort: 'notHeld', approve: 'notHeld' });
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
    const found = await played.found(busy());
    expect(found['deploy/web']).toEqual({ freeze: why, abort: why, approve: why });
  });

  it('says which rights are missing, and tries nothing there', async () => {
    const played = new Played();
    played.rules = [rule('capdeployjob.dev', 'capdeployjobs', ['get', 'list', 'watch'])];
    const found = await played.found(busy());
    expect(found['deploy/web']).toEqual({ freeze: 'noRight', abort: 'noRight', approve: 'noRight' });
    expect(played.check.powers(busy()).abort).toContain('patch jobs.batch and delete jobs.batch');
    expect(played.check.powers(busy()).approve).toContain('capdeployjob-slack-bot-approve');
    expect(played.patches).toEqual([]);
  });

  it('tells CapDeployJobs apart if a right is for one of them only', async () => {
    const played = new Played();
    played.rules = [...ALL.slice(1), rule('capdeployjob.dev', 'capdeployjobs', ['approve'], ['web'])];
    const found = await played.found(busy('api'), busy('web'));
    expect(found['deploy/api']).toEqual({ freeze: 'noRight', abort: true, approve: 'noRight' });
    expect(found['deploy/web']).toEqual({ freeze: 'noRight', abort: true, approve: true });
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
      expect((await played.found(busy()))['deploy/web']).toMatchObject({ abort: true });
    }
  });

  it('leaves everything off in the one namespace of which the rights could not be read', async () => {
    const played = new Played();
    played.review = (namespace) => {
      if (namespace === 'deploy') throw away();
    };
    const found = await played.found(busy(), busy('web', 'other'));
    expect(found['deploy/web']).toEqual({ freeze: 'unclear', abort: 'unclear', approve: 'unclear' });
    expect(found['other/web']).toEqual({ freeze: true, abort: true, approve: true });
  });

  it('leaves off what there is no deploy to try on, and knows no Job without its uid', async () => {
    const played = new Played();
    const waits = { name: 'production', waiting: [entry('a', '')] };
    for (const each of [resource(), resource('web', [waits]), aResource({ metadata: { name: 'web' } })]) {
      const found = await played.found(each);
      expect(found['deploy/web']).toEqual({ freeze: true, abort: 'notTried', approve: 'notTried' });
    }
  });

  it('tries an approval on what waits only: what runs can no longer be approved', async () => {
    const played = new Played();
    const runs = resource('web', [{ name: 'production', active: [entry('runs')] }]);
    expect((await played.found(runs))['deploy/web']).toMatchObject({
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
      expect((await played.found(resource('web', lanes)))['deploy/web']).toMatchObject({
        approve: true,
      });
    }
  });

  it('passes on what is no answer of the API server', async () => {
    const played = new Played();
    played.answer = () => {
      throw new TypeError('a mistake');
    };
    await expect(played.found(busy())).rejects.toThrow('a mistake');
  });
});

describe('what is known', () => {
  it('is in words, or true; before the first check nothing is on', async () => {
    const played = new Played();
    const notYet = expect.stringContaining('has not looked yet');
    expect(played.check.powers(busy())).toEqual({ freeze: notYet, abort: notYet, approve: notYet });
    await played.found(busy());
    expect(played.check.powers(busy())).toEqual({ freeze: true, abort: true, approve: true });
  });

  it('is forgotten of what is not there any more: another one of that name has to be tried', async () => {
    const played = new Played();
    await played.found(busy(), busy('api'));
    await played.found(busy('api'));
    expect(played.check.powers(busy()).freeze).toContain('has not looked yet');
    expect(played.check.powers(busy('api')).freeze).toBe(true);
  });

  it('is logged once, and again if it changes', async () => {
    const played = new Played();
    const lines = () => played.lines.splice(0).map(({ power, why }) => `${power} ${why ?? 'on'}`);
    await played.found(busy());
    expect(lines()).toEqual(['freeze on', 'abort on', 'approve on']);
    await played.found(busy());
    expect(lines()).toEqual([]);
    played.answer = () => {};
    await played.found(busy());
    expect(lines()).toEqual(['freeze notHeld', 'abort notHeld', 'approve notHeld']);
  });
});
