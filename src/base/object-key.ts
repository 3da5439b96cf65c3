/** `<namespace>/<name>` of an object whose type is known, as by client-go's MetaNamespaceKeyFunc. */
export type ObjectKey = string;

export const keyOf = ({ metadata }: { metadata: { namespace?: string; name: string } }): ObjectKey =>
  `${metadata.namespace}/${metadata.name}`;

export function splitKey(key: ObjectKey): [namespace: string, name: string] {
  const slash = key.indexOf('/');
  return [key.slice(0, slash), key.slice(slash + 1)];
}
