/**
 * What the scheduler does to a Pod, and no update can: it gives it a node (`pkg/registry/core/pod/storage`,
 * BindingREST).
 */

import { timestamp } from '../clock.ts';
import { PODS } from '../objects.ts';
import { ApiError, badRequest } from './api-error.ts';
import { isObject, listAt, textAt } from './json.ts';
import type { Store } from './store.ts';

/** `binding`: a v1 Binding, of which only the target counts. 409 where the Pod has a node, or is being deleted. */
export function bindPod(store: Store, namespace: string | undefined, name: string, binding: unknown): void {
  const node = textAt(binding, 'target', 'name') ?? '';
  if (node === '') throw badRequest('a binding must name its target');
  const pod = store.get(PODS, namespace, name);
  const spec = isObject(pod.spec) ? pod.spec : {};
  const refuse = (why: string): never => {
    const message = `Operation cannot be fulfilled on pods/binding "${name}": ${why}`;
    throw new ApiError(409, 'Conflict', message, { name, kind: 'pods/binding' });
  };
  if (pod.metadata.deletionTimestamp !== undefined)
    refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  const taken = textAt(spec, 'nodeName');
  if (taken !== undefined) refuse(`pod ${name} is already assigned to node ${JSON.stringify(taken)}`);
  const status = isObject(pod.status) ? pod.status : {};
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: timestamp(store.clock.now()),
  };
  const conditions = [...listAt(status, 'conditions').filter((each) => each.type !== 'PodScheduled'), scheduled];
  store.update(PODS, { ...pod, spec: { ...spec, nodeName: node } }, { trusted: true });
  const bound = store.get(PODS, namespace, name);
  store.update(PODS, { ...bound, status: { ...status, conditions } }, { subresource: 'status' });
}
