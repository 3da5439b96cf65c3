import { afterAll, expect, vi } from 'vitest';

/** What the test files of one process share (`isolate: false`). */
function stateOfProcess(): Map<string, unknown> {
  const variables = Object.entries(process.env).map(([name, value]) => [`environment: ${name}`, value] as const);
  const listeners = process
    .eventNames()
    // pino listens on `exit` for each of its streams until the stream is garbage.
    .filter((name) => name !== 'exit')
    .map((name) => [`listeners: ${String(name)}`, process.listenerCount(name)] as const);
  return new Map<string, unknown>([
    ...variables,
    ...listeners,
    ['exit code', process.exitCode],
    ['folder', process.cwd()],
    ['fake timers', vi.isFakeTimers()],
  ]);
}

const before = stateOfProcess();
afterAll(() => {
  // vitest does so before each test, but not after the last test of a file.
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  const after = stateOfProcess();
  // Names only: the environment may hold secrets.
  const changed = [...before.keys(), ...after.keys()].filter((key) => before.get(key) !== after.get(key));
  expect(changed, 'what this test file changed in its process and did not restore').toEqual([]);
});
