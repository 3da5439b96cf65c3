import { describe, expect, it } from 'vitest';
import { buildEvent } from '../../../../src/kube/events.ts';
import { aClaim, aHistoryEntry, aJob, aSpec, at, aWaitingEntry } from '../../../kit/builders.ts';
import { aPlan, aRejection, KEY, Rig } from './rig.ts';

const reporter = (index: number) => ({ controller: 'example.com/test', instance: `operator-${index}` });

const job = aJob({ sentAt: at(-90) });

describe('a deploy that has started', () => {
  it('is told once for each Job, with who asked for what', () => {
    const rig = new Rig();
    rig.announcer.started(KEY, rig.resource, job);
    expect(rig.events).toMatchObject([
      {
        type: 'Normal',
        reason: 'Started',
        action: 'Deploy',
        note: `${job.metadata.name}: deploy of v1.0.0 to production for alice started`,
        turn: `${job.metadata.uid}/started`,
        regarding: { kind: 'CapDeployJob', metadata: { name: 'web' } },
        related: { apiVersion: 'batch/v1', kind: 'Job', metadata: { uid: job.metadata.uid } },
      },
    ]);
  });

  it('is counted with the seconds since it was sent, which are never negative', () => {
    const rig = new Rig();
    rig.announcer.started(KEY, rig.resource, job);
    rig.announcer.started(KEY, rig.resource, aJob({ sentAt: at(3600) }));
    expect(rig.counted).toEqual([
      ['started', KEY, 'production', 90],
      ['started', KEY, 'production', 0],
    ]);
  });
});

describe('a deploy that has ended', () => {
  const cases = [
    ['Succeeded', 'Normal'],
    ['Superseded', 'Normal'],
    ['Failed', 'Warning'],
    ['Aborted', 'Warning'],
    ['Missed', 'Warning'],
    ['Refused', 'Warning'],
    ['Unknown', 'Warning'],
  ] as const;
  for (const [result, type] of cases) {
    it(`is told as ${type} where it is ${result}, and counted`, () => {
      const rig = new Rig();
      const entry = aHistoryEntry(job, { result, reason: 'BecauseOfThat' });
      rig.announcer.recorded(KEY, rig.observation(), aPlan({ ended: [entry] }));
      expect(rig.events).toMatchObject([{ type, reason: result, turn: `${entry.job}/${entry.id}/ended` }]);
      expect(rig.counted).toEqual([['ended', KEY, 'production', result]]);
    });
  }

  it('says why, and in which words if there are any', () => {
    const rig = new Rig();
    const {
      requestedBy: _,
      revision: __,
      ...entry
    } = aHistoryEntry(job, { result: 'Failed', reason: 'PodNotStarted' });
    rig.announcer.recorded(KEY, rig.observation(), aPlan({ ended: [entry, { ...entry, message: 'no such image' }] }));
    expect(rig.events.map(({ note }) => note)).toEqual([
      `${entry.job}: deploy of (no revision) to production Failed: PodNotStarted`,
      `${entry.job}: deploy of (no revision) to production Failed: PodNotStarted: no such image`,
    ]);
  });

  it('has one Event however often and by whomever it is told', () => {
    const rig = new Rig();
    const plan = aPlan({ ended: [aHistoryEntry(job)] });
    rig.announcer.recorded(KEY, rig.observation(), plan);
    rig.announcer.recorded(KEY, rig.observation(), plan);
    const [first, second] = rig.events.map((event, index) => buildEvent(event, reporter(index), index));
    expect(first?.metadata.name).toBe(second?.metadata.name);
  });
});

describe('a message that was rejected', () => {
  it('is told by its MessageId and with what is wrong with it', () => {
    const rig = new Rig();
    const { message: _, ...bare } = aRejection('m3', { reason: 'WrongShape' });
    const rejected = [
      aRejection('m1', { field: 'revision', message: 'revision: unsafe' }),
      { ...bare, field: 'environment', messageId: 'm2' },
      bare,
    ];
    rig.announcer.recorded(KEY, rig.observation(), aPlan({ rejected }));
    expect(rig.events.map(({ type, reason, note, turn }) => [type, reason, note, turn])).toEqual([
      ['Warning', 'NotJSON', 'message m1 rejected: revision: unsafe', 'm1/rejected'],
      ['Warning', 'WrongShape', 'message m2 rejected: environment', 'm2/rejected'],
      ['Warning', 'WrongShape', 'message m3 rejected: WrongShape', 'm3/rejected'],
    ]);
  });

  it('is told if it is among the fifty newest of a status write: a flood crowds nothing out', () => {
    const rig = new Rig();
    const rejected = Array.from({ length: 200 }, (_, index) => aRejection(`m${index}`));
    rig.announcer.recorded(KEY, rig.observation(), aPlan({ rejected }));
    expect(rig.events.map(({ turn }) => turn)).toEqual(
      Array.from({ length: 50 }, (_, index) => `m${150 + index}/rejected`),
    );
  });
});

describe('a Job that was resumed by hand', () => {
  it('is reported as what holds the lane', () => {
    const rig = new Rig();
    rig.announcer.recorded(KEY, rig.observation(), aPlan({ adopted: [job] }));
    expect(rig.events).toMatchObject([
      { type: 'Warning', reason: 'Adopted', turn: `${job.metadata.uid}/adopted`, related: { kind: 'Job' } },
    ]);
    expect(rig.events[0]?.note).toContain(job.metadata.name);
  });
});

describe('an environment that is frozen no more', () => {
  const before = { environments: [{ name: 'production', frozen: 'alice: incident 42' }] };
  const after = aPlan({ status: { environments: [{ name: 'production' }] } });
  const thaw = (rig: Rig, resourceVersion: string, status = before) => {
    const { resource, ...seen } = rig.observation();
    const metadata = { ...resource.metadata, resourceVersion };
    rig.announcer.recorded(KEY, { ...seen, resource: { ...resource, metadata, status } }, after);
  };

  it('is told, with what had frozen it', () => {
    const rig = new Rig();
    thaw(rig, '7');
    expect(rig.events).toMatchObject([
      {
        type: 'Normal',
        reason: 'Thawed',
        action: 'Thaw',
        note: 'production is frozen no more, and what waits there may start; it was frozen: alice: incident 42',
        regarding: { kind: 'CapDeployJob', metadata: { name: 'web' } },
      },
    ]);
  });

  it('has one Event for each thaw, whichever operator reports it, and another one for the next thaw', () => {
    const rig = new Rig();
    for (const version of ['7', '7', '8']) thaw(rig, version);
    const [first, second, next] = rig.events.map((event, index) => buildEvent(event, reporter(index), index));
    expect(first?.metadata.name).toBe(second?.metadata.name);
    expect(first?.metadata.name).not.toBe(next?.metadata.name);
  });

  it('is reported without the secrets that a person wrote into the freeze', () => {
    const rig = new Rig();
    thaw(rig, '7', {
      environments: [{ name: 'production', frozen: 'alice: see https://x:hunter22@example.test' }],
    });
    const [event] = rig.events;
    expect(event && buildEvent(event, reporter(0), 0).note).toMatch(/it was frozen: alice: see .*\[redacted\]/);
  });
});

describe('the lanes of a resource', () => {
  it('are counted one by one, and empty ones as empty', () => {
    const rig = new Rig();
    const waiting = [aWaitingEntry(job), aWaitingEntry(aJob({ id: 'r2' }))];
    rig.announcer.lanes(KEY, { environments: [{ name: 'production', waiting }, { name: 'staging' }] });
    rig.announcer.lanes(KEY, {});
    expect(rig.counted).toEqual([
      [
        'lanes',
        KEY,
        [
          { environment: 'production', waiting: 2, active: 0 },
          { environment: 'staging', waiting: 0, active: 0 },
        ],
      ],
      ['lanes', KEY, []],
    ]);
  });

  it('are those of the spec, and others while something waits or runs there', () => {
    const rig = new Rig();
    const spec = aSpec({ environments: [{ name: 'production' }, { name: 'new' }] });
    const environments = [
      { name: 'emptied' },
      { name: 'production' },
      { name: 'waited-for', waiting: [aWaitingEntry(job)] },
      { name: 'running', active: [aClaim(job)] },
    ];
    rig.announcer.lanes(KEY, { environments }, spec);
    expect(rig.counted).toEqual([
      [
        'lanes',
        KEY,
        [
          { environment: 'production', waiting: 0, active: 0 },
          { environment: 'new', waiting: 0, active: 0 },
          { environment: 'waited-for', waiting: 1, active: 0 },
          { environment: 'running', waiting: 0, active: 1 },
        ],
      ],
    ]);
  });

  it('are forgotten with it', () => {
    const rig = new Rig();
    rig.announcer.forget(KEY);
    expect(rig.counted).toEqual([['forget', KEY]]);
  });
});
