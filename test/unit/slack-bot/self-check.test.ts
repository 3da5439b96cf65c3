import { describe, expect, it } from 'vitest';
import { ANNOTATION } from '../../../src/api/names.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import { POWERS, type Power, type Trial, trialsOf } from '../../../src/slack-bot/try-power.ts';
import { aResource } from '../../kit/builders.ts';
import { ALL, away, busy, entry, forbidden, gone, Played, policies, resource, rule } from './played-policies.ts';

const ALICE = 'slack:T0TEAM/U0ALICE';
const moved = () => new KubeError('conflict', { status: 409, reason: 'Conflict', message: 'Conflict: moved' });
const fail = (error: KubeError): never => {
  throw error;
};

describe('a check', () => {
  it('turns on what the API server holds the bot to, having tried all of it by dry runs of the very object', async () => {
    const played = new Played();
    const found = await played.found(busy());
    expect(found['deploy/web']).toEqual({ freeze: true, abort: true, approve: true });
    expect(played.requests()).toEqual({
      freeze: ['spec of CapDeployJob', 'freeze.capdeployjob.dev/slack-bot-self-check'],
      abort: ['nothing', 'label', 'spec of Job', 'capdeployjob.dev/aborted-by', 'delete'],
      approve: ['nothing', 'label', 'spec of Job', 'capdeployjob.dev/approved-by'],
    });
    for (const { patch, under, name } of played.patches) {
      const version = patch ? { anyVersion: true } : { resourceVersion: '7' };
      expect(under).toEqual({ uid: `uid-of-${name}`, ...version });
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

  it.each(
    POWERS.flatMap((power) =>
      trialsOf(power, ALICE).map((trial): [Power, string, Trial] => [power, trial.what, trial]),
    ),
  )('leaves %s off if the bot could %s, and only that', async (power, what, trial) => {
    const played = new Played();
    played.annotations = { [ANNOTATION.requestedBy]: `${ALICE} (alice)` };
    played.answer = (call) => {
      if (JSON.stringify(call.patch) !== JSON.stringify(trial.patch)) policies(call);
    };
    const found = await played.found(busy());
    expect(found['deploy/web']?.[power]).toBe('notHeld');
    expect(played.check.powers(busy())[power]).toContain(`would let the chat bot ${what}:`);
  });

  it('tries four eyes by what stands on the Job, and first on what a person of Slack has asked for', async () => {
    const lane = {
      name: 'production',
      waiting: [entry('of-ci'), { ...entry('of-alice'), requestedBy: `${ALICE} (a)` }],
    };
    const played = new Played();
    played.annotations = { [ANNOTATION.requestedBy]: `${ALICE} (alice)` };
    await played.found(resource('web', [lane]));
    const asked = played.patches.filter(({ patch }) => JSON.stringify(patch)?.includes('slack:T0/U0ALICE'));
    expect(asked.map(({ name }) => name)).toEqual(['of-alice']);
  });

  it.each(['alice', 'slack:T0TEAM/C0ALICE', `slack:T0TEAM/U${'0'.repeat(21)}`, 'slack:x/y', undefined])(
    'does without four eyes where %s asked, and no sender turns approvals off by a name',
    async (requestedBy) => {
      const played = new Played();
      if (requestedBy !== undefined) played.annotations = { [ANNOTATION.requestedBy]: requestedBy };
      expect((await played.found(busy()))['deploy/web']?.approve).toBe(true);
      expect(JSON.stringify(played.patches)).not.toContain('slack:');
    },
  );

  it('tries no delete of a Job that somebody aborts, and another one rather than that', async () => {
    const played = new Played();
    played.annotations = { [ANNOTATION.abortedBy]: ALICE };
    expect((await played.found(busy()))['deploy/web']?.abort).toBe(true);
    expect(played.patches.filter(({ patch }) => !patch)).toEqual([]);
    expect(played.triedOn()).toEqual(['deploy/web', 'deploy/web-runs', 'deploy/web-waits']);
  });

  it('takes the next Job if one is being deleted', async () => {
    const played = new Played();
    played.deletionTimestamp = '2026-11-30T09:00:00Z';
    expect((await played.found(busy()))['deploy/web']).toMatchObject({ abort: 'notTried', approve: 'notTried' });
  });

  it.each([
    [1, true],
    [9, 'unclear'],
  ])('looks again if a Job moved before the delete: %j times', async (times, expected) => {
    const played = new Played();
    let left = times;
    played.answer = (call) => {
      if (!call.patch && left-- > 0) throw moved();
      policies(call);
    };
    expect((await played.found(busy()))['deploy/web']?.abort).toBe(expected);
  });

  it.each<[string, () => void]>([
    ['lets all of it through', () => {}],
    ['refuses in other words', () => fail(forbidden('jobs.batch "secret-job" is forbidden: webhook x'))],
    ['takes the bot for a person', () => fail(forbidden('secret-job: must be your own user name, "bot"'))],
    ['knows of no right', () => fail(forbidden('"secret-job": User "bot" cannot delete resource "jobs" in API'))],
    ['does not answer', () => fail(away())],
  ])('names no object to people in chat, but in the log, if the API server %s', async (_, answer) => {
    const played = new Played();
    played.answer = answer;
    const secret = resource('web', [
      { name: 'production', active: [entry('secret-job')], waiting: [entry('secret-job')] },
    ]);
    await played.found(secret, resource('api'));
    const { freeze, abort, approve } = played.check.powers(resource('api'));
    for (const words of [freeze, abort, approve]) {
      expect(words).toEqual(expect.any(String));
      expect(words).not.toMatch(/secret-job|deploy\/web|http|PATCH/);
    }
    expect(played.lines.find(({ power }) => power === 'abort')?.detail).toContain('tried on Job deploy/secret-job');
    expect(played.lines.find(({ power }) => power === 'freeze')?.detail).toContain('tried on CapDeployJob deploy/web');
  });

  it('keeps the words of the API server about rights for the log', async () => {
    const played = new Played();
    played.review = () => {
      throw away();
    };
    await played.found(busy());
    expect(played.check.powers(busy()).freeze).toContain("the bot's log says more");
    expect(played.check.powers(busy()).freeze).not.toContain('30 s');
    expect(played.lines[0]?.detail).toContain('no answer within 30 s');
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
