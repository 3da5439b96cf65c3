import { RE2JS } from 're2js';
import { type CapDeployJob, type CapDeployJobSpec, specOf } from '../api/capdeployjob.ts';
import { escapeText } from '../text/escape.ts';

/**
 * The `revisions` patterns of a spec. They run on a linear-time engine (RE2): a pattern is a user's, a revision is a stranger's, and
 * together they must not be able to stop the process.
 */
export interface Revisions {
  /** True where the environment has no pattern, or the whole revision matches it. */
  allows(environment: string, revision: string): boolean;
  /** What the environment takes, in words, with the pattern as it was written: for a revision that `allows` refuses. */
  expectedIn(environment: string): string;
}

/** RE2 is linear in text times program: `(\pL{1000}){…}` within 512 characters still makes a program that takes seconds. */
const MAX_PROGRAM = 5_000;

/** What is expected of a pattern, in words. */
const PATTERN_WORDS =
  'an RE2 pattern (https://github.com/google/re2/wiki/Syntax) that matches a revision from its start to its end, such as v[0-9]+\\.[0-9]+\\.[0-9]+';

/** `*` behind a letter: in file names it stands for any text, in RE2 it repeats the letter. */
const LIKE_A_FILE_NAME = /(^|(?<!\\)[A-Za-z0-9_/-])\*/;

const compiled = new WeakMap<CapDeployJobSpec, Revisions | { problem: string }>();

/**
 * Compiles the patterns of all environments, once for each spec object.
 * @returns the first bad pattern as a problem that names its environment: the spec is invalid then, and the queue is not read.
 */
export function compileRevisions(spec: CapDeployJobSpec): Revisions | { problem: string } {
  let result = compiled.get(spec);
  if (result === undefined) {
    result = compile(spec);
    compiled.set(spec, result);
  }
  return result;
}

function compile(spec: CapDeployJobSpec): Revisions | { problem: string } {
  const patterns = new Map<string, RE2JS>();
  for (const [index, { name, revisions }] of spec.environments.entries()) {
    if (revisions === undefined) continue;
    const problem = (what: string) => ({
      problem: `spec.environments[${index}].revisions: found ${JSON.stringify(revisions)} (environment "${name}"); ${what}`,
    });
    try {
      const pattern = RE2JS.compile(revisions);
      if (pattern.programSize() > MAX_PROGRAM) return problem('the pattern is too large: shorten its repetitions');
      patterns.set(name, pattern);
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      return problem(`expected ${PATTERN_WORDS}; RE2 says: ${words.slice(0, 200)}`);
    }
  }
  const written = new Map(spec.environments.map(({ name, revisions }) => [name, revisions]));
  return {
    // matches() is anchored at both ends of the text, as by \A(?:…)\z, whatever anchors or flags the pattern itself has.
    allows: (environment, revision) => patterns.get(environment)?.matches(revision) ?? true,
    expectedIn(environment) {
      const pattern = written.get(environment) ?? '';
      const hint = LIKE_A_FILE_NAME.test(pattern) ? '; in RE2 * repeats what stands before it, and .* is any text' : '';
      return `environment "${environment}" takes only what the RE2 pattern ${escapeText(pattern, 200)} matches from start to end${hint}`;
    },
  };
}

export type ReadSpec = { spec: CapDeployJobSpec; revisions: Revisions } | { problem: string };

const read = new WeakMap<CapDeployJob, ReadSpec>();

/** Spec and patterns of a resource, read once for each object of the cache. */
export function readSpec(resource: CapDeployJob): ReadSpec {
  let result = read.get(resource);
  if (result === undefined) {
    const parsed = specOf(resource);
    const revisions = 'spec' in parsed ? compileRevisions(parsed.spec) : parsed;
    result =
      'spec' in parsed && !('problem' in revisions) ? { spec: parsed.spec, revisions } : problemOf(parsed, revisions);
    read.set(resource, result);
  }
  return result;
}

function problemOf(...results: object[]): { problem: string } {
  const found = results.find((result): result is { problem: string } => 'problem' in result);
  return { problem: found?.problem ?? 'spec: invalid' };
}
