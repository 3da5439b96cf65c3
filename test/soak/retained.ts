import { readdirSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Rooms whose objects live as long as the operator, or as a resource. */
const ROOMS = ['aws', 'base', 'kube', 'observability', 'operator', 'sqs'];
const GROUP = 'soak';

/**
 * Stands above every class of the operator in the prototype chain, so that one question finds the objects of all of
 * them.
 */
class Ours {}

declare global {
  var soakOurs: object | undefined;
}

/**
 * What this process keeps: every living object of every class of the operator, and how many entries its Maps, Sets and
 * lists hold, private ones too. Nothing has to be told about a new class, and none can be forgotten: the debugger's
 * protocol sees them all.
 */
export class Retained {
  readonly #session = new Session();
  readonly #collect: () => void;

  constructor() {
    setFlagsFromString('--expose-gc');
    this.#collect = runInNewContext('gc') as () => void;
    this.#session.connect();
    globalThis.soakOurs = Ours.prototype;
  }

  /** Finds the classes. @returns how many there are. */
  async load(): Promise<number> {
    const src = fileURLToPath(new URL('../../src', import.meta.url));
    let classes = 0;
    for (const file of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts') || !ROOMS.includes(file.split('/')[0] ?? '')) continue;
      const exported = (await import(pathToFileURL(`${src}/${file}`).href)) as Record<string, unknown>;
      for (const value of Object.values(exported)) {
        if (typeof value !== 'function' || !/^class\b/.test(Function.prototype.toString.call(value))) continue;
        classes += 1;
        // Not those that extend another class: errors, which nobody keeps.
        if (Object.getPrototypeOf(value.prototype) !== Object.prototype) continue;
        Object.setPrototypeOf(value.prototype, Ours.prototype);
      }
    }
    return classes;
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
    const add = (name: string, more: number) => counts.set(name, (counts.get(name) ?? 0) + more);
    for (const { name, objectId } of await this.#objectsUnder('globalThis.soakOurs')) {
      const members = await this.#membersOf(objectId);
      // A prototype is under it, too.
      if (members.some((member) => member.name === 'constructor')) continue;
      add(name, 1);
      for (const { name: member, size } of members) if (size !== undefined) add(`${name}.${member}`, size);
    }
    add('AbortSignal', (await this.#objectsUnder('AbortSignal.prototype')).length);
    await this.#session.post('Runtime.releaseObjectGroup', { objectGroup: GROUP });
    return counts;
  }

  close(): void {
    this.#session.disconnect();
    globalThis.soakOurs = undefined;
  }

  async #objectsUnder(prototype: string): Promise<{ name: string; objectId: string }[]> {
    const { result } = await this.#session.post('Runtime.evaluate', { expression: prototype, objectGroup: GROUP });
    const query = { prototypeObjectId: result.objectId ?? '', objectGroup: GROUP };
    // Its answer has no type in @types/node.
    const { objects } = (await this.#session.post('Runtime.queryObjects', query)) as unknown as {
      objects: { objectId: string };
    };
    const found = await this.#propertiesOf(objects.objectId);
    return found.result.flatMap(({ name, value }) =>
      /^\d+$/.test(name) && value?.objectId !== undefined
        ? [{ name: value.className ?? '', objectId: value.objectId }]
        : [],
    );
  }

  async #membersOf(objectId: string) {
    const { result, privateProperties = [] } = await this.#propertiesOf(objectId);
    return [...result, ...privateProperties].map(({ name, value }) => ({ name, size: sizeOf(value?.description) }));
  }

  async #propertiesOf(objectId: string) {
    const answer = await this.#session.post('Runtime.getProperties', { objectId, ownProperties: true });
    // Private members have no type in @types/node, either.
    return answer as typeof answer & { privateProperties?: typeof answer.result };
  }
}

/** The debugger describes them so: `Map(3)`, `Set(0)`, `Array(12)`. */
function sizeOf(description: string | undefined): number | undefined {
  const [, digits] = /^(?:Map|Set|Array)\((\d+)\)$/.exec(description ?? '') ?? [];
  return digits === undefined ? undefined : Number(digits);
}
