/** The objects that the conformance tests send. */
import type { Json } from './api.ts';

export function capDeployJob(name: string, spec: Json = {}, metadata: Json = {}): Json {
  return {
    apiVersion: 'capdeployjob.dev/v1alpha1',
    kind: 'CapDeployJob',
    metadata: { name, ...metadata },
    spec: {
      // Nobody reads it: the queue is suspended, should an operator run beside the tests.
      suspend: true,
      queue: { url: 'https://sqs.us-east-1.amazonaws.com/000000000000/conformance' },
      environments: [{ name: 'production' }],
      template: { spec: { containers: [container()] } },
      ...spec,
    },
  };
}

export function container(more: Json = {}): Json {
  return { name: 'deploy', image: 'app:1', ...more };
}

/** Pods get their nodes from the tests, also where there is a scheduler. */
export const NO_SCHEDULER = 'capdeployjob-played';

/** A Job as the operator makes them. */
export function job(name: string, spec: Json = {}, podSpec: Json = {}, metadata: Json = {}): Json {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, ...metadata },
    spec: {
      backoffLimit: 0,
      podReplacementPolicy: 'Failed',
      suspend: true,
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { restartPolicy: 'Never', schedulerName: NO_SCHEDULER, containers: [container()], ...podSpec },
      },
      ...spec,
    },
  };
}

export function pod(name: string, spec: Json = {}, metadata: Json = {}): Json {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...metadata },
    spec: { restartPolicy: 'Never', schedulerName: NO_SCHEDULER, containers: [container()], ...spec },
  };
}

export function configMap(name: string, data: Json = { x: '1' }, metadata: Json = {}): Json {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data };
}

/** As the operator writes them; `namespace` is that of the object it is about. */
export function event(name: string, namespace: string, more: Json = {}): Json {
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name },
    eventTime: '2030-01-01T00:00:00.000000Z',
    reportingController: 'capdeployjob.dev/controller',
    reportingInstance: 'operator-0',
    action: 'Start',
    reason: 'Started',
    type: 'Normal',
    note: 'it started',
    regarding: {
      apiVersion: 'batch/v1',
      kind: 'Job',
      namespace,
      name: 'web',
      uid: '11111111-1111-4111-8111-111111111111',
    },
    ...more,
  };
}
