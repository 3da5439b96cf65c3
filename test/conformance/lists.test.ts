import { beforeAll, describe, expect, test } from 'vitest';
import { PLAYED_NODE } from '../behaviour/cluster.ts';
import type { Json } from './api.ts';
import { WORLD } from './api.ts';
import { capDeployJob, configMap, job, pod } from './objects.ts';
import { keyProblem, said, suite, valueProblem } from './suite.ts';

const it = suite();
const ask = (collection: string, query: Record<string, string | number>) =>
  it.api.get(`${collection}?${new URLSearchParams(query as Record<string, string>)}`);
const names = ({ items }: Json): string[] => items.map((item: Json) => item.metadata.name);

beforeAll(async () => {
  for (const [index, name] of ['c', 'a', 'b', 'd'].entries()) {
    const labels = { set: 'd', app: name < 'c' ? 'web' : 'api', n: String(name.charCodeAt(0)), [`only-${name}`]: '' };
    expect((await it.api.post(it.maps, configMap(name, { index: String(index) }, { labels }))).status).toBe(201);
  }
  await it.api.post(it.jobs, job('waiting'));
  await it.api.post(it.cdj, capDeployJob('one'));
  await it.api.post(it.cdj, capDeployJob('two'));
  await it.api.post(it.pods, pod('bound', { nodeName: PLAYED_NODE }));
});

describe('a list', () => {
  test('of a built-in type holds items that do not say what they are; of a custom one they do', async () => {
    const maps = (await ask(it.maps, { labelSelector: 'set' })).body;
    expect(Object.keys(maps).sort()).toEqual(['apiVersion', 'items', 'kind', 'metadata']);
    expect(maps).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1' });
    expect(maps.metadata).toEqual({ resourceVersion: expect.stringMatching(/^\d+$/) });
    expect(Object.keys(maps.items[0]).sort()).toEqual(['data', 'metadata']);
    const resources = (await it.api.get(it.cdj)).body;
    expect(resources).toMatchObject({ kind: 'CapDeployJobList', apiVersion: 'capdeployjob.dev/v1alpha1' });
    expect(resources.metadata).toEqual({ continue: '', resourceVersion: expect.stringMatching(/^\d+$/) });
    expect(resources.items[0]).toMatchObject({ kind: 'CapDeployJob', apiVersion: 'capdeployjob.dev/v1alpha1' });
  });

  test('of all namespaces has no namespace in its path', async () => {
    const fieldSelector = `metadata.namespace=${it.ns},metadata.name=a`;
    expect(names((await ask('/api/v1/configmaps', { fieldSelector })).body)).toEqual(['a']);
  });
});

describe('a label selector', () => {
  test.each<[selector: string, found: string[]]>([
    ['set=d', ['a', 'b', 'c', 'd']],
    ['set=d,app=web', ['a', 'b']],
    ['set==d,app!=web', ['c', 'd']],
    ['app in (web, api),!only-a,set', ['b', 'c', 'd']],
    ['app notin (web),set', ['c', 'd']],
    ['only-c', ['c']],
    ['only-a=', ['a']],
    ['set=d,n>98', ['c', 'd']],
    ['set=d,n<99', ['a', 'b']],
    ['set=d,app in (web,)', ['a', 'b']],
    ['set=d,app in ()', []],
    [' set=d, app = web ', ['a', 'b']],
    ['app=web,app=api', []],
    ['in=x', []],
    ['none=x', []],
  ])('"%s" finds %j, in the order of names', async (labelSelector, found) => {
    expect(names((await ask(it.maps, { labelSelector })).body)).toEqual(found);
  });

  const operators = 'expected: in, notin, =, ==, !=, gt, lt';
  test.each<[selector: string, words: string]>([
    ['a=b=c', "found '=', expected: ',' or 'end of string'"],
    ['a b', `unable to parse requirement: found 'b', ${operators}`],
    ['app!in (web)', `unable to parse requirement: found '!', ${operators}`],
    ['=x', "found '=', expected: !, identifier, or 'end of string'"],
    [',set=d', "found ',', expected: !, identifier, or 'end of string'"],
    ['set=d,', "found '', expected: identifier after ','"],
    ['!', "unable to parse requirement: found '', expected: identifier"],
    ['app in web', "unable to parse requirement: found 'web' expected: '('"],
    ['-x=1', `unable to parse requirement: <nil>: Invalid value: "-x": ${keyProblem}`],
    ['x=é', `unable to parse requirement: values[0][x]: Invalid value: "é": ${valueProblem}`],
    [
      'n>x',
      `unable to parse requirement: values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer`,
    ],
  ])('"%s" cannot be read: 400', async (labelSelector, words) => {
    expect(said(await ask(it.maps, { labelSelector }))).toBe(`400 BadRequest: ${words}`);
  });
});

describe('a field selector', () => {
  test.each<[collection: 'maps' | 'jobs' | 'pods' | 'cdj', selector: string, found: string[]]>([
    ['maps', 'metadata.name=a', ['a']],
    ['maps', 'metadata.name==a', ['a']],
    ['maps', 'metadata.name=a,metadata.name=b', []],
    ['maps', 'metadata.namespace=other', []],
    ['jobs', 'status.successful=0', ['waiting']],
    ['jobs', 'status.successful=1', []],
    ['pods', 'status.phase=Pending', ['bound']],
    ['pods', `spec.nodeName=${PLAYED_NODE},status.phase!=Running`, ['bound']],
    ['pods', 'spec.nodeName=', []],
    ['pods', 'spec.restartPolicy=Never', ['bound']],
    ['pods', 'spec.hostNetwork=false', ['bound']],
    ['cdj', 'metadata.name=one', ['one']],
  ])('of %s "%s" finds %j', async (collection, fieldSelector, found) => {
    expect(names((await ask(it[collection], { fieldSelector })).body)).toEqual(found);
  });

  test.each<[collection: 'maps' | 'jobs' | 'pods' | 'cdj' | 'events' | 'newEvents', selector: string, words: string]>([
    ['maps', 'spec.x=1', '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"'],
    ['maps', 'metadata.name', "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
    ['jobs', 'spec.suspend=true', 'field label "spec.suspend" not supported for Job'],
    ['pods', 'spec.x=1', 'field label not supported: spec.x'],
    ['cdj', 'spec.suspend=true', 'field label not supported: spec.suspend'],
    ['events', 'x=1', 'field label not supported: x'],
    ['newEvents', 'involvedObject.name=x', 'field label not supported: involvedObject.name'],
  ])('of %s "%s" is 400', async (collection, fieldSelector, words) => {
    expect(said(await ask(it[collection], { fieldSelector }))).toBe(`400 BadRequest: ${words}`);
  });
});

describe('pages', () => {
  test('come from one snapshot, whatever changes between them, and say what is left', async () => {
    for (const name of ['page-1', 'page-2', 'page-3', 'page-4']) await it.api.post(it.maps, configMap(name));
    const first = (await ask(it.maps, { limit: 2 })).body;
    expect(first.items).toHaveLength(2);
    expect(Object.keys(first.metadata).sort()).toEqual(['continue', 'remainingItemCount', 'resourceVersion']);
    await it.api.post(it.maps, configMap('page-5'));
    await it.api.delete(`${it.maps}/page-4`);
    const rest = (await ask(it.maps, { limit: 100, continue: first.metadata.continue })).body;
    expect(rest.items).toHaveLength(first.metadata.remainingItemCount);
    expect(names(rest)).toEqual(expect.arrayContaining(['page-1', 'page-2', 'page-3', 'page-4']));
    expect(names(rest)).not.toContain('page-5');
    expect(rest.metadata).toEqual({ resourceVersion: first.metadata.resourceVersion });
    const zero = await ask(it.maps, { limit: 100, continue: first.metadata.continue, resourceVersion: 0 });
    expect(names(zero.body)).toEqual(names(rest));
  });

  test('of a selection do not count what is left', async () => {
    const { metadata } = (await ask(it.maps, { labelSelector: 'set', limit: 3 })).body;
    expect(metadata.continue).not.toBe('');
    expect(metadata).not.toHaveProperty('remainingItemCount');
  });

  test('of custom resources end with an empty continue', async () => {
    const first = (await ask(it.cdj, { limit: 1 })).body;
    expect(names(first)).toEqual(['one']);
    expect(first.metadata.remainingItemCount).toBe(1);
    const second = (await ask(it.cdj, { limit: 1, continue: first.metadata.continue })).body;
    expect(names(second)).toEqual(['two']);
    expect(second.metadata).toEqual({ continue: '', resourceVersion: first.metadata.resourceVersion });
  });

  test('with a token that is none, or with a resourceVersion beside it, are 400', async () => {
    for (const collection of [it.maps, it.cdj]) {
      expect(said(await ask(collection, { continue: 'x' }))).toBe(
        '400 BadRequest: invalid continue token: continue key is not valid: illegal base64 data at input byte 0',
      );
    }
    const { metadata } = (await ask(it.maps, { limit: 1 })).body;
    expect(said(await ask(it.maps, { limit: 1, continue: metadata.continue, resourceVersion: 1 }))).toBe(
      '400 BadRequest: specifying resource version is not allowed when using continue',
    );
  });

  // Only whoever runs etcd can compact it: see differences.ts.
  test.runIf(WORLD === 'local')('whose snapshot was compacted are 410 Expired', async () => {
    const { metadata } = (await ask(it.maps, { limit: 1 })).body;
    it.api.compact();
    expect(said(await ask(it.maps, { limit: 1, continue: metadata.continue }))).toMatch(
      /^410 Expired: The provided continue parameter is too old to display a consistent list result/,
    );
  });
});

describe('the resourceVersion of a list', () => {
  test.each([
    { resourceVersion: 0 },
    { resourceVersion: 0, resourceVersionMatch: 'NotOlderThan' },
    { resourceVersion: 1, resourceVersionMatch: 'NotOlderThan' },
  ])('%j is answered with what there is, which is at least as new', async (query) => {
    const answer = await ask(it.maps, { labelSelector: 'set', ...query });
    expect(names(answer.body)).toEqual(['a', 'b', 'c', 'd']);
  });

  test('with Exact is answered as of then', async () => {
    const { resourceVersion } = (await ask(it.maps, { labelSelector: 'set' })).body.metadata;
    const answer = await ask(it.maps, { labelSelector: 'set', resourceVersion, resourceVersionMatch: 'Exact' });
    expect(names(answer.body)).toEqual(['a', 'b', 'c', 'd']);
    expect(answer.body.metadata.resourceVersion).toBe(resourceVersion);
  });

  test('from the future is 504, to be tried again after a second', async () => {
    const answer = await ask(it.maps, { resourceVersion: 999_999_999 });
    expect(said(answer)).toMatch(/^504 Timeout: Timeout: Too large resource version: 999999999, current: \d+$/);
    expect(answer.body.details).toEqual({
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    });
    expect(answer.headers['retry-after']).toBe('1');
  });

  const unparsable = (value: string) =>
    `resourceVersion: Invalid value: "${value}": strconv.ParseUint: parsing "${value}": invalid syntax`;
  test.each<[query: Record<string, string>, words: string]>([
    [{ resourceVersion: 'x' }, `400 BadRequest: invalid resource version: ${unparsable('x')}`],
    [{ resourceVersion: '-1' }, `400 BadRequest: invalid resource version: ${unparsable('-1')}`],
    [{ limit: 'x' }, '400 BadRequest: strconv.ParseInt: parsing "x": invalid syntax'],
    ...(
      [
        [
          { resourceVersionMatch: 'Exact' },
          'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
        ],
        [
          { resourceVersion: '0', resourceVersionMatch: 'Exact' },
          'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        ],
        [
          { resourceVersion: '1', resourceVersionMatch: 'Other' },
          'Unsupported value: "Other": supported values: "Exact", "NotOlderThan", ""',
        ],
        [
          { resourceVersion: '1', resourceVersionMatch: 'Exact', continue: 'x' },
          'Forbidden: resourceVersionMatch is forbidden when continue is provided',
        ],
      ] as [Record<string, string>, string][]
    ).map(([query, words]): [Record<string, string>, string] => [
      query,
      `422 Invalid: ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: ${words}`,
    ]),
    [
      { sendInitialEvents: 'true' },
      '422 Invalid: ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list',
    ],
  ])('%j is refused', async (query, words) => {
    for (const collection of [it.maps, it.cdj]) expect(said(await ask(collection, query))).toBe(words);
  });

  test('of one object may be 0, and must be a number', async () => {
    expect((await ask(`${it.maps}/a`, { resourceVersion: 0 })).body.metadata.name).toBe('a');
    expect(said(await ask(`${it.maps}/a`, { resourceVersion: 'x' }))).toBe(`500 -: ${unparsable('x')}`);
  });
});

test('a collection is deleted by label, and answered with what went', async () => {
  for (const name of ['del-1', 'del-2', 'del-3']) {
    await it.api.post(it.maps, configMap(name, {}, { labels: { del: name === 'del-3' ? 'no' : 'yes' } }));
  }
  const { status, body } = await it.api.delete(`${it.maps}?labelSelector=del%3Dyes`);
  expect(status).toBe(200);
  expect(names(body)).toEqual(['del-1', 'del-2']);
  expect(names((await ask(it.maps, { labelSelector: 'del' })).body)).toEqual(['del-3']);
});
