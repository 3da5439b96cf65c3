import { describe, expect, test } from 'vitest';
import { checks, type Observed, runsOf } from '../../../dev/demo/expectations.ts';
import { messages } from '../../../dev/demo/scenario.ts';

/**
 * The demo must not say that all is well when it is not: everything that can differ is made to differ, one thing at a
 * time.
 */

const COMMITS: Record<string, string> = { 'v1.0.0': 'a'.repeat(40), 'v1.1.0': 'b'.repeat(40), main: 'c'.repeat(40) };
const at = (second: number) => `2026-11-05T10:00:0${second}Z`;
const [first, second, branch, poison] = messages('/trap').map((message, index) => ({
  message,
  messageId: `id-${index}`,
  at: at(0),
})) as [Observed['sent'][0], Observed['sent'][0], Observed['sent'][0], Observed['sent'][0]];

function job(name: string): Observed['jobs'][0] {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: 'deploy', uid: name, resourceVersion: '1', creationTimestamp: at(0) },
    spec: {},
  };
}

function pod(jobName: string, startedAt: string, finishedAt: string): Observed['pods'][0] {
  const terminated = { exitCode: 0, startedAt, finishedAt };
  return {
    metadata: {
      ...job(`${jobName}-pod`).metadata,
      ownerReferences: [{ kind: 'Job', name: jobName, uid: jobName, controller: true }],
    },
    status: { containerStatuses: [{ name: 'cap', state: { terminated } }] },
  };
}

function entry(sent: Observed['sent'][0], jobName: string): Observed['history'][0] {
  const { repository, environment, revision } = sent.message.body;
  return {
    job: jobName,
    id: sent.messageId,
    repository,
    environment,
    revision,
    task: 'deploy',
    result: 'Succeeded',
    reason: 'Completed',
    sentAt: at(0),
    finishedAt: at(5),
  };
}

function deployed(environment: string, revisions: string[]): Observed['deployed'][0] {
  const releases = revisions.map((revision, index) => ({ name: `2026110510000${index}`, commit: COMMITS[revision]! }));
  return {
    environment,
    releases,
    current: releases.at(-1)?.name,
    revisionsLog: releases.map(({ commit, name }) => `Branch x (at ${commit}) deployed as release ${name} by y`),
  };
}

const good: Observed = {
  sent: [first, second, branch, poison],
  history: [entry(first, 'one'), entry(second, 'two'), entry(branch, 'three')],
  rejections: [{ messageId: poison.messageId, reason: 'UnsafeRevision', body: '', at: at(1) }],
  jobs: [job('one'), job('two'), job('three')],
  pods: [pod('one', at(1), at(3)), pod('two', at(3), at(5)), pod('three', at(1), at(3))],
  waits: new Map([['two', ['one has the lane']]]),
  deployed: [deployed('production', ['v1.0.0', 'v1.1.0']), deployed('staging', ['main'])],
  commits: COMMITS,
  queueDepth: 0,
  trapSprung: false,
  operatorEnd: 0,
};

const failures = (seen: Observed) => checks(seen).flatMap(({ ok, text }) => (ok ? [] : [text]));

test('all is well when everything is as expected', () => {
  expect(failures(good)).toEqual([]);
});

test('while the demo stays up the end of the operator is not asked for', () => {
  expect(failures({ ...good, operatorEnd: undefined })).toEqual([]);
});

describe('one thing that differs is one failure that names it', () => {
  const [one, two, three] = good.history as [Observed['history'][0], Observed['history'][0], Observed['history'][0]];
  test.each<[string, Partial<Observed>, RegExp]>([
    [
      'a deploy failed',
      { history: [one, two, { ...three, result: 'Failed' }] },
      /staging main: expected Succeeded, found Failed/,
    ],
    ['a Job too many', { jobs: [...good.jobs, job('four')] }, /expected 3 Jobs, found 4/],
    [
      'two deploys overlap',
      { pods: [pod('one', at(1), at(4)), good.pods[1]!, good.pods[2]!] },
      /v1\.1\.0 started at .*03Z, v1\.0\.0 ended at .*04Z/,
    ],
    ['a Pod was never seen to end', { pods: good.pods.slice(1) }, /v1\.0\.0 ended at undefined/],
    ['nobody was told why', { waits: new Map() }, /no status said why v1\.1\.0 waits/],
    ['the poison was not rejected', { rejections: [] }, /found no rejection/],
    ['the poison was run', { trapSprung: true }, /somebody ran/],
    [
      'the wrong order on the disk',
      { deployed: [deployed('production', ['v1.1.0', 'v1.0.0']), good.deployed[1]!] },
      /^production: expected a{40}, b{40}, found releases b{40}, a{40}/,
    ],
    ['nothing on the disk', { deployed: [good.deployed[0]!] }, /^staging: expected c{40}, found releases , log /],
    ['a message is left', { queueDepth: 2 }, /2 messages are still on the queue/],
    ['the operator was killed', { operatorEnd: 'SIGKILL' }, /the operator ended with SIGKILL/],
  ])('%s', (_, difference, text) => {
    const found = failures({ ...good, ...difference });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(text);
  });
});

test('the summary gives the times of the container, as the kubelet saw them', () => {
  expect(runsOf(good)[1]).toMatchObject({ job: 'two', createdAt: at(0), startedAt: at(3), finishedAt: at(5) });
});
