import { CORE_EVENTS, type KubeClient, type KubeObject } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import type { JobEvent } from '../lanes/explain.ts';
import { jobUidOf } from '../lanes/job.ts';
import type { Observation } from '../lanes/plan.ts';
import type { ProcessMemory } from './memory.ts';

/** How old the known Events of a start may be before they are read again. */
const EVENTS_AGE_MS = 5000;

/**
 * Reads the Events of started Jobs that have no container yet, and of their Pods: Pod Security and quota refuse Pods, a missing Secret
 * keeps a volume from being mounted, and only Events say so. Best effort: without the right to read Events a start goes unexplained.
 * @returns whether anything new was read.
 */
export async function explainStarts(
  client: KubeClient,
  memory: ProcessMemory,
  seen: Observation,
  jobUids: readonly string[],
): Promise<boolean> {
  let read = false;
  for (const uid of jobUids) {
    // By the time of the observation, from which the plan counts to its next look: counted from the read, which is a moment later, the next
    // look would come a moment too early, and only every other one would read.
    if (seen.now - memory.eventsReadAt(uid) < EVENTS_AGE_MS) continue;
    const pods = seen.pods.filter((pod) => jobUidOf(pod) === uid).map(({ metadata }) => metadata.uid);
    const events = await Promise.all(
      [uid, ...pods].map((about) => eventsAbout(client, seen.resource.metadata.namespace, about)),
    );
    // One list that fails takes nothing back that was told already: the status would come and go with the API server's moods.
    const known = events.every((list) => list !== undefined) ? events.flat() : memory.events(uid);
    memory.setEvents(uid, known, seen.now);
    read = true;
  }
  return read;
}

async function eventsAbout(client: KubeClient, namespace: string, uid: string): Promise<JobEvent[] | undefined> {
  try {
    const { items } = await client.list<KubeObject & JobEvent>(CORE_EVENTS, {
      namespace,
      fieldSelector: `involvedObject.uid=${uid}`,
      limit: 100,
    });
    return items
      .map(({ reason, message, lastTimestamp, eventTime }) => ({
        ...(reason === undefined ? {} : { reason }),
        ...(message === undefined ? {} : { message }),
        lastTimestamp: lastTimestamp ?? eventTime ?? null,
      }))
      .sort((a, b) => ((a.lastTimestamp ?? '') < (b.lastTimestamp ?? '') ? -1 : 1));
  } catch (error) {
    if (isKubeError(error)) return undefined;
    throw error;
  }
}
