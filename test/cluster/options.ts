import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export const USAGE = `npm run test:real -- [--kubernetes 1.NN | --kubeconfig FILE] [--times N] [filters and options of vitest]

  --kubernetes 1.NN   the minor to build and run; default: the newest one under test/cluster/control-plane
  --kubeconfig FILE   run against this cluster of yours instead, with all rights in it: tests make and remove namespaces, roles, policies and a
                      Node of their own, and the CRD and the operator's roles where they are not there
  --times N           run the tests N times in a row against the one running control plane
  anything else       goes to vitest: a part of a file's name, -t <part of a test's name>, --project namespaces|behaviour|conformance|cluster|ministack|elasticmq`;

export interface Options {
  kubernetes: string | undefined;
  /** An absolute path. */
  kubeconfig: string | undefined;
  times: number;
  /** For vitest, in their order. */
  rest: string[];
  /** Nothing restricts what is run: only then can it be said that a right was never used. */
  whole: boolean;
}

/** What the runner was asked for wrongly; its message says what is allowed. */
export class UsageError extends Error {}

/**
 * @param args of the command line, the program's own names taken off
 * @param from.cwd where the user typed it
 * @param from.minors those that can be built
 * @throws UsageError
 */
export function parseOptions(args: readonly string[], from: { cwd: string; minors: readonly string[] }): Options {
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    options: {
      kubernetes: { type: 'string' },
      kubeconfig: { type: 'string' },
      times: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const own: Record<string, string | undefined> = {};
  const taken = new Set<number>();
  for (const token of tokens) {
    if (token.kind === 'option-terminator') taken.add(token.index);
    if (token.kind !== 'option' || !OWN.includes(token.name) || !token.rawName.startsWith('--')) continue;
    taken.add(token.index);
    if (token.name !== 'help' && !token.inlineValue) taken.add(token.index + 1);
    own[token.name] = token.name === 'help' ? '' : token.value;
    if (token.name !== 'help' && !token.value) throw new UsageError(`--${token.name} needs a value\n\n${USAGE}`);
  }
  if ('help' in own) throw new UsageError(USAGE);
  const { kubernetes, kubeconfig, times = '1' } = own;
  if (kubernetes !== undefined && !from.minors.includes(kubernetes)) {
    const there = from.minors.join(' or ');
    throw new UsageError(`--kubernetes is "${kubernetes}": it takes a minor of test/cluster/control-plane, ${there}`);
  }
  if (kubernetes !== undefined && kubeconfig !== undefined) {
    throw new UsageError('--kubernetes builds a control plane and --kubeconfig names one that runs: give one of them');
  }
  const file = kubeconfig === undefined ? undefined : resolve(from.cwd, kubeconfig);
  if (file !== undefined && !existsSync(file)) throw new UsageError(`--kubeconfig: there is no file ${file}`);
  if (!/^[1-9]\d{0,3}$/.test(times)) throw new UsageError(`--times is "${times}": it takes a number from 1 to 9999`);
  const rest = args.filter((_, index) => !taken.has(index));
  return {
    kubernetes,
    kubeconfig: file,
    times: Number(times),
    rest,
    whole: rest.every((arg) => /^--(reporter|outputFile|sequence|maxWorkers|retry|bail)\b.*=/.test(arg)),
  };
}

const OWN = ['kubernetes', 'kubeconfig', 'times', 'help'];
