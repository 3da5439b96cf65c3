import { describe, expect, test } from 'vitest';
import { loginsOf } from '../../../src/ecr/registry-login.ts';

const expiresAt = new Date('2026-11-06T04:00:00Z');
const data = (proxyEndpoint: string, token = 'AWS:hush') => ({
  authorizationToken: Buffer.from(token).toString('base64'),
  expiresAt,
  proxyEndpoint,
});
const A = '123456789012';
const B = '210987654321';
const hosts = (answer: Parameters<typeof loginsOf>[0], ids: string[] = []) =>
  loginsOf(answer, ids).map(({ host }) => host);

describe('the host is the proxyEndpoint without its scheme', () => {
  test.each([
    ['a commercial region', `${A}.dkr.ecr.ap-northeast-1.amazonaws.com`],
    ['China', `${A}.dkr.ecr.cn-north-1.amazonaws.com.cn`],
    ['GovCloud with FIPS', `${A}.dkr.ecr-fips.us-gov-west-1.amazonaws.com`],
    ['dual-stack', `${A}.dkr-ecr.eu-west-1.on.aws`],
    ['a local server with a port', 'localhost:5000'],
  ])('%s', (_, host) => {
    expect(loginsOf([data(`https://${host}`)], [])).toEqual([{ host, username: 'AWS', password: 'hush', expiresAt }]);
  });

  test('http and a slash at its end go too', () => {
    expect(hosts([data('http://localhost:5000/')])).toEqual(['localhost:5000']);
  });
});

describe('with registryIds', () => {
  test('each has the endpoint that AWS answers for it, whatever the order', () => {
    const answer = [
      data(`https://${B}.dkr.ecr.eu-west-1.amazonaws.com`),
      data(`https://${A}.dkr.ecr.eu-west-1.amazonaws.com`),
    ];
    expect(hosts(answer, [A, B])).toEqual([
      `${A}.dkr.ecr.eu-west-1.amazonaws.com`,
      `${B}.dkr.ecr.eu-west-1.amazonaws.com`,
    ]);
  });

  test('a server that no longer heeds them answers for its own account: same host, other account, same token', () => {
    const answer = [data(`https://${A}.dkr.ecr.cn-north-1.amazonaws.com.cn`)];
    expect(loginsOf(answer, [B])).toEqual([
      { host: `${B}.dkr.ecr.cn-north-1.amazonaws.com.cn`, username: 'AWS', password: 'hush', expiresAt },
    ]);
  });

  test('a registry that was not asked for gets no entry', () => {
    const answer = [
      data(`https://${A}.dkr.ecr.eu-west-1.amazonaws.com`),
      data(`https://${B}.dkr.ecr.eu-west-1.amazonaws.com`),
    ];
    expect(hosts(answer, [B])).toEqual([`${B}.dkr.ecr.eu-west-1.amazonaws.com`]);
  });

  test('a host that has no account in its name says nothing about another registry', () => {
    expect(() => hosts([data('https://localhost:5000')], [B])).toThrow(
      `ECR answered for localhost:5000, not for registry ${B}`,
    );
  });
});

test('a password may hold colons, and the user is the one that AWS names', () => {
  expect(loginsOf([data('https://a', 'USER:p:q')], [])).toMatchObject([{ username: 'USER', password: 'p:q' }]);
});

describe('an answer that is not as promised is said without a word of the token', () => {
  test.each([
    ['nothing in it', [], 'ECR answered without any authorizationData'],
    [
      'no endpoint',
      [{ ...data(''), proxyEndpoint: undefined }],
      'ECR answered with a proxyEndpoint that names no host',
    ],
    ['an endpoint with a path', [data('https://a/b')], 'ECR answered with a proxyEndpoint that names no host'],
    [
      'no token',
      [{ ...data('https://a'), authorizationToken: undefined }],
      'ECR answered without a token of the form user:password',
    ],
    ['a token without a colon', [data('https://a', 'hush')], 'ECR answered without a token of the form user:password'],
    ['no expiry', [{ ...data('https://a'), expiresAt: undefined }], 'ECR answered without expiresAt'],
    ['no date in the expiry', [{ ...data('https://a'), expiresAt: new Date('x') }], 'ECR answered without expiresAt'],
  ])('%s', (_, answer, message) => {
    expect(() => loginsOf(answer as Parameters<typeof loginsOf>[0], [])).toThrow(message);
  });
});
