/** How work queue, caches and intake name an object of one type: `<namespace>/<name>`, as client-go's MetaNamespaceKeyFunc does. */
export type ObjectKey = string;

export const keyOf = ({ metadata }: { metadata: { namespace?: string; name: string } }): ObjectKey =>
  `${metadata.namespace}/${metadata.name}`;

export function splitKey(key: ObjectKey): [namespace: string, name: string] {
  const slash = key.indexOf('/');
  return [key.slice(0, slash), key.slice(slash + 1)];
}
