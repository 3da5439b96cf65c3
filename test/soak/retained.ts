import { readdirSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Rooms whose objects live as long as the operator, or as a resource. */
const ROOMS = ['aws', 'controller', 'intake', 'kube', 'observability', 'sqs'];
const GROUP = 'soak';

declare global {
  var soakClasses: Record<string, unknown> | undefined;
}

/**
 * What this process keeps: every living object of every class of the operator, and how many entries its Maps, Sets and lists hold, private
 * ones too. Nothing has to be told about a new class, and none can be forgotten: the debugger's protocol sees them all.
 */
export class Retained {
  readonly #session = new Session();
  readonly #collect: () => void;

  constructor() {
    setFlagsFromString('--expose-gc');
    this.#collect = runInNewContext('gc') as () => void;
    this.#session.connect();
  }

  async load(): Promise<void> {
    globalThis.soakClasses = { AbortSignal, AbortController };
    const src = fileURLToPath(new URL('../../src', import.meta.url));
    for (const file of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts') || !ROOMS.includes(file.split('/')[0] ?? '')) continue;
      const exported = (await import(pathToFileURL(`${src}/${file}`).href)) as Record<string, unknown>;
      for (const [name, value] of Object.entries(exported)) {
        if (typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value))) {
          globalThis.soakClasses[name] = value;
        }
      }
    }
  }

  /** Bytes of the heap that are in use after everything unreachable is collected. */
  heap(): number {
    this.#collect();
    this.#collect();
    return process.memoryUsage().heapUsed;
  }

  /** By `Class` how many objects there are, by `Class.member` how many entries those of all its objects hold. */
  async count(): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const name of Object.keys(globalThis.soakClasses ?? {})) await this.#countOf(name, counts);
    await this.#session.post('Runtime.releaseObjectGroup', { objectGroup: GROUP });
    return counts;
  }

  close(): void {
    this.#session.disconnect();
    globalThis.soakClasses = undefined;
  }

  async #countOf(name: string, counts: Map<string, number>): Promise<void> {
    const prototype = await this.#session.post('Runtime.evaluate', {
      expression: `globalThis.soakClasses[${JSON.stringify(name)}].prototype`,
      objectGroup: GROUP,
    });
    const found = await this.#session.post('Runtime.queryObjects', {
      prototypeObjectId: prototype.result.objectId ?? '',
      objectGroup: GROUP,
    });
    const objects = await this.#membersOf(found.objects.objectId ?? '');
    const instances = objects.filter((each) => /^\d+$/.test(each.name) && each.objectId !== undefined);
    counts.set(name, instances.length);
    for (const { objectId } of instances) {
      for (const { name: member, size } of await this.#membersOf(objectId ?? '')) {
        if (size === undefined) continue;
        const key = `${name}.${member}`;
        counts.set(key, (counts.get(key) ?? 0) + size);
      }
    }
  }

  async #membersOf(objectId: string) {
    const { result, privateProperties = [] } = await this.#session.post('Runtime.getProperties', {
      objectId,
      ownProperties: true,
    });
    return [...result, ...privateProperties].map(({ name, value }) => ({
      name,
      objectId: value?.objectId,
      size: sizeOf(value?.description),
    }));
  }
}

/** The debugger describes them so: `Map(3)`, `Set(0)`, `Array(12)`. */
function sizeOf(description: string | undefined): number | undefined {
  const [, digits] = /^(?:Map|Set|Array)\((\d+)\)$/.exec(description ?? '') ?? [];
  return digits === undefined ? undefined : Number(digits);
}
