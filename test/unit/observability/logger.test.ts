import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { withFields } from '../../../src/base/log.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import { createLogger, errorFields, type LoggerOptions } from '../../../src/observability/logger.ts';

function capture(options: LoggerOptions = {}) {
  let text = '';
  const destination = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  const log = createLogger({ pretty: false, destination, ...options });
  return {
    log,
    text: () => text,
    lines: () =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
  };
}

describe('a line', () => {
  it('is one JSON object with time, level by name, fields and message', () => {
    const { log, lines } = capture();
    log.info({ namespace: 'deploy', name: 'web', job: 'web-1' }, 'started');
    expect(lines()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        namespace: 'deploy',
        name: 'web',
        job: 'web-1',
        msg: 'started',
      },
    ]);
  });

  it('is one line, whatever is in it', () => {
    const { log, text } = capture();
    log.info({ note: 'a\nb\x1b[31m\u202e' }, 'two\nlines');
    expect(text().trimEnd()).not.toContain('\n');
    expect(text()).not.toMatch(/\u202e|\p{Cc}(?!$)/u);
  });

  it('is left out below the level', () => {
    const { log, text } = capture({ level: 'warn' });
    log.info('quiet');
    log.warn('loud');
    expect(text()).toContain('loud');
    expect(text()).not.toContain('quiet');
  });

  it('is for eyes if that is asked for, errors included', () => {
    const { log, text } = capture({ pretty: true });
    log.error({ err: new Error('broken'), job: 'web-1', token: 'sesame' }, 'failed');
    expect(text()).toMatch(/ERROR.*failed/);
    expect(text()).toContain('web-1');
    expect(text()).toContain('broken');
    expect(text()).not.toContain('sesame');
  });

  it('of an unknown level is refused in words for the command line', () => {
    expect(() => createLogger({ level: 'loud' })).toThrow('--log-level: "loud" is none of trace, debug, info');
  });
});

describe('secrets', () => {
  it.each([
    'token',
    'Authorization',
    'receiptHandle',
    'ReceiptHandle',
    'password',
    'secretAccessKey',
    'sessionToken',
    'clientSecret',
    'api_key',
    'cookie',
    'credentials',
  ])('a field %s is never written, at any depth, in a common field or in an array', (name) => {
    const { log, text } = capture();
    log.info({ [name]: 'sesame' }, 'a');
    log.info({ a: { b: [{ [name]: { c: 'sesame' } }] } }, 'b');
    withFields(log, { [name]: 'sesame', a: { [name]: 'sesame' } }).info({}, 'c');
    expect(text()).not.toContain('sesame');
    expect(text().split('[redacted]').length - 1).toBe(4);
  });

  it.each(['secretName', 'tokenFile', 'namespace', 'key', 'job', 'author'])('a field %s is', (name) => {
    const { log, lines } = capture();
    log.info({ [name]: 'plain' }, 'a');
    expect(lines()[0][name]).toBe('plain');
  });

  it('in a line, in a field, or in what says itself what it is, are never written', () => {
    const { log, text } = capture();
    log.warn({ url: new URL('https://bob:sesame@host/x') }, 'refused: mysql -psesame -h db.example');
    log.warn('password=sesame');
    withFields(log, { why: 'token: sesame' }).info({ list: ['curl -u bob:sesame https://host'] }, 'a');
    log.error(new Error('x'), 'PASSWORD=sesame');
    expect(text()).not.toContain('sesame');
    expect(text()).toContain('-h db.example');
    expect(text()).toContain('https://bob:[redacted]@host/x');
  });

  it('in the words of an error are never written', () => {
    const { log, text } = capture();
    const error = new Error('cannot clone https://bob:sesame@host');
    error.cause = new Error('Authorization: Bearer sesame');
    log.error(error);
    log.error({ err: error }, 'failed');
    log.error({ problem: { inner: error } }, 'failed');
    expect(text()).not.toContain('sesame');
    expect(text()).toContain('https://bob:[redacted]@host');
  });

  it('are taken out before the words of an error are cut', () => {
    const { log, text } = capture();
    log.error({ err: new Error(`${'x'.repeat(8180)} ghp_${'a1'.repeat(18)}`) }, 'failed');
    expect(text()).not.toContain('ghp_');
  });
});

describe('an error', () => {
  it('is name, message, what classifies it, stack and cause, and nothing else that hangs on it', () => {
    const cause = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET', socket: { secret: 'sesame' } });
    const details = { status: 409, reason: 'Conflict', message: 'Conflict: moved', cause };
    const error = Object.assign(new KubeError('conflict', details), {
      headers: { authorization: 'sesame' },
      body: 'sesame',
      $response: { body: 'sesame' },
    });
    const { log, text, lines } = capture();
    log.error({ err: error }, 'failed');
    expect(lines()[0].err).toEqual({
      name: 'KubeError',
      message: 'Conflict: moved',
      kind: 'conflict',
      status: 409,
      reason: 'Conflict',
      stack: expect.stringContaining('KubeError: Conflict: moved\n    at '),
      cause: { name: 'Error', message: 'socket hang up', code: 'ECONNRESET', stack: expect.any(String) },
    });
    expect(text()).not.toContain('sesame');
  });

  it('given alone becomes the line, with its message', () => {
    const { log, lines } = capture();
    log.error(new TypeError('broken'));
    log.error(new TypeError('broken'), 'in words');
    expect(lines()).toMatchObject([
      { msg: 'broken', err: { name: 'TypeError' } },
      { msg: 'in words', err: { name: 'TypeError' } },
    ]);
  });

  it('whose causes go round in a circle is written all the same', () => {
    const error = new Error('round');
    error.cause = error;
    expect(JSON.stringify(errorFields(error)).split('"round"').length - 1).toBe(4);
  });
});

it('what refers to itself, dates and deep things are written without harm', () => {
  const { log, lines } = capture();
  const round: Record<string, unknown> = { at: new Date(0), url: new URL('https://host/') };
  round.self = round;
  log.info(round, 'a');
  expect(lines()[0]).toMatchObject({ at: '1970-01-01T00:00:00.000Z', url: 'https://host/' });
});
