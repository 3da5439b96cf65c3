import type { Deployed } from '../api/capdeployjob.ts';

/** What the line begins with. The entrypoint of the image writes it (docker/capistrano/entrypoint.sh). */
const PREFIX = 'capdeployjob-result: ';
/** Longest line in characters: the kubelet keeps 4,096 bytes of the message, and shares 12 KiB among the containers. */
const LONGEST = 512;

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const RELEASE = /^\d{14}$/;
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/**
 * Reads what an image says it put in place: one line `capdeployjob-result: {"commit": …, "committedAt": …, "release":
 * …}` in the termination message of a container that exited with 0. The line is a claim of the image. A field that is
 * not in its form is left out, and so is everything of an image that says nothing.
 * https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/#writing-and-reading-a-termination-message
 */
export function readDeployed(message: string | undefined): Deployed {
  const line = message?.split('\n').find((one) => one.startsWith(PREFIX));
  if (line === undefined || line.length > LONGEST) return {};
  const claimed = parseObject(line.slice(PREFIX.length));
  const { commit, committedAt, release } = claimed;
  return {
    ...(isLike(commit, COMMIT) ? { commit } : {}),
    ...(isLike(committedAt, MOMENT) && !Number.isNaN(Date.parse(committedAt)) ? { committedAt } : {}),
    ...(isLike(release, RELEASE) ? { release } : {}),
  };
}

const isLike = (value: unknown, pattern: RegExp): value is string => typeof value === 'string' && pattern.test(value);

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' ? { ...value } : {};
  } catch {
    return {};
  }
}
