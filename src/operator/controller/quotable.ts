import type { ContainerStatus, Job, Pod } from '../../lanes/job.ts';
import { defined } from '../../lanes/lane.ts';
import { clean, redactSecrets } from '../../text/redact.ts';
import { bounded } from '../../text/truncate.ts';

/** Longer than any place in a status that quotes one such text. */
const MAX_LENGTH = 1024;
/** More of a text is not read: it is cut to a sixteenth of this. */
const MAX_READ = 16 * MAX_LENGTH;

/**
 * A text from outside (kubelet, container runtime, admission webhook) as a status may quote it: one line, without
 * control characters, escape sequences, direction marks and secrets, cut to 1024 characters. It is redacted before it
 * is cut, because half of a password is not recognised.
 */
export const quotable = (text: string): string =>
  bounded(
    redactSecrets(clean(text.slice(0, MAX_READ)))
      .replace(/\s+/g, ' ')
      .trim(),
    MAX_LENGTH,
  );

/** Objects are never changed in place, and each pass reads the same ones again. */
const read = new WeakMap<object, object>();

function once<T extends object>(object: T, make: (object: T) => T): T {
  let made = read.get(object) as T | undefined;
  if (made === undefined) {
    made = make(object);
    read.set(object, made);
  }
  return made;
}

/** The Pod with quotable texts wherever its status says why something waits: lanes quote these as they are. */
export const quotablePod = (pod: Pod): Pod => once(pod, readPod);

/** The Job with quotable texts in its conditions, which the history quotes. Without conditions: the same object. */
export const quotableJob = (job: Job): Job =>
  job.status?.conditions
    ? once(job, ({ status, ...rest }) => ({
        ...rest,
        status: { ...status, conditions: (status?.conditions ?? []).map(withQuotableTexts) },
      }))
    : job;

function readPod({ status, ...pod }: Pod): Pod {
  if (status === undefined) return pod;
  const { conditions, containerStatuses, initContainerStatuses } = status;
  return {
    ...pod,
    status: {
      ...withQuotableTexts(status),
      ...(conditions && { conditions: conditions.map(withQuotableTexts) }),
      ...(containerStatuses && { containerStatuses: containerStatuses.map(readStatus) }),
      ...(initContainerStatuses && { initContainerStatuses: initContainerStatuses.map(readStatus) }),
    },
  };
}

function readStatus(status: ContainerStatus): ContainerStatus {
  const { waiting } = status.state ?? {};
  return waiting ? { ...status, state: { ...status.state, waiting: withQuotableTexts(waiting) } } : status;
}

function withQuotableTexts<T extends { reason?: string; message?: string }>(object: T): T {
  const { reason, message } = object;
  return {
    ...object,
    ...defined({ reason: reason && quotable(reason), message: message && quotable(message) }),
  };
}
