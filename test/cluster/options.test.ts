import { expect, test } from 'vitest';
import { parseOptions, UsageError } from './options.ts';

const from = { cwd: import.meta.dirname, minors: ['1.35', '1.36'] };
const parse = (line: string) => parseOptions(line.split(' ').filter(Boolean), from);

test.each([
  [
    'nothing runs everything once',
    '',
    { times: 1, rest: [], whole: true, kubernetes: undefined, kubeconfig: undefined },
  ],
  [
    'a minor and a number of times',
    '--kubernetes 1.35 --times=20',
    { kubernetes: '1.35', times: 20, rest: [], whole: true },
  ],
  [
    'a path is the user’s',
    '--kubeconfig ./options.ts',
    { kubeconfig: `${import.meta.dirname}/options.ts`, whole: true },
  ],
  [
    'the rest goes to vitest in its order',
    'lanes --times 2 -t one --project=behaviour',
    { times: 2, rest: ['lanes', '-t', 'one', '--project=behaviour'], whole: false },
  ],
  [
    'a reporter leaves nothing out',
    '--reporter=json --outputFile=x.json',
    { rest: ['--reporter=json', '--outputFile=x.json'], whole: true },
  ],
])('%s', (_, line, expected) => {
  expect(parse(line)).toMatchObject(expected);
});

test.each([
  ['--kubernetes 1.20', '--kubernetes is "1.20": it takes a minor of test/cluster/control-plane, 1.35 or 1.36'],
  ['--kubernetes', '--kubernetes needs a value'],
  ['--times 0', '--times is "0": it takes a number from 1 to 9999'],
  ['--times many', '--times is "many": it takes a number from 1 to 9999'],
  ['--kubeconfig absent', `--kubeconfig: there is no file ${import.meta.dirname}/absent`],
  ['--kubernetes 1.36 --kubeconfig options.ts', 'give one of them'],
  ['--help', 'npm run test:real'],
])('%s is refused in words that help', (line, words) => {
  expect(() => parse(line)).toThrow(UsageError);
  expect(() => parse(line)).toThrow(words);
});
