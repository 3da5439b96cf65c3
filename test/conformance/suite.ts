/**
 * What every file of the conformance tests begins with: the world's API, and a namespace of its own that goes when the
 * file is done.
 */

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect } from 'vitest';
import { eventually } from '../kit/eventually.ts';
import { holdPlayedNode } from '../kit/played-node.ts';
import { testNamespace } from '../kit/test-namespace.ts';
import { type Answer, type Api, type Json, openApi, type WatchStream, WORLD } from './api.ts';

export interface Suite {
  readonly api: Api;
  /** The minor of the API's version: 36 of 1.36. */
  readonly minor: number;
  readonly ns: string;
  /** Collections in the namespace. */
  readonly cdj: string;
  readonly jobs: string;
  readonly pods: string;
  readonly maps: string;
  readonly secrets: string;
  readonly leases: string;
  readonly events: string;
  readonly newEvents: string;
}

/** A uid that nothing has. */
export const OTHER_UID = '99999999-9999-4999-8999-999999999999';

export function pathsIn(ns: string) {
  return {
    cdj: `/apis/capdeployjob.dev/v1alpha1/namespaces/${ns}/capdeployjobs`,
    jobs: `/apis/batch/v1/namespaces/${ns}/jobs`,
    pods: `/api/v1/namespaces/${ns}/pods`,
    maps: `/api/v1/namespaces/${ns}/configmaps`,
    secrets: `/api/v1/namespaces/${ns}/secrets`,
    leases: `/apis/coordination.k8s.io/v1/namespaces/${ns}/leases`,
    events: `/api/v1/namespaces/${ns}/events`,
    newEvents: `/apis/events.k8s.io/v1/namespaces/${ns}/events`,
  };
}

/** Call it once at the top of a file; what it returns is ready within tests and hooks. */
export function suite(): Suite {
  const ns = `conformance-${randomBytes(4).toString('hex')}`;
  let api: Api | undefined;
  let minor: number | undefined;
  let release: (() => void) | undefined;
  const ready = (): Api => {
    if (api === undefined) throw new Error('the API is ready within tests only');
    return api;
  };
  beforeAll(async () => {
    api = await openApi();
    minor = Number.parseInt((await api.get('/version')).body.minor, 10);
    expect(minor).toBeGreaterThan(0);
    // Of a node that is not there, the real Pod collector deletes the Pods.
    if (WORLD === 'real') release = await holdPlayedNode();
    await makeNamespace(api, ns);
  }, 60_000);
  afterAll(async () => {
    if (api === undefined) return;
    await api.delete(`/api/v1/namespaces/${ns}`);
    await api.stop();
    release?.();
  });
  return {
    get api() {
      return ready();
    },
    get minor() {
      ready();
      return minor ?? 0;
    },
    ns,
    ...pathsIn(ns),
  };
}

/** A namespace is of use when it has its service account: Pods are refused before. */
export async function makeNamespace(api: Api, name: string): Promise<void> {
  expect((await api.post('/api/v1/namespaces', testNamespace(name))).status).toBe(201);
  await eventually(
    'the default service account',
    async () => (await api.get(`/api/v1/namespaces/${name}/serviceaccounts/default`)).status === 200,
  );
}

export async function events(stream: WatchStream, count: number): Promise<string[]> {
  await eventually(`${count} events, not ${JSON.stringify(shown(stream))}`, async () => stream.events.length >= count);
  return shown(stream);
}

/** `ADDED web` */
export function shown(stream: WatchStream): string[] {
  return stream.events.map(({ type, object }) => `${type} ${object?.metadata?.name ?? object?.reason ?? ''}`.trim());
}

/** `409 Conflict: words` of a refusal, `200` of anything else. The Status itself is checked on the way. */
export function said({ status, body }: Answer): string {
  if (body?.kind !== 'Status' || body.status === 'Success') return String(status);
  expect(body).toMatchObject({ apiVersion: 'v1', metadata: {}, status: 'Failure', code: status });
  return `${status} ${body.reason ?? '-'}: ${body.message}`;
}

/** The causes of a 422, as `field: message`. */
export function causes({ body }: Answer): string[] {
  return (body.details?.causes ?? []).map((cause: Json) => `${cause.field}: ${cause.message}`);
}

/** An object without what differs from run to run: its metadata keeps only what the test is about. */
export function stable(object: Json, ...metadata: string[]): Json {
  const kept = Object.fromEntries(metadata.map((name) => [name, object.metadata[name]]));
  const text = JSON.stringify({ ...object, metadata: kept }).replaceAll(object.metadata.uid, '<uid>');
  return JSON.parse(text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '<time>'));
}

export const nameProblem =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
export const keyProblem =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
export const valueProblem =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
/** Beside what is wrong in a kind of way that the rules in CEL might not bear. */
export const rulesNotChecked =
  '<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';
