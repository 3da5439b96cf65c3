/**
 * Discovery: which groups, versions and types there are, and enough OpenAPI v3 for `kubectl apply` and `kubectl
 * explain`.
 */
import { isObject } from '../store/json.ts';
import type { Schema } from '../types/schema.ts';
import type { ServedType, ServedTypes } from '../types/served-types.ts';
import { apiVersionOf } from '../types/served-types.ts';
import { metadataShape } from '../types/shapes.ts';

/** Namespaces go one by one. */
const verbsOf = (type: ServedType): string[] =>
  type.storage === '/namespaces' ? VERBS.filter((verb) => verb !== 'deletecollection') : VERBS;
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** What Kubernetes' own version endpoint would say; the in-memory Kubernetes follows this release. */
export const VERSION = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.0+capdeployjob-local',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: 'node',
  platform: `${process.platform}/${process.arch}`,
};

/** The answer for a path of discovery; undefined where there is none. */
export function discover(path: string, types: ServedTypes): unknown {
  const parts = path.split('/').filter((part) => part !== '');
  const [root, ...rest] = parts;
  if (root === 'version' && rest.length === 0) return VERSION;
  if (root === 'api') return discoverCore(rest, types);
  if (root === 'apis') return discoverGroups(rest, types);
  if (root === 'openapi' && rest[0] === 'v3') return openApi(rest.slice(1).join('/'), types);
  return undefined;
}

function discoverCore(rest: string[], types: ServedTypes): unknown {
  if (rest.length === 0) return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
  return rest.length === 1 && rest[0] === 'v1' ? resourceList('v1', types) : undefined;
}

function discoverGroups(rest: string[], types: ServedTypes): unknown {
  const [group, version] = rest;
  if (group === undefined) {
    const names = [...new Set(types.all().map((type) => type.group))].filter((name) => name !== '');
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: names.map((name) => groupOf(name, types)) };
  }
  const known = types.all().some((type) => type.group === group && (version ?? type.version) === type.version);
  if (!known || rest.length > 2) return undefined;
  if (version !== undefined) return resourceList(`${group}/${version}`, types);
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(group, types) };
}

function groupOf(name: string, types: ServedTypes) {
  const versions = [...new Set(types.all().flatMap((type) => (type.group === name ? [type.version] : [])))].map(
    (version) => ({ groupVersion: `${name}/${version}`, version }),
  );
  return { name, versions, preferredVersion: versions[0] };
}

function resourceList(groupVersion: string, types: ServedTypes) {
  const resources = types
    .all()
    .filter((type) => apiVersionOf(type) === groupVersion)
    .flatMap((type) => {
      const { kind, namespaced } = type;
      const sub = (name: string, verbs: string[]) => ({
        name: `${type.plural}/${name}`,
        singularName: '',
        namespaced,
        kind,
        verbs,
      });
      return [
        {
          name: type.plural,
          singularName: type.singular,
          namespaced,
          kind,
          verbs: verbsOf(type),
          ...(type.shortNames.length === 0 ? {} : { shortNames: type.shortNames }),
          ...(type.categories.length === 0 ? {} : { categories: type.categories }),
        },
        ...(type.hasStatus ? [sub('status', ['get', 'patch', 'update'])] : []),
        ...(type.storage === '/pods' ? [sub('log', ['get'])] : []),
      ];
    });
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
}

function openApi(path: string, types: ServedTypes): unknown {
  const groups = new Map<string, ServedType[]>();
  for (const type of types.all()) {
    const key = type.group === '' ? `api/${type.version}` : `apis/${type.group}/${type.version}`;
    groups.set(key, [...(groups.get(key) ?? []), type]);
  }
  if (path === '') {
    const paths = [...groups.keys()].map((key) => [key, { serverRelativeURL: `/openapi/v3/${key}` }]);
    return { paths: Object.fromEntries(paths) };
  }
  const found = groups.get(path);
  if (found === undefined) return undefined;
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: VERSION.gitVersion },
    paths: Object.fromEntries(found.map((type) => [`/${path}${collectionPath(type)}/{name}`, operations(type)])),
    components: { schemas: Object.fromEntries(found.map((type) => [componentName(type), component(type)])) },
  };
}

function collectionPath(type: ServedType): string {
  return type.namespaced ? `/namespaces/{namespace}/${type.plural}` : `/${type.plural}`;
}

/** kubectl looks for the parameter fieldValidation, to learn that the server validates. */
function operations(type: ServedType): unknown {
  const kind = { group: type.group, version: type.version, kind: type.kind };
  const parameters = ['dryRun', 'fieldValidation'].map((name) => ({
    name,
    in: 'query',
    schema: { type: 'string', uniqueItems: true },
  }));
  const schema = { $ref: `#/components/schemas/${componentName(type)}` };
  const responses = { '200': { description: 'OK', content: { 'application/json': { schema } } } };
  const operation = (action: string) => ({
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': kind,
    parameters,
    responses,
  });
  return { get: operation('get'), put: operation('put'), patch: operation('patch'), delete: operation('delete') };
}

function componentName(type: ServedType): string {
  return [...type.group.split('.').reverse(), type.version, type.kind].filter((part) => part !== '').join('.');
}

function component(type: ServedType): unknown {
  const properties = isObject(type.shape.properties) ? type.shape.properties : {};
  return {
    ...(type.shape as Schema),
    properties: {
      ...properties,
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: metadataShape,
    },
    'x-kubernetes-group-version-kind': [{ group: type.group, version: type.version, kind: type.kind }],
  };
}
