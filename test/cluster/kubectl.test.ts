import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { KubeObject } from '../../src/kube/client.ts';
import { cdjPath, openCluster } from './cluster.ts';
import { definition, EXAMPLES, example, type Schema, schemaOf, schemas } from './manifests.ts';
import { created, type Resource, resource, uniqueName, withStatus } from './resources.ts';
import { threeWayMergePatch } from './three-way-merge.ts';

/** What people who use kubectl, or Argo CD, see of a CapDeployJob. */
const cluster = openCluster();
// Several kubectl one after the other, each a large program that takes seconds to start where the machine is busy.
vi.setConfig({ testTimeout: 180_000 });
const crd = definition();
let namespace: string;

beforeAll(async () => {
  namespace = await cluster.namespace();
});

const live = async (name: string): Promise<Resource> =>
  (await cluster.request<Resource>('GET', cdjPath(namespace, name))).body;

describe('kubectl explain', () => {
  const explain = async (...args: string[]) => {
    const { code, stdout, stderr } = await cluster.kubectl(['explain', ...args]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  };

  test('shows every field of the spec', async () => {
    const tree = (node: Schema, indent: string): string[] =>
      Object.keys(node.properties ?? {})
        .sort()
        .flatMap((name) => {
          const child = node.properties![name]!;
          return [`${indent}${name}`, ...tree(child.items ?? child, `${indent}  `)];
        });
    const shown = (await explain('cdj.spec', '--recursive'))
      .split('\n')
      .slice(1)
      .filter((line) => line.includes('\t<'))
      .map((line) => line.split('\t')[0]);
    expect(shown).toEqual(tree(schemaOf(crd).properties!.spec!, '  '));
    expect(shown.length).toBeGreaterThan(20);
  });

  const parents = [...schemas(schemaOf(crd))]
    .filter(([, { properties }]) => properties !== undefined)
    .map(([path, { properties }]): [string, string[]] => [path.replaceAll('[]', ''), Object.keys(properties ?? {})]);

  test.each(parents)('describes each field of "%s"', async (path, names) => {
    const text = await explain(path === '' ? 'cdj' : `cdj.${path}`);
    // Each field: its name and type, then its description in deeper lines.
    const described = new Map<string, string>();
    let name = '';
    for (const line of text.slice(text.indexOf('FIELDS:')).split('\n').slice(1)) {
      const field = /^ {2}([A-Za-z]\w*)\t</.exec(line);
      if (field) name = field[1] as string;
      else if (/^ {4}/.test(line)) described.set(name, `${described.get(name) ?? ''} ${line.trim()}`.trim());
    }
    expect([...described.keys()].sort()).toEqual(names.toSorted());
    for (const each of names) {
      expect(described.get(each), each).toMatch(/\w{3,}/);
      expect(described.get(each), each).not.toContain('<no description>');
    }
  });
});

describe('kubectl get', () => {
  const get = async (...args: string[]) => {
    const { code, stdout, stderr } = await cluster.kubectl(['get', '-n', namespace, ...args]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/).map((cell) => cell.trim()));
  };
  const age = expect.stringMatching(/^\d+[sm]/);

  test.each([
    ['', []],
    [' -o wide', ['-o', 'wide']],
  ])('cdj%s prints whether it is ready, what waits, what runs and what came last', async (_, args) => {
    const name = uniqueName();
    await withStatus(cluster, await created(cluster, resource(namespace, name)));
    expect(await get('cdj', name, ...args)).toEqual([
      ['NAME', 'READY', 'WAITING', 'ACTIVE', 'LAST', 'AGE'],
      [name, 'True', '2', '1', 'staging main Failed', age],
    ]);
  });

  test.each(['capdeployjob', 'capdeployjobs', 'capdeployjobs.v1alpha1.capdeployjob.dev'])(
    'knows it as %s',
    async (word) => {
      const name = uniqueName();
      await created(cluster, resource(namespace, name));
      expect((await get(word, name))[1]?.[0]).toBe(name);
    },
  );
});

describe.each(EXAMPLES)('%s', (file) => {
  /** The example, as a name of its own would have it. */
  const manifest = (): KubeObject => {
    const object = example(file, namespace);
    return { ...object, metadata: { ...object.metadata, name: uniqueName() } };
  };
  const run = async (args: string[], object: KubeObject) => {
    const { code, stdout, stderr } = await cluster.kubectl([...args, '-f', '-'], JSON.stringify(object));
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
    return stdout.trim();
  };
  const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

  test('is applied by the client without a warning, and then again: unchanged', async () => {
    const object = manifest();
    const said = `capdeployjob.capdeployjob.dev/${object.metadata.name}`;
    expect(await run(['apply'], object)).toBe(`${said} created`);
    expect(await run(['apply'], object)).toBe(`${said} unchanged`);
    expect(await run(['diff'], object)).toBe('');
    const annotation = (await live(object.metadata.name)).metadata.annotations?.[LAST_APPLIED];
    expect(JSON.parse(annotation ?? '{}')).toMatchObject({ spec: object.spec });
  });

  test('is applied by the server without a warning, and then again: unchanged', async () => {
    const object = manifest();
    const said = `capdeployjob.capdeployjob.dev/${object.metadata.name} serverside-applied`;
    expect(await run(['apply', '--server-side'], object)).toBe(said);
    const { resourceVersion } = (await live(object.metadata.name)).metadata;
    expect(await run(['apply', '--server-side'], object)).toBe(said);
    expect((await live(object.metadata.name)).metadata.resourceVersion).toBe(resourceVersion);
    expect(await run(['diff', '--server-side'], object)).toBe('');
  });

  test('stays as it was applied once the operator has written the status: no difference for kubectl and Argo CD', async () => {
    const object = manifest();
    await run(['apply'], object);
    const before = await live(object.metadata.name);
    const after = await withStatus(cluster, before);
    expect(after.metadata.generation).toBe(before.metadata.generation);
    expect(await run(['diff'], object)).toBe('');
    expect(await run(['apply'], object)).toMatch(/ unchanged$/);
    const { spec: lastApplied } = JSON.parse(after.metadata.annotations?.[LAST_APPLIED] ?? '{}');
    expect(threeWayMergePatch(lastApplied, object.spec, after.spec)).toEqual({});
    // What it says of a manifest that did change, or nothing would be proven.
    const changed = { ...(object.spec as object), environments: [{ name: 'production', suspend: true }] };
    expect(threeWayMergePatch(lastApplied, changed, after.spec)).toEqual({
      environments: [{ name: 'production', suspend: true }],
    });
  });
});
