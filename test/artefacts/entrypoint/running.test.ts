import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../../kit/eventually.ts';
import { Entrypoint, isAlive } from './script.ts';

/** How it starts cap, stops it, and leaves. Real keys and agents are tried in the image itself (test/images). */

const DEPLOY = ['cap', 'production', 'deploy'];

test.each([0, 1, 3, 127, 143, 255])('it leaves with the exit code of cap: %i', async (code) => {
  const entrypoint = new Entrypoint().program('cap', `exit ${code}`);
  expect(await entrypoint.start(DEPLOY)).toEqual({ code, signal: null });
  expect(readdirSync(entrypoint.temporary)).toEqual([]);
});

test('if a signal ended cap, with 128 and its number', async () => {
  expect(await new Entrypoint().program('cap', 'kill -KILL $$').start(DEPLOY)).toEqual({ code: 137, signal: null });
});

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  '%s reaches cap as SIGTERM, which has time to end in its own way',
  async (signal) => {
    const entrypoint = new Entrypoint().program(
      'cap',
      'trap "echo got it; sleep 0.2; exit 7" TERM\necho ready\nwhile :; do sleep 0.05; done',
    );
    const ended = entrypoint.start(DEPLOY);
    await entrypoint.says('ready');
    entrypoint.kill(signal);
    expect(await ended).toEqual({ code: 7, signal: null });
    expect(entrypoint.output).toContain('got it');
    expect(readdirSync(entrypoint.temporary)).toEqual([]);
  },
);

test('a cap that does not care for SIGTERM is ended by it: 143', async () => {
  const entrypoint = new Entrypoint().program('cap', 'echo ready; exec sleep 1000');
  const ended = entrypoint.start(DEPLOY);
  await entrypoint.says('ready');
  entrypoint.kill('SIGTERM');
  expect(await ended).toEqual({ code: 143, signal: null });
});

test('many signals while cap ends change nothing about its exit code', async () => {
  const entrypoint = new Entrypoint().program(
    'cap',
    'trap "trap \\"\\" TERM; echo got it; sleep 0.4; exit 7" TERM\necho ready\nwhile :; do sleep 0.05; done',
  );
  const ended = entrypoint.start(DEPLOY);
  await entrypoint.says('ready');
  entrypoint.kill('SIGTERM');
  await entrypoint.says('got it');
  let over = false;
  const flood = (async () => {
    while (!over) {
      entrypoint.kill('SIGTERM');
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  expect(await ended).toEqual({ code: 7, signal: null });
  over = true;
  await flood;
});

test('programs that cap runs are ended with it', async () => {
  const entrypoint = new Entrypoint().program('cap', 'sleep 1000 &\necho "runs $!"\nwait');
  const ended = entrypoint.start(DEPLOY);
  await entrypoint.says('runs ');
  const pid = Number(/runs (\d+)/.exec(entrypoint.output)?.[1]);
  expect(isAlive(pid)).toBe(true);
  entrypoint.kill('SIGTERM');
  expect(await ended).toEqual({ code: 143, signal: null });
  await eventually('the program has ended', () => !isAlive(pid));
});

test('a signal that comes before cap is started keeps it from being started', async () => {
  const entrypoint = new Entrypoint().program('cap', 'echo cap was run');
  entrypoint.program(
    'mktemp',
    `touch '${entrypoint.folder}/preparing'; sleep 0.3; mkdir "$TMPDIR/x" && echo "$TMPDIR/x"`,
  );
  const ended = entrypoint.start(DEPLOY);
  await eventually('it prepares', () => readdirSync(entrypoint.folder).includes('preparing'));
  entrypoint.kill('SIGTERM');
  expect(await ended).toEqual({ code: 143, signal: null });
  expect(entrypoint.output).not.toContain('cap was run');
  expect(readdirSync(entrypoint.temporary)).toEqual([]);
});

test('cap gets standard input, the environment and the locale as they were given', async () => {
  const show = `cat; echo "[$A_SETTING] [$REVISION] [\${LC_ALL-unset}]"`;
  const one = new Entrypoint().program('cap', show);
  await one.start(DEPLOY, { A_SETTING: 'a  b\n$(c)', LC_ALL: 'C.UTF-8' }, 'from standard input\n');
  expect(one.output).toContain('from standard input\n[a  b\n$(c)] [v1.0.0] [C.UTF-8]\n');
  const other = new Entrypoint().program('cap', show);
  await other.start(DEPLOY, { LC_ALL: undefined });
  expect(other.output).toContain('[v1.0.0] [unset]\n');
});

/** A private key's first bytes in OpenSSH's own format, PROTOCOL.key: the magic, then the name of the cipher. */
const opensshKey = (cipher: string) => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(cipher.length);
  const body = Buffer.concat([Buffer.from('openssh-key-v1\0'), length, Buffer.from(cipher), Buffer.alloc(60)]);
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${body.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
};

test.each([
  ['in the format of OpenSSH', opensshKey('aes256-ctr')],
  ['in the format of OpenSSH, with carriage returns', opensshKey('aes256-ctr').replaceAll('\n', '\r\n')],
  ['in PKCS#8', '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIFHDBOBgkq\n-----END ENCRYPTED PRIVATE KEY-----\n'],
  ['in PEM', '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMIIF\n'],
])('a key with a passphrase, %s, is told from others', async (_, key) => {
  const entrypoint = new Entrypoint().program('cap', 'echo cap was run');
  const folder = entrypoint.secret('private_key', key);
  expect(await entrypoint.start(DEPLOY, { SSH_KEY_DIRECTORY: folder })).toEqual({ code: 1, signal: null });
  expect(entrypoint.output).toContain(`${folder}/private_key has a passphrase`);
  expect(entrypoint.output).not.toContain('cap was run');
  expect(entrypoint.output).not.toContain(key.split('\n')[1]?.trim());
});

test('a key that is missing is an error that names where it was looked for, and the field that brings it', async () => {
  const entrypoint = new Entrypoint().program('cap', 'echo cap was run');
  expect(await entrypoint.start(DEPLOY, { SSH_KEY_DIRECTORY: undefined })).toEqual({ code: 1, signal: null });
  expect(entrypoint.output).toContain(
    `/etc/capdeployjob/ssh/private_key, nor at ${entrypoint.folder}/home/.ssh/private_key`,
  );
  expect(entrypoint.output).toContain('spec.sshKey.secretName');
  expect(entrypoint.output).not.toContain('cap was run');
});

test('a list of tasks needs neither key nor revision, and writes nothing', async () => {
  const entrypoint = new Entrypoint().program('cap', 'echo cap was run');
  const env = { SSH_KEY_DIRECTORY: undefined, REVISION: undefined, TMPDIR: '/nowhere' };
  expect(await entrypoint.start(['cap', '-T'], env)).toEqual({ code: 0, signal: null });
  expect(entrypoint.output).toBe('cap was run\n');
});

/**
 * Programs that stand in for OpenSSH's: an agent that is a file and a sleep, and an ssh-add that keeps what it was
 * given.
 */
function withAgent(): Entrypoint {
  const entrypoint = new Entrypoint();
  const agent = join(entrypoint.folder, 'agent.mjs');
  writeFileSync(
    agent,
    "import { createServer } from 'node:net'; createServer().listen(process.argv[2], () => console.log('up'));",
  );
  return entrypoint
    .program('cap', 'echo "[$SSH_AUTH_SOCK] [$SSH_KEY_DIRECTORY] [$GIT_SSH_COMMAND]"')
    .program(
      'ssh-agent',
      `'${process.execPath}' '${agent}' "$3" </dev/null >"${entrypoint.folder}/up" 2>&1 &
       echo "$!" >"${entrypoint.folder}/agent.pid"
       until [ -S "$3" ]; do sleep 0.01; done
       echo "SSH_AUTH_SOCK=$3; export SSH_AUTH_SOCK; SSH_AGENT_PID=$!; export SSH_AGENT_PID;"`,
    )
    .program('ssh-add', `[ "$*" = "-q -" ] && cat >"${entrypoint.folder}/added"`);
}

const agentIsGone = (entrypoint: Entrypoint) => {
  const pid = Number(readFileSync(join(entrypoint.folder, 'agent.pid'), 'utf8'));
  expect(pid).toBeGreaterThan(1);
  return eventually('the agent has ended', () => !isAlive(pid));
};

test('the key goes to an agent, by standard input and with the end of line that it lacks; cap learns of it, and the agent does not stay', async () => {
  const entrypoint = withAgent();
  const folder = entrypoint.secret('private_key', 'a key without an end of line');
  entrypoint.secret('known_hosts', 'web1 ssh-ed25519 AAAA\n');
  expect(await entrypoint.start(DEPLOY, { SSH_KEY_DIRECTORY: folder })).toEqual({ code: 0, signal: null });
  expect(readFileSync(join(entrypoint.folder, 'added'), 'utf8')).toBe('a key without an end of line\n');
  const git = `ssh -o StrictHostKeyChecking=yes -o UserKnownHostsFile=${folder}/known_hosts`;
  expect(entrypoint.output).toMatch(/^capdeployjob: REVISION=v1\.0\.0 cap production deploy\n\[[^\]]+\/agent\] /);
  expect(entrypoint.output).toContain(`[${folder}] [${git}]\n`);
  await agentIsGone(entrypoint);
  expect(readdirSync(entrypoint.temporary)).toEqual([]);
});

test('without known_hosts it says loudly what that means, and goes on', async () => {
  const entrypoint = withAgent();
  const folder = entrypoint.secret('private_key', 'a key\n');
  expect(await entrypoint.start(DEPLOY, { SSH_KEY_DIRECTORY: folder })).toEqual({ code: 0, signal: null });
  expect(entrypoint.output).toContain(
    `WARNING: no known_hosts at ${folder}/known_hosts: no server can be told from an impostor.`,
  );
});

/** With an ssh-add that takes nothing. */
const withStrictAgent = () =>
  withAgent().program('ssh-add', 'cat >/dev/null; echo "Error loading key \\"(stdin)\\": invalid format" >&2; exit 1');
const KEY = '-----BEGIN OPENSSH PRIVATE KEY-----\nhushhush\nhush\n-----END OPENSSH PRIVATE KEY-----\n';
const PUBLIC = 'it is a public key: store the other file of the pair, the one without .pub';
const ONE_LINE = 'it is one line: its line ends were lost, or are written as \\n';

test.each([
  ['that ssh-add knows best', KEY, 'Error loading key "(stdin)": invalid format'],
  ['that is empty', '', 'it is empty'],
  ['of line ends only', '\r\n\n', 'it is empty'],
  ['that is public', 'ssh-ed25519 hushhush deploy@web\n', PUBLIC],
  ['that is public, of RSA', '\nssh-rsa hushhush\n', PUBLIC],
  ['that is public, of ECDSA', 'ecdsa-sha2-nistp256 hushhush', PUBLIC],
  ['that is public, in PEM', '-----BEGIN PUBLIC KEY-----\nhush\n-----END PUBLIC KEY-----\n', PUBLIC],
  ['that is public, in the form of RFC 4716', '---- BEGIN SSH2 PUBLIC KEY ----\nhush\n', PUBLIC],
  [
    'that was encoded twice',
    Buffer.from(KEY).toString('base64'),
    'it is the base64 of a key: a Secret takes that once in "data", and the file as it is in "stringData"',
  ],
  ['that is one line, joined by blanks', KEY.replaceAll('\n', ' '), ONE_LINE],
  ['that is one line, with line ends as in JSON', KEY.replaceAll('\n', '\\n'), ONE_LINE],
  ['that is cut off', KEY.slice(0, 50), 'its end is missing'],
  ['that is something else', 'hush', 'it has no -----BEGIN'],
  [
    'of PuTTY',
    'PuTTY-User-Key-File-3: ssh-ed25519\nhush\n',
    'it is a key of PuTTY: convert it (puttygen <file> -O private-openssh -o id)',
  ],
  [
    'in UTF-16',
    Buffer.from(`\ufeff${KEY}`, 'utf16le'),
    'it is text in UTF-16, which PowerShell writes: save it as ASCII or UTF-8',
  ],
])('a key %s is an error that says what it is, and shows nothing of it', async (_, key, words) => {
  const entrypoint = withStrictAgent();
  const folder = entrypoint.secret('private_key', key);
  expect(await entrypoint.start(DEPLOY, { SSH_KEY_DIRECTORY: folder })).toEqual({ code: 1, signal: null });
  expect(entrypoint.output).toBe(
    `capdeployjob: ERROR: ${folder}/private_key is no private key that ssh-add takes: ${words}. ` +
      'The Secret must hold the whole file as ssh-keygen wrote it, from -----BEGIN to -----END\n',
  );
  expect(entrypoint.output).not.toContain('hush');
  await agentIsGone(entrypoint);
});

test('known_hosts in UTF-16 is told from one that ssh can read', async () => {
  const entrypoint = withAgent();
  const folder = entrypoint.secret('private_key', 'a key\n');
  entrypoint.secret('known_hosts', Buffer.from('\ufeffweb1 ssh-ed25519 AAAA\r\n', 'utf16le'));
  expect(await entrypoint.start(DEPLOY, { SSH_KEY_DIRECTORY: folder })).toEqual({ code: 0, signal: null });
  expect(entrypoint.output).toContain(
    `capdeployjob: WARNING: ${folder}/known_hosts is text in UTF-16, which PowerShell writes: save it as ASCII or UTF-8. ` +
      'No host key in it can be read, so every server is refused.\n',
  );
});

test('an agent that is there already serves where no key is mounted', async () => {
  const entrypoint = withAgent();
  const env = { SSH_KEY_DIRECTORY: undefined, SSH_AUTH_SOCK: '/somewhere/agent' };
  expect(await entrypoint.start(DEPLOY, env)).toEqual({ code: 0, signal: null });
  expect(entrypoint.output).toContain('[/somewhere/agent]');
});

test('the key of older images is found in the home directory', async () => {
  const entrypoint = withAgent();
  const folder = entrypoint.secret('private_key', 'a key\n');
  const env = { SSH_KEY_DIRECTORY: undefined, HOME: folder };
  symlinkSync(folder, join(folder, '.ssh'));
  expect(await entrypoint.start(DEPLOY, env)).toEqual({ code: 0, signal: null });
  expect(entrypoint.output).toContain(`[${folder}/.ssh]`);
});
