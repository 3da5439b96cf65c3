import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hostsOf, withLogins } from '../../../src/ecr/docker-config.ts';

const login = (host: string, password = 'new') => ({ host, username: 'AWS', password, expiresAt: new Date(0) });
const configWith = (before: string | undefined, ...logins: Parameters<typeof withLogins>[1]) => {
  const config = withLogins(before, logins);
  if ('problem' in config) throw new Error(config.problem);
  return JSON.parse(config.text);
};
const entry = (password: string) => ({
  username: 'AWS',
  password,
  auth: Buffer.from(`AWS:${password}`).toString('base64'),
});

describe('the entries of our registries', () => {
  test.each([
    ['are all there is where there was nothing', undefined, { auths: { a: entry('new') } }],
    ['are put into an empty config', '{}', { auths: { a: entry('new') } }],
    ['are put into auths that are null', '{"auths":null}', { auths: { a: entry('new') } }],
    [
      'stand beside those of other registries, which stay as they are',
      '{"auths":{"docker.io":{"auth":"eDp5","email":"x"}}}',
      { auths: { 'docker.io': { auth: 'eDp5', email: 'x' }, a: entry('new') } },
    ],
    [
      'replace the old ones whole: an identitytoken there would win over the password',
      '{"auths":{"a":{"auth":"b2xk","identitytoken":"old"}}}',
      { auths: { a: entry('new') } },
    ],
    [
      'leave what else stands in the config',
      '{"credHelpers":{"gcr.io":"gcloud"},"auths":{},"HttpHeaders":{"X":"1"}}',
      { credHelpers: { 'gcr.io': 'gcloud' }, auths: { a: entry('new') }, HttpHeaders: { X: '1' } },
    ],
  ])('%s', (_, before, after) => {
    expect(configWith(before, login('a'))).toEqual(after);
  });

  test('are what kubectl create secret docker-registry writes', () => {
    const { auths } = configWith(undefined, login('a', 'pässword')) as {
      auths: Record<string, { auth: string }>;
    };
    expect(Buffer.from(auths.a?.auth ?? '', 'base64').toString('utf8')).toBe('AWS:pässword');
  });

  test('change nothing else, whatever JSON it is', () => {
    const key = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'auths', '1', 'a', 'toString'));
    const object = fc.dictionary(key, fc.jsonValue());
    fc.assert(
      fc.property(object, object, (rest, auths) => {
        const before = JSON.stringify({ ...rest, auths });
        const after = configWith(before, login('a')) as Record<string, Record<string, unknown>>;
        const wanted = JSON.parse(before) as typeof after;
        expect(after.auths?.a).toEqual(entry('new'));
        delete after.auths?.a;
        delete wanted.auths?.a;
        expect(JSON.stringify(after)).toBe(JSON.stringify(wanted));
      }),
    );
  });
});

describe('what is not a Docker config is refused, in words that hold nothing of it', () => {
  test.each([
    ['no JSON', 'hush{', 'it is not valid JSON'],
    ['nothing', '', 'it is not valid JSON'],
    ['a list', '["hush"]', 'it is no JSON object'],
    ['a text', '"hush"', 'it is no JSON object'],
    ['null', 'null', 'it is no JSON object'],
    ['auths that are a list', '{"auths":["hush"]}', '"auths" is no object'],
    ['auths that are a text', '{"auths":"hush"}', '"auths" is no object'],
  ])('%s', (_, before, problem) => {
    expect(withLogins(before, [login('a')])).toEqual({ problem });
    expect(hostsOf(before)).toEqual([]);
  });
});
