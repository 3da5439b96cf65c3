/**
 * `npm run demo`: a message becomes a deploy, on this machine alone. With --chat people ask for the deploys, in a Slack
 * on this machine. With --serve everything stays up to play with, until Ctrl-C. Whatever way it ends, it leaves no
 * process and no file behind.
 */
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { play } from './play.ts';
import { playChat } from './play-chat.ts';
import { Table } from './table.ts';

/** Somebody wants it to end: no failure, but no success either. */
class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

const args = process.argv.slice(2);
const unknown = args.find((arg) => arg !== '--serve' && arg !== '--chat');
if (unknown !== undefined) {
  console.error(`demo: ${JSON.stringify(unknown)}: only --chat and --serve are known`);
  process.exit(2);
}
const serve = args.includes('--serve');

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (!stopping.signal.aborted) process.stderr.write(`\n${signal}: stopping\n`);
    stopping.abort(new Interrupted(signal));
  });
}
// The reader has gone (`npm run demo | head`): no message is printed, but everything is still removed.
process.stdout.on('error', (error) => stopping.abort(error));
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => stopping.abort(error));
}

const directory = await mkdtemp(join(tmpdir(), 'capdeployjob-demo-'));
// Even if taking things away fails.
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
const stops: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];

let code = 1;
try {
  const good = await (args.includes('--chat') ? playChat : play)({
    directory,
    table: new Table(),
    serve,
    signal: stopping.signal,
    atEnd: (stop) => stops.push(stop),
  });
  code = good ? 0 : 1;
} catch (error) {
  if (!(error instanceof Interrupted)) console.error(`demo: ${error instanceof Error ? error.message : error}`);
  // Ctrl-C is how --serve ends.
  else code = serve ? 0 : 130;
}
for (const stop of stops.reverse()) {
  await stop().catch((error: unknown) => console.error(`demo: while stopping: ${(error as Error).message}`));
}
process.exit(code);
