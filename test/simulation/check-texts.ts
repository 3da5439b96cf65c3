import { isDeepStrictEqual } from 'node:util';
import type { Claim, HistoryEntry, WaitingEntry } from '../../src/api/capdeployjob.ts';
import type { KubeObject } from '../../src/kube/client.ts';
import type { Sent } from './messages.ts';
import { annotationOf, type RequestTruth } from './truth.ts';
import { Violation } from './violation.ts';

/** Why a deploy was asked for, and where in Slack its result belongs: texts for people, which nothing may lose. */

interface Texts {
  readonly reason: string | undefined;
  readonly channel: string | undefined;
  readonly threadTs: string | undefined;
}

const textsOf = (job: KubeObject): Texts => ({
  reason: annotationOf(job, 'reason'),
  channel: annotationOf(job, 'slack-channel'),
  threadTs: annotationOf(job, 'slack-thread-ts'),
});

/** A Job is new: it has the texts of one message that asked for it. */
export function checkTextsOfJob(job: KubeObject, asked: readonly Sent[]): void {
  const texts = textsOf(job);
  if (asked.some(({ intent }) => intent && isDeepStrictEqual(intent.texts, texts))) return;
  throw new Violation('invariant 7', `Job ${job.metadata.name} says ${JSON.stringify(texts)}, which nobody sent`);
}

/** An entry of a status has the texts of its Job, also if that is gone. Of a history entry any Job of its request counts. */
export function checkTexts(request: RequestTruth | undefined, entry: Claim | WaitingEntry | HistoryEntry): void {
  const { id, requestReason: reason, slack } = entry;
  const uid = 'uid' in entry ? entry.uid : undefined;
  const texts: Texts = { reason, channel: slack?.channel, threadTs: slack?.threadTs };
  const jobs = (request?.jobs ?? []).filter((job) => uid === undefined || job.uid === uid);
  if (jobs.some(({ object }) => isDeepStrictEqual(textsOf(object), texts))) return;
  throw new Violation('invariant 7', `the status says of ${id} ${JSON.stringify(texts)}, and its Job does not`);
}
