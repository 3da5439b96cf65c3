/** The answers that take their time: watches, and logs that are followed. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TimerHandle } from '../clock.ts';
import type { LogSource } from '../kubelet/log-source.ts';
import type { KubeObject } from '../objects.ts';
import { ApiError, badRequest, pathNotFound } from '../store/api-error.ts';
import { jsonText, listAt } from '../store/json.ts';
import type { Store } from '../store/store.ts';
import type { StoredWatchEvent } from '../store/watching.ts';
import { checkWatch } from '../store/watching.ts';
import type { ServedType } from '../types/served-types.ts';
import { apiVersionOf } from '../types/served-types.ts';
import { renderTable } from '../types/tables.ts';
import { listOptions } from './http-options.ts';
import type { ApiRequest, ResourceRequest } from './http-request.ts';
import { isTrue } from './http-request.ts';
import { metadataOnly, representationFor, tableInclude } from './representations.ts';

/** The API server ends a watch that names no time after 30 to 60 minutes. */
const LONGEST_WATCH_SECONDS = 3600;

export interface StreamOptions {
  bookmarkIntervalMs: number;
}

/** `GET …?watch=true`: one JSON object a line. */
export function serveWatch(
  store: Store,
  request: ApiRequest,
  resource: ResourceRequest,
  response: ServerResponse,
  options: StreamOptions,
): void {
  const type = store.types.find(resource.group, resource.version, resource.plural);
  if (type === undefined) throw pathNotFound();
  const representation = representationFor(request, 'object');
  const table = representation === 'Table';
  const include = table ? tableInclude(request) : 'None';
  const bookmarks = isTrue(request.query.get('allowWatchBookmarks'));
  const initial = isTrue(request.query.get('sendInitialEvents'));
  const timers = new Set<TimerHandle>();
  let headers = true;
  const write = (event: string, text: string): void => {
    response.write(`{"type":"${event}","object":${text}}\n`);
  };
  const tell = ({ type: event, object }: StoredWatchEvent): void => {
    if (table) {
      const metadata = { resourceVersion: object.metadata.resourceVersion };
      const now = store.clock.now();
      write(event, JSON.stringify(renderTable(type, [object], metadata, { now, include, headers })));
      headers = false;
    } else write(event, representation === 'object' ? jsonText(object) : JSON.stringify(metadataOnly(object)));
  };
  const bookmark = (annotations?: Record<string, string>): void => {
    const metadata = {
      resourceVersion: String(store.version),
      ...(annotations === undefined ? {} : { annotations }),
    };
    const object = { kind: type.kind, apiVersion: apiVersionOf(type), metadata };
    const partial = metadataOnly(object as unknown as KubeObject);
    const shown = representation === 'object' ? object : table ? tableBookmark(type, metadata, store) : partial;
    write('BOOKMARK', JSON.stringify(shown));
  };
  const finish = (): void => {
    for (const timer of timers) store.clock.clearTimeout(timer);
    stop();
    response.end();
  };
  let stop = (): void => {};
  response.on('close', finish);
  const { resourceVersion, labelSelector, fieldSelector } = listOptions(request);
  const query = {
    namespace: resource.namespace,
    labelSelector,
    fieldSelector,
    resourceVersion: initial ? '' : resourceVersion,
  };
  // What is wrong with the request itself is answered before the stream begins.
  checkWatch(type, query);
  response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache, private' });
  response.flushHeaders();
  try {
    stop = store.watch(type, query, { event: tell, ended: finish });
  } catch (error) {
    // The stream has begun: that its resourceVersion is too old is its only event.
    if (!(error instanceof ApiError)) throw error;
    write('ERROR', JSON.stringify(error.toStatus()));
    finish();
    return;
  }
  if (initial) bookmark({ 'k8s.io/initial-events-end': 'true' });
  const seconds = Number(request.query.get('timeoutSeconds') ?? 0) || LONGEST_WATCH_SECONDS;
  const arm = (milliseconds: number, callback: () => void): void => {
    const timer = store.clock.setTimeout(() => {
      timers.delete(timer);
      callback();
    }, milliseconds);
    timers.add(timer);
  };
  const repeat = (): void =>
    arm(options.bookmarkIntervalMs, () => {
      bookmark();
      repeat();
    });
  if (bookmarks) repeat();
  arm(seconds * 1000, () => {
    if (bookmarks) bookmark();
    finish();
  });
}

function tableBookmark(type: ServedType, metadata: Record<string, unknown>, store: Store): unknown {
  return renderTable(type, [], metadata, { now: store.clock.now(), include: 'None', headers: false });
}

/** `GET …/pods/<name>/log`. */
export function serveLog(
  store: Store,
  logs: LogSource | undefined,
  request: ApiRequest,
  resource: ResourceRequest,
  response: ServerResponse,
  incoming: IncomingMessage,
): void {
  const type = store.types.find(resource.group, resource.version, resource.plural);
  if (type === undefined || resource.name === undefined) throw pathNotFound();
  const pod = store.get(type, resource.namespace, resource.name);
  const { query } = request;
  const container = query.get('container') ?? undefined;
  const names = listAt(pod, 'spec', 'containers').map((each) => String(each.name));
  if (container !== undefined && !names.includes(container)) {
    throw badRequest(`container ${container} is not valid for pod ${resource.name}`);
  }
  if (container === undefined && names.length > 1) {
    throw badRequest(
      `a container name must be specified for pod ${resource.name}, choose one of: [${names.join(' ')}]`,
    );
  }
  if (logs === undefined) throw new ApiError(500, 'InternalError', 'no kubelet runs here: there are no logs');
  const number = (name: string): number | undefined => (query.has(name) ? Number(query.get(name)) : undefined);
  const since = query.get('sinceTime');
  const seconds = number('sinceSeconds');
  let begun = false;
  const begin = (): void => {
    if (begun) return;
    begun = true;
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    response.flushHeaders();
  };
  const stop = logs.readLog(
    pod,
    {
      container: container ?? names[0],
      follow: isTrue(query.get('follow')),
      tailLines: number('tailLines'),
      limitBytes: number('limitBytes'),
      sinceMs:
        seconds === undefined ? (since === null ? undefined : Date.parse(since)) : store.clock.now() - seconds * 1000,
      timestamps: isTrue(query.get('timestamps')),
      previous: isTrue(query.get('previous')),
    },
    {
      write(chunk) {
        begin();
        response.write(chunk);
      },
      end() {
        begin();
        response.end();
      },
    },
  );
  begin();
  incoming.on('close', stop);
  response.on('close', stop);
}
