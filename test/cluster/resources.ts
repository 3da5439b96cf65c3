import { expect } from 'vitest';
import type { KubeObject } from '../../src/kube/client.ts';
import { type Cluster, cdjPath } from './cluster.ts';

/** CapDeployJobs of the tests on a real API server. */
export interface Resource extends KubeObject {
  spec: { environments: Record<string, unknown>[]; maxWaiting: number; suspend: boolean; [field: string]: unknown };
  status?: Record<string, unknown>;
}

/** Several files of tests may run at a time, in one namespace each; tests of a file share theirs. */
export const uniqueName = (): string => `web-${crypto.randomUUID().slice(0, 8)}`;

/** The least that is accepted; `spec` is laid over it. */
export const resource = (namespace: string, name: string, spec: Record<string, unknown> = {}): Resource => ({
  apiVersion: 'capdeployjob.dev/v1alpha1',
  kind: 'CapDeployJob',
  metadata: { name, namespace },
  spec: {
    queue: { url: 'https://sqs.ap-northeast-1.amazonaws.com/123456789012/web-deploy' },
    environments: [{ name: 'production' }],
    template: { spec: { containers: [{ name: 'cap', image: 'registry.example.com/web-deploy:1' }] } },
    ...spec,
  } as unknown as Resource['spec'],
});

export const STRICT = { query: { fieldValidation: 'Strict' } } as const;

const moment = '2026-11-02T09:00:00Z';

/** As an operator writes it: a status with something in each field that people see. */
export const STATUS = {
  observedGeneration: 1,
  conditions: [
    { type: 'Ready', status: 'True', reason: 'AsExpected', message: '', lastTransitionTime: moment },
    {
      type: 'LastDeploySucceeded',
      status: 'False',
      reason: 'DeployFailed',
      message: 'staging: main',
      lastTransitionTime: moment,
    },
  ],
  waiting: 2,
  active: 1,
  last: 'staging main Failed',
  environments: [{ name: 'production' }, { name: 'staging', lastResult: 'Failed' }],
};

/** Creates it, and expects no warning. */
export async function created(cluster: Cluster, object: KubeObject): Promise<Resource> {
  const path = cdjPath(object.metadata.namespace ?? '');
  const { status, warnings, body } = await cluster.request<Resource>('POST', path, { body: object, ...STRICT });
  expect({ status, warnings }, JSON.stringify(body)).toEqual({ status: 201, warnings: [] });
  return body;
}

/** Writes STATUS to it, as the operator does. */
export async function withStatus(cluster: Cluster, object: Resource): Promise<Resource> {
  const { namespace = '', name } = object.metadata;
  const { status, warnings, body } = await cluster.request<Resource>('PUT', cdjPath(namespace, name, 'status'), {
    body: { ...object, status: STATUS },
    ...STRICT,
  });
  expect({ status, warnings }, JSON.stringify(body)).toEqual({ status: 200, warnings: [] });
  return body;
}
