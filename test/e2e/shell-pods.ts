import { eventually } from '../kit/eventually.ts';
import { IMAGES, type Place, RESTRICTED_CONTAINER, RESTRICTED_POD } from './place.ts';

/** Pods that run a line of shell in place of cap: how a deploy ends does not depend on what it does. */

/** A container. The operator's arguments become `$0` and what follows. */
export const shell = (name: string, line: string, more: Record<string, unknown> = {}) => ({
  name,
  image: IMAGES.pause.tag,
  command: ['sh', '-c', line],
  ...RESTRICTED_CONTAINER,
  ...more,
});

/** A Pod template. Nobody waits long for what does not heed SIGTERM. */
export const podTemplate = (spec: Record<string, unknown>) => ({
  spec: { ...RESTRICTED_POD, terminationGracePeriodSeconds: 2, ...spec },
});

/** The first container, by a line of shell. */
export const cap = (line: string, more?: Record<string, unknown>) =>
  podTemplate({ containers: [shell('cap', line, more)] });

/** Lines of shell. */
export const UNTIL_TOLD = 'until [ -e /tmp/go ]; do sleep 0.1; done';
/** Pid 1 of a container gets no signal that it does not trap. */
export const DEAF = 'touch /tmp/up; sleep 600';
export const onTerm = (line: string): string => `trap '${line}' TERM; touch /tmp/up; sleep 600 & wait`;

/** Lets UNTIL_TOLD go on. */
export const tell = (place: Place, pod: { metadata: { name: string } }, container = 'cap'): Promise<string> =>
  place.kubectl('exec', pod.metadata.name, '-c', container, '--', 'touch', '/tmp/go');

/** Waits until DEAF or onTerm has begun: a container runs before its shell has set a trap. */
export const untilUp = (place: Place, { metadata }: { metadata: { name: string } }): Promise<boolean> =>
  eventually(`the shell of ${metadata.name} is up`, async () => {
    const command = ['sh', '-c', '[ -e /tmp/up ]'];
    const { code } = await place.cluster.kubectl(['-n', place.namespace, 'exec', metadata.name, '--', ...command]);
    return code === 0;
  });
