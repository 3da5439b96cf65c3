import type {
  AnyVersionOf,
  KubeClient,
  ListOptions,
  Preconditions,
  RequestOptions,
  ResourceType,
} from '../../src/kube/client.ts';

/** One request of a KubeClient. */
export interface Call {
  verb: 'get' | 'list' | 'watch' | 'create' | 'replaceStatus' | 'patch' | 'delete';
  type: ResourceType;
  plural: string;
  name?: string;
  /** The uid and resourceVersion that a write requires. */
  under?: Preconditions | AnyVersionOf;
  /** The object that is created, the object with its new status, or the patch. */
  body?: Record<string, unknown>;
  query?: ListOptions;
  dryRun?: boolean;
  signal?: AbortSignal | undefined;
}

type Send = <T>(call: Call, send: () => Promise<T>) => Promise<T>;
type Options = RequestOptions & { dryRun?: boolean };

/** The client, whose every request goes through `intercept`. Watches do not: give them in `watch` when they matter. */
export function interceptClient(
  client: KubeClient,
  intercept: Send,
  watch: KubeClient['watch'] = (type, options) => client.watch(type, options),
): KubeClient {
  const rest = (type: ResourceType, options: Options = {}) => ({ type, plural: type.plural, signal: options.signal });
  return {
    watch,
    get: (type, namespace, name, options) =>
      intercept({ verb: 'get', name, ...rest(type, options) }, () => client.get(type, namespace, name, options)),
    list: (type, query = {}) =>
      intercept({ verb: 'list', query, ...rest(type, query) }, () => client.list(type, query)),
    create: (type, body, options = {}) => {
      const { dryRun = false } = options;
      const call: Call = { verb: 'create', name: body.metadata.name, body, dryRun, ...rest(type, options) };
      return intercept(call, () => client.create(type, body, options));
    },
    replaceStatus: (type, body, options) => {
      const { name, uid = '', resourceVersion = '' } = body.metadata;
      const under = { uid, resourceVersion };
      return intercept({ verb: 'replaceStatus', name, under, body, ...rest(type, options) }, () =>
        client.replaceStatus(type, body, options),
      );
    },
    patch: (type, namespace, name, under, body, options = {}) => {
      const { dryRun = false } = options;
      return intercept({ verb: 'patch', name, under, body, dryRun, ...rest(type, options) }, () =>
        client.patch(type, namespace, name, under, body, options),
      );
    },
    delete: (type, namespace, name, under, options = {}) => {
      const { dryRun = false } = options;
      return intercept({ verb: 'delete', name, under, dryRun, ...rest(type, options) }, () =>
        client.delete(type, namespace, name, under, options),
      );
    },
  };
}
