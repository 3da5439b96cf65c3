/**
 * `<namespace>/<name>` of an object, as client-go's MetaNamespaceKeyFunc makes it. No name holds a slash, so no two
 * objects of one type have the same key.
 */
export type ObjectKey = string;

export const keyOf = ({ metadata }: { metadata: { namespace?: string; name: string } }): ObjectKey =>
  `${metadata.namespace ?? ''}/${metadata.name}`;

export function splitKey(key: ObjectKey): [namespace: string, name: string] {
  const slash = key.indexOf('/');
  return [key.slice(0, slash), key.slice(slash + 1)];
}
