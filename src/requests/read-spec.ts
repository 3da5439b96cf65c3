import { RE2JS } from 're2js';
import { type CapDeployJob, type CapDeployJobSpec, specOf } from '../api/capdeployjob.ts';
import { escapeText } from '../text/escape.ts';

/**
 * The `revisions` patterns of a spec. They run on a linear-time engine (RE2), so that no pattern of a user and no
 * revision in a message can stop the process.
 */
export interface Revisions {
  /** True if the environment has no pattern, or the whole revision matches it. */
  allows(environment: string, revision: string): boolean;
  /** What the environment accepts, with its pattern, for the error text of a revision that `allows` refuses. */
  expectedIn(environment: string): string;
}

/** RE2 is linear in text times program: `(\pL{1000}){…}`, within 512 characters, is a program that takes seconds. */
const MAX_PROGRAM = 5_000;

const EXPECTED_PATTERN =
  'an RE2 pattern (https://github.com/google/re2/wiki/Syntax) that matches a revision from its start to its end, such as v[0-9]+\\.[0-9]+\\.[0-9]+';

/** `*` after a letter: in file names it means any text, in RE2 it repeats the letter. */
const LIKE_A_FILE_NAME = /(^|(?<!\\)[A-Za-z0-9_/-])\*/;

/** @returns the first bad pattern as a problem that names its environment: the spec is invalid then. */
function compileRevisions(spec: CapDeployJobSpec): Revisions | { problem: string } {
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
      return problem(`expected ${EXPECTED_PATTERN}; RE2 says: ${words.slice(0, 200)}`);
    }
  }
  const written = new Map(spec.environments.map(({ name, revisions }) => [name, revisions]));
  return {
    // matches() is anchored at both ends of the text, as by \A(?:…)\z, whatever anchors or flags the pattern has.
    allows: (environment, revision) => patterns.get(environment)?.matches(revision) ?? true,
    expectedIn(environment) {
      const pattern = written.get(environment) ?? '';
      const hint = LIKE_A_FILE_NAME.test(pattern) ? '; in RE2 * repeats what stands before it, and .* is any text' : '';
      return `environment "${environment}" takes only what the RE2 pattern ${escapeText(pattern, 200)} matches from start to end${hint}`;
    },
  };
}

export interface ReadSpec {
  readonly spec: CapDeployJobSpec;
  readonly revisions: Revisions;
}

const read = new WeakMap<CapDeployJob, ReadSpec | { problem: string }>();

/** Spec and patterns of a resource, read once for each object of the cache. */
export function readSpec(resource: CapDeployJob): ReadSpec | { problem: string } {
  let result = read.get(resource);
  if (result === undefined) {
    result = readAnew(resource);
    read.set(resource, result);
  }
  return result;
}

function readAnew(resource: CapDeployJob): ReadSpec | { problem: string } {
  const parsed = specOf(resource);
  if ('problem' in parsed) return parsed;
  const revisions = compileRevisions(parsed.spec);
  return 'problem' in revisions ? revisions : { ...parsed, revisions };
}
