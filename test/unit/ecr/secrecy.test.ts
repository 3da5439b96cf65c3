import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLogger } from '../../../src/observability/logger.ts';
import { Rig, target } from './rig.ts';

/** Nothing of a token is in any line, whoever quotes what it was sent. */

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.start();
});
afterEach(() => rig.stop());

/**
 * Every form in which a token travels: itself, `AWS:token` in base64, the Docker config in base64, and base64 of these
 * at any offset.
 */
function forms(password: string): string[] {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const auth = base64(`AWS:${password}`);
  // What base64 of a text with this in it holds, wherever it begins there: without the ends, which depend on the
  // neighbours.
  const within = (text: string) => ['', ' ', '  '].map((before) => base64(before + text).slice(4, -8));
  // A part of it is as bad as the whole.
  return [password, auth, ...within(password), ...within(auth)].flatMap((text) => [
    text.slice(0, 24),
    text.slice(24, 64),
    text,
  ]);
}

async function said(): Promise<string> {
  const lines: string[] = [];
  const log = createLogger({
    level: 'trace',
    pretty: false,
    destination: { write: (line: string) => lines.push(line) } as never,
  });
  await rig.run([target()], { log });
  return lines.join('') + JSON.stringify(rig.lines);
}

function expectNothing(text: string): void {
  expect(rig.aws.passwords.length).toBeGreaterThan(0);
  for (const password of rig.aws.passwords) for (const form of forms(password)) expect(text).not.toContain(form);
}

test('the forms are those that a Secret holds', async () => {
  await rig.run();
  const sent = JSON.stringify(await rig.secret()) + JSON.stringify(await rig.docker());
  const found = forms(rig.aws.passwords[0] as string).filter((form) => sent.includes(form));
  expect(found.length).toBeGreaterThan(6);
});

test('a run that goes well', async () => {
  const text = await said();
  expect(text).toContain('created');
  expectNothing(text);
});

describe('the API server, or a webhook behind it, quotes the request', () => {
  const quotes: [string, (body: string) => string][] = [
    ['as it is', (body) => body],
    ['escaped', (body) => JSON.stringify(body)],
    [
      'decoded',
      (body) =>
        Buffer.from(
          (JSON.parse(body) as { data: Record<string, string> }).data['.dockerconfigjson'] ?? '',
          'base64',
        ).toString(),
    ],
    ['cut off in the middle', (body) => body.slice(0, body.length / 2)],
    ['a byte in each line', (body) => body.split('').join('\n').slice(0, 100)],
  ];
  test.each(quotes)('%s', async (_, quote) => {
    rig.cluster.http.intercept = ({ resource, body }) =>
      resource?.verb === 'create' && resource.plural === 'secrets'
        ? {
            status: 403,
            body: {
              kind: 'Status',
              code: 403,
              reason: 'Forbidden',
              message: `admission webhook denied: ${quote(JSON.stringify(body))}`,
            },
          }
        : undefined;
    const text = await said();
    expect(text).toContain('admission webhook denied');
    expectNothing(text);
  });
});

test('a proxy that answers what it was sent', async () => {
  rig.cluster.http.intercept = ({ resource, body }) =>
    resource?.verb === 'create' ? { status: 400, body } : undefined;
  expectNothing(await said());
});

test('no Event is written', async () => {
  await rig.run();
  expect(rig.cluster.requests.writes().map(({ verb, plural }) => `${verb} ${plural}`)).toEqual([
    'create namespaces',
    'create secrets',
  ]);
});
