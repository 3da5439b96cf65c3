/**
 * The environment and command line of a container (`pkg/kubelet/kubelet_pods.go`,
 * `third_party/forked/golang/expansion`). Pure.
 */
import type { KubeObject } from '../objects.ts';
import type { JsonObject } from '../store/json.ts';
import { at, isObject, listAt, textAt } from '../store/json.ts';

/** Looks up a Secret or a ConfigMap of the Pod's namespace. */
export type FindData = (kind: 'secret' | 'configmap', name: string) => KubeObject | undefined;

/** Something that the container waits for is not there: CreateContainerConfigError. */
export class MissingConfig extends Error {}

/** `$(NAME)` of a known variable is replaced, `$$` is a dollar, everything else stays. */
export function expand(text: string, variables: Record<string, string>): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (whole, name: string | undefined) => {
    if (whole === '$$') return '$';
    return name !== undefined && Object.hasOwn(variables, name) ? (variables[name] ?? '') : whole;
  });
}

/** The values of a Secret (decoded) or ConfigMap. */
export function valuesOf(object: KubeObject): Record<string, Buffer> {
  const secret = object.kind === 'Secret';
  const plain = Object.entries(isObject(object.data) ? object.data : {});
  const binary = Object.entries(isObject(object.binaryData) ? object.binaryData : {});
  return Object.fromEntries([
    ...plain.map(([key, value]) => [key, Buffer.from(String(value), secret ? 'base64' : 'utf8')]),
    ...binary.map(([key, value]) => [key, Buffer.from(String(value), 'base64')]),
  ]);
}

/** What the image sets, then `envFrom`, then `env`, each able to use what came before. */
export function environmentOf(
  pod: KubeObject,
  container: JsonObject,
  image: Record<string, string>,
  find: FindData,
): Record<string, string> {
  const variables: Record<string, string> = { ...image };
  for (const source of listAt(container, 'envFrom')) addAll(source, variables, find);
  for (const variable of listAt(container, 'env')) {
    const name = String(variable.name);
    const value = isObject(variable.valueFrom)
      ? valueFrom(variable.valueFrom, pod, find)
      : expand(String(variable.value ?? ''), variables);
    if (value !== undefined) variables[name] = value;
  }
  return variables;
}

/** `command` and `args` with variables put in; undefined where the image must say what to run. */
export function commandOf(
  container: JsonObject,
  variables: Record<string, string>,
): { command: string[] | undefined; args: string[] } {
  const words = (name: string): string[] =>
    (Array.isArray(container[name]) ? container[name] : []).map((word: unknown) => expand(String(word), variables));
  const command = words('command');
  return { command: command.length === 0 ? undefined : command, args: words('args') };
}

function addAll(source: JsonObject, variables: Record<string, string>, find: FindData): void {
  const prefix = textAt(source, 'prefix') ?? '';
  for (const kind of ['configMapRef', 'secretRef'] as const) {
    const reference = source[kind];
    if (!isObject(reference)) continue;
    const object = found(kind === 'secretRef' ? 'secret' : 'configmap', reference, find);
    for (const [key, value] of Object.entries(object === undefined ? {} : valuesOf(object))) {
      variables[prefix + key] = value.toString();
    }
  }
}

function found(kind: 'secret' | 'configmap', reference: JsonObject, find: FindData) {
  const name = textAt(reference, 'name') ?? '';
  const object = find(kind, name);
  if (object === undefined && reference.optional !== true) {
    throw new MissingConfig(`${kind} "${name}" not found`);
  }
  return object;
}

function valueFrom(source: JsonObject, pod: KubeObject, find: FindData): string | undefined {
  for (const [field, kind] of [
    ['secretKeyRef', 'secret'],
    ['configMapKeyRef', 'configmap'],
  ] as const) {
    const reference = source[field];
    if (!isObject(reference)) continue;
    const object = found(kind, reference, find);
    const key = textAt(reference, 'key') ?? '';
    const value = object === undefined ? undefined : valuesOf(object)[key];
    if (value !== undefined || reference.optional === true) return value?.toString();
    const shown = kind === 'secret' ? 'Secret' : 'ConfigMap';
    throw new MissingConfig(`couldn't find key ${key} in ${shown} ${pod.metadata.namespace}/${reference.name}`);
  }
  if (isObject(source.fieldRef)) return podField(pod, textAt(source.fieldRef, 'fieldPath') ?? '');
  throw new MissingConfig(
    `the in-memory Kubernetes does not know the source ${Object.keys(source).join(', ')} of a variable`,
  );
}

/** The value of a `fieldRef`. */
export function podField(pod: KubeObject, path: string): string {
  const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (subscript !== null) return textAt(pod, 'metadata', subscript[1] ?? '', subscript[2] ?? '') ?? '';
  if (path === 'metadata.labels' || path === 'metadata.annotations') {
    const pairs = Object.entries((at(pod, ...path.split('.')) ?? {}) as Record<string, string>).sort();
    return pairs.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join('\n');
  }
  const addresses = ['status.hostIP', 'status.podIP', 'status.hostIPs', 'status.podIPs'];
  if (addresses.includes(path)) return '127.0.0.1';
  return String(at(pod, ...path.split('.')) ?? '');
}
