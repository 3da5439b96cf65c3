import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printable, tail } from '../../../src/text/printable.ts';
import { clean, redactSecrets, redactTail } from '../../../src/text/redact.ts';
import { HARMLESS, LEAKS } from './credential-lines.ts';

/** 32 bytes in base64, as `openssl rand -base64 32` makes them, without the padding. */
const KEY = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA';

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const base64 = (length: number) => Array.from({ length }, (_, n) => BASE64[(n * 37 + 11) % 64]).join('');
const body = Array.from({ length: 8 }, (_, n) => base64(64 - n)).join('\n');
const header = '-----BEGIN OPENSSH PRIVATE KEY-----';
const footer = '-----END OPENSSH PRIVATE KEY-----';
const secretKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

describe('secrets', () => {
  it.each<[string, string, string]>([
    ['a private key', `a\n${header}\n${body}\n${footer}\nb`, 'a\n[redacted]\nb'],
    [
      'a private key with escaped newlines',
      `"${header}\\n${body.replaceAll('\n', '\\n')}\\n${footer}"`,
      '"[redacted]"',
    ],
    [
      'an encrypted private key with its headers',
      `-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n${body}\n-----END RSA PRIVATE KEY-----.`,
      '[redacted].',
    ],
    [
      'a private key with a prefix on each line',
      [header, ...body.split('\n'), footer].map((line) => `DEBUG [1a2b]  ${line}`).join('\n'),
      'DEBUG [1a2b]  [redacted]',
    ],
    ['a private key without its end', `a ${header}\n${body}\nError: (x)`, 'a [redacted]: (x)'],
    [
      'an encrypted private key without its end',
      `-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n${body}\n(x)`,
      '[redacted](x)',
    ],
    [
      'a private key without its beginning',
      `${body.slice(70)}\n${footer}\nb`,
      `${'[redacted]\n'.repeat(7)}${footer}\nb`,
    ],
    ['two private keys', `${header}\n${body}\n${footer} x ${header}\n${body}\n${footer}`, '[redacted] x [redacted]'],
    ['an AWS access key id', 'key AKIAIOSFODNN7EXAMPLE used', 'key [redacted] used'],
    ['a temporary AWS access key id', 'ASIAIOSFODNN7EXAMPLE', '[redacted]'],
    ['an AWS secret access key by name', `AWS_SECRET_ACCESS_KEY=${secretKey}`, 'AWS_SECRET_ACCESS_KEY=[redacted]'],
    ['an AWS secret access key in JSON', `"SecretAccessKey": "${secretKey}",`, '"SecretAccessKey": "[redacted]",'],
    ['an AWS secret access key alone', `got ${base64(40)} there`, 'got [redacted] there'],
    ['hexadecimal that is too long for a digest', `t\\u003d${'0f'.repeat(65)} x`, 't\\u[redacted] x'],
    ['a session token', `x IQoJb3JpZ2luX2Vj${base64(200)} y`, 'x [redacted] y'],
    ['a bearer header', 'Authorization: Bearer abc.def-ghi', 'Authorization: [redacted]'],
    ['a basic header', "-H 'Authorization: Basic dXNlcjpwdw=='", "-H 'Authorization: [redacted]'"],
    ['a bearer token in a sentence', 'sent bearer abcdefgh to', 'sent bearer [redacted] to'],
    ['basic credentials in a sentence', 'sent Basic dXNlcjpwdw== to', 'sent Basic [redacted] to'],
    ['a digest header', 'Authorization: Digest username="u", response="r3s"', 'Authorization: [redacted]'],
    ['a cookie', 'Set-Cookie: a=b; Path=/', 'Set-Cookie: [redacted]'],
    ['an environment variable', 'DB_PASSWORD=hunter2 next', 'DB_PASSWORD=[redacted] next'],
    ['an exported one in quotes', `export API_KEY="a b'c" next`, 'export API_KEY=[redacted] next'],
    ['one glued together by the shell', `PASSWORD='it'\\''s' next`, 'PASSWORD=[redacted] next'],
    ['a password with delimiters in it', 'PASSWORD=a;b&c,d} next', 'PASSWORD=[redacted] next'],
    ['YAML', 'password: hunter2', 'password: [redacted]'],
    ['JSON', '{"token":"a\\"b\\\\","user":"bob"}', '{"token":[redacted],"user":"bob"}'],
    [
      'JSON in JSON',
      '"{\\"token\\":\\"a\\\\\\"b\\",\\"user\\":\\"bob\\"}"',
      '"{\\"token\\":[redacted],\\"user\\":\\"bob\\"}"',
    ],
    ['a string cut off before its quote', '{"token":"abc def', '{"token":[redacted]'],
    ['a Ruby hash', '{:password=>"hunter2", "api_key" => "x"}', '{:password=>[redacted], "api_key" => [redacted]}'],
    ['a Ruby keyword', "secret_key_base: 'abc'", 'secret_key_base: [redacted]'],
    [
      'camel case',
      'dbPassword=x slackToken: y clientSecretKey: z',
      'dbPassword=[redacted] slackToken: [redacted] clientSecretKey: [redacted]',
    ],
    [
      'a long flag',
      'run --password hunter2 --db-token "a b" --verbose',
      'run --password [redacted] --db-token [redacted] --verbose',
    ],
    ['a long flag with an equals sign', 'run --token=abc', 'run --token=[redacted]'],
    ['a query parameter', 'GET /x?access_token=abc', 'GET /x?access_token=[redacted]'],
    ['a URL with a password', 'git clone https://bob:pw@host/x.git', 'git clone https://bob:[redacted]@host/x.git'],
    ['a URL whose password has an @', 'redis://:p@ss@host:1/0', 'redis://:[redacted]@host:1/0'],
    ['a URL with a token as the user', 'https://0123456789abcdef0123@host/x', 'https://[redacted]@host/x'],
    ['a GitHub token', `x ghp_${'a1'.repeat(18)} y`, 'x [redacted] y'],
    ['a fine-grained GitHub token', `github_pat_11AAAAAAA0${'a'.repeat(40)}`, '[redacted]'],
    ['a GitLab token', 'glpat-abcdefghij0123456789', '[redacted]'],
    ['a Slack token', 'xoxb-123456789012-abcdefABCDEF', '[redacted]'],
    ['a Slack app token', 'xapp-1-A0123-456-abcdef', '[redacted]'],
    ['a Slack webhook', 'https://hooks.slack.com/services/T0/B0/abcdef', 'https://hooks.slack.com/[redacted]'],
    ['an npm token', `npm_${'a1'.repeat(18)}`, '[redacted]'],
    ['a JWT', 'x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_def y', 'x [redacted] y'],
    ['a JWT that is cut off', 'eyJhbGciOiJIUzI1NiJ9.eyJzd', '[redacted]'],
    ['what is longer than a fingerprint, and only looks like one', `SHA256:${'aB3'.repeat(15)}`, 'SHA256:[redacted]'],
    ['a key after the name of a MAC', `signed with HMAC-SHA256:${KEY}`, 'signed with HMAC-SHA256:[redacted]'],
    ['a key after the name of a KDF', `PBKDF2_SHA256:${KEY}`, 'PBKDF2_SHA256:[redacted]'],
    ['a longer secret that begins like a fingerprint', `SHA256:${KEY}_${KEY}`, 'SHA256:[redacted]_[redacted]'],
    ['43 characters that no 32 bytes make', `SHA256:${KEY.slice(0, 42)}B`, 'SHA256:[redacted]'],
    ['a receipt handle', 'ReceiptHandle: AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a', 'ReceiptHandle: [redacted]'],
  ])('%s is replaced', (_, text, expected) => {
    expect(redactSecrets(text)).toBe(expected);
  });

  it.each([
    'Deploying v1.0.0 (at 0123456789abcdef0123456789abcdef01234567) as release 20260101000000 by alice',
    'checksum SHA256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef matches',
    'docker digest sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
    'author: alice, passenger: restarted, compass: north, bypass: no, PWD=/var/www/app',
    '/srv/app.Kq7ZpW2xYt/main/test/observability/logger.test.ts:115:33',
    '/var/www/app/releases/20260101000000/vendor/bundle/ruby/gems/actionpack/lib/Action/Controller/Base',
    'https://host.example:8080/path?q=1 ssh://git@host/x.git git@host:web.git',
    'basic authentication is on; the token was refused; password is needed',
    'cap aborted! SSHKit::Runner::ExecuteError: exit status: 1',
    'MyVeryLongClassNameThatGoesOnAndOnWithoutAnyDigits',
    'ssh-rsa key of deploy@host, Permission denied (publickey).',
    'The fingerprint for the ED25519 key sent by the remote host is SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU.',
  ])('"%s" stays as it is', (text) => {
    expect(redactSecrets(text)).toBe(text);
  });

  it('the second time changes nothing more', () => {
    const text = `PASSWORD=x token: "y" https://a:b@c Authorization: Bearer abcdefgh ${header}\n${body}`;
    const once = redactSecrets(text);
    expect(redactSecrets(once)).toBe(once);
  });
});

describe('the shapes in which programs print credentials', () => {
  it.each(LEAKS)('%s: "%s" loses "%s"', (_, line, secret, ...stays) => {
    // Where a log gives it: after other lines, with colours, and before the end is cut off.
    for (const output of [redactSecrets(line), redactTail(`${'x '.repeat(2000)}\n\x1b[31m${line}\x1b[0m\n`, 1024)]) {
      expect(output).not.toContain(secret);
      for (const part of [...stays, '[redacted]']) expect(output).toContain(part);
      expect(redactSecrets(output)).toBe(output);
    }
  });

  it.each(LEAKS)('%s: escape sequences in "%s" do not hide "%s"', (_, line, secret) => {
    const hidden = line.replaceAll(secret, [...secret].join('\x1b[0m\u200b'));
    expect(redactTail(hidden, 4096)).not.toContain(secret);
  });

  it.each(LEAKS)('%s: wherever the end of "%s" is cut, no end of "%s" is left', (_, line, secret) => {
    for (let bytes = 1; bytes < line.length; bytes += 7) {
      expect(redactTail(line, bytes)).not.toContain(secret.slice(-6));
    }
  });

  it.each(HARMLESS.map((line) => [line]))('"%s" stays byte for byte', (line) => {
    expect(redactSecrets(line)).toBe(line);
  });

  it('are those of the table in docs/status.md', () => {
    const text = readFileSync(new URL('../../../docs/status.md', import.meta.url), 'utf8');
    const section = text.split('## Secrets in texts')[1]?.split('\n#')[0] ?? '';
    const rows = [...section.matchAll(/^\| ([^|`]+) \|/gm)].flatMap(([, programs]) => programs?.split(', ') ?? []);
    const named = new Set(rows.filter((program) => !['all', 'printed by'].includes(program)));
    expect(named).toEqual(new Set(LEAKS.map(([program]) => program)));
  });

  it('are at least sixty, and as many that are harmless', () => {
    expect(LEAKS.length).toBeGreaterThanOrEqual(60);
    expect(HARMLESS.length).toBeGreaterThanOrEqual(60);
  });
});

describe('text for people', () => {
  it.each([
    ['colours', '\x1b[1;31mred\x1b[0m', 'red'],
    ['a title', '\x1b]0;title\x07text\x1b]8;;http://x\x1b\\link', 'textlink'],
    ['8-bit sequences', '\x9b31mred', 'red'],
    ['a sequence that never ends', 'a\x1b]0;text', 'a0;text'],
    ['control characters', 'a\x00b\x07c\x7fd\u0085e', 'abcde'],
    ['direction overrides', 'a\u202eb\u2066c\u200fd', 'abcd'],
    ['invisible characters', 'a\u200bb\ufeffc\u00add\u{e0041}e', 'abcde'],
    ['half a character', 'a\ud83db', 'ab'],
    ['line ends', 'a\r\nb\rc\td', 'a\nb\nc\td'],
    ['what is printable', 'Zoë 日本 🚀', 'Zoë 日本 🚀'],
  ])('%s', (_, text, expected) => {
    expect(clean(text)).toBe(expected);
  });

  it('keeps the start or the end, in whole characters', () => {
    expect(printable('日本語', 7)).toBe('日本');
    expect(tail('日本語', 7)).toBe('本語');
    expect(printable('🚀🚀', 3)).toBe('');
    expect(tail('🚀🚀', 3)).toBe('');
    expect(printable('abc', 3)).toBe('abc');
    expect([printable('abc', 0), tail('abc', 0)]).toEqual(['', '']);
  });

  it('never throws, never grows beyond its bound, and leaves nothing unprintable', () => {
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ maxLength: 300 }));
    fc.assert(
      fc.property(text, fc.nat({ max: 400 }), (input, bound) => {
        for (const cut of [printable, tail, redactTail]) {
          const output = cut(input, bound);
          expect(Buffer.byteLength(output)).toBeLessThanOrEqual(bound);
          expect(output.isWellFormed()).toBe(true);
          expect(clean(output)).toBe(output);
        }
        redactSecrets(input);
      }),
      { numRuns: 150 },
    );
  });
});

describe('a planted secret', () => {
  const word = fc
    .string({ unit: fc.constantFrom(...'abcXYZ019-_.~'), minLength: 8, maxLength: 30 })
    .map((text) => `Q7${text}z`);
  const awkward = fc.string({ minLength: 1, maxLength: 20 }).map((text) => `Q7${text.replace(/["'`\\\s]/g, '_')}z`);
  const quotable = fc.string({ minLength: 1, maxLength: 20 }).map((text) => `Q7${text}z`);
  const names = fc.constantFrom('password', 'DB_PASSWORD', 'api_key', 'token', 'clientSecret', 'aws_secret_access_key');
  const planted = fc.oneof(
    fc.tuple(names, awkward).map(([name, secret]) => [`${name}=${secret}`, secret]),
    fc.tuple(names, awkward).map(([name, secret]) => [`${name}: ${secret}`, secret]),
    fc.tuple(names, quotable).map(([name, secret]) => [JSON.stringify({ [name]: secret }), secret]),
    fc.tuple(names, quotable).map(([name, secret]) => [JSON.stringify(JSON.stringify({ [name]: secret })), secret]),
    fc.tuple(names, awkward).map(([name, secret]) => [`--${name.replaceAll('_', '-')} ${secret}`, secret]),
    word.map((secret) => [`https://bob:${secret}@host/path`, secret]),
    word.map((secret) => [`Authorization: Bearer ${secret}`, secret]),
    word.map((secret) => [`curl -H "authorization: token ${secret}"`, secret]),
    fc.nat({ max: 500 }).map((cut) => [`${header}\n${body}\n${footer}`.slice(0, 600 - cut), base64(64)]),
  );
  const noise = fc.oneof(
    fc.constantFrom('', 'DEBUG [ab12] ', '{"a":"b"} ', 'token ', "it's ", '-----BEGIN CERTIFICATE----- ', '\x1b[31m'),
    fc.string({ maxLength: 40 }).map((text) => text.replace(/["'`\\=:]/g, '')),
  );

  it('never survives, whatever stands around it', () => {
    fc.assert(
      fc.property(noise, planted, noise, (before, [text, secret], after) => {
        const output = redactTail(`${before} ${text}\n${after}`, 4096);
        expect(output).not.toContain(secret);
        // Nor in the form that JSON gave it.
        expect(output).not.toContain(JSON.stringify(secret).slice(1, -1));
      }),
      { numRuns: 500 },
    );
  });
});

describe('time', () => {
  it.each<[string, string]>([
    ['dashes', '-'],
    ['beginnings of keys', `${header}\n`],
    ['beginnings and base64', `${header}\nabc\n`],
    ['ends of keys', `${footer}\n`],
    ['names', 'token'],
    ['names with suffixes', 'token_'],
    ['names with spaces', 'token '],
    ['flags', '--token '],
    ['quoted pieces', 'token="'],
    ['backslashes', 'token=\\'],
    ['URLs', 'http://a:'],
    ['URLs and words', '://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
    ['escapes', '\x1b[0;0;0'],
    ['titles', '\x1b]'],
    ['base64', 'aB3/'],
    ['JWTs', 'eyJ.'],
    ['bearers', 'bearer '],
    ['basics', 'basic aaaaaaaa'],
    ['spaces', ' '],
    ['headers of keys', `${header}\nVersion: `],
    ['commands', 'curl '],
    ['commands with flags', 'curl -u a: '],
    ['flags without a value', 'curl -u -u,-u,'],
    ['flags in quotes', '"curl" "-u" '],
    ['flags in lists', '"mysql","-p'],
    ['glued flags', 'mysql -p"'],
    ['one long flag', 'mysql -p\\'],
    ['one long pair', 'curl -u a:\\'],
    ['wrapped commands', 'sshpass -p '],
    ['logins', 'docker login -p '],
    ['hosts of Bundler', 'BUNDLE_A__'],
    ['settings of Bundler', 'bundle config a.'],
    ['files of source', 'token.rb:'],
    ['flags that say no', '--no-token '],
    ['headers in quotes', '"authorization: '],
    ['parameters', '&token=&sig='],
    ['parts of a connection string', ';pwd='],
    ['elements', '<token'],
    ['elements of one line', '<token>a'],
    ['machines', 'machine a login a password '],
    ['lines of pgpass', 'a:*:a:'],
    ['lines of curlrc', '\nuser = "a'],
    ['statements', "user a password 'a"],
    ['logins of Oracle', 'sqlplus -a '],
    ['passwords with slashes', '://a:a/'],
    ['URLs whose password does not end', '://a:'],
    ['one long word', 'a'],
    ['words of Azure', 'a1Q~'],
    ['tokens that are none', 'sk-a'],
    ['digests', 'sha512-'],
  ])('grows with the text and not faster: half a megabyte of %s', { timeout: 60_000 }, (_, piece) => {
    const text = piece.repeat(Math.ceil(500_000 / piece.length));
    const before = performance.now();
    redactSecrets(clean(text));
    // Linear is 0.7 s at the worst. Quadratic would be minutes, on a busy machine and on one at rest.
    expect(performance.now() - before).toBeLessThan(20_000);
  });
});
