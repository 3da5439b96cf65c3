import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { appOf, ourManifest } from '../../../dev/local-slack/app-manifest.ts';
import { chat } from '../../../dev/local-slack/web-api/chat.ts';
import { conversations } from '../../../dev/local-slack/web-api/conversations.ts';
import { reactions } from '../../../dev/local-slack/web-api/reactions.ts';
import { users } from '../../../dev/local-slack/web-api/users.ts';
import { views } from '../../../dev/local-slack/web-api/views.ts';
import { IS_OVER } from '../../../src/actions/abort.ts';
import { parseSlackBotFlags } from '../../../src/cli/slack-bot-flags.ts';
import { parseBindAddress } from '../../../src/observability/bind-address.ts';
import { parseBotConfig } from '../../../src/slack-bot/config.ts';
import { DRAIN_MS } from '../../../src/slack-bot/drain.ts';
import { POWERS, TO_A_PERSON, trialsOf } from '../../../src/slack-bot/try-power.ts';
import { documents, type Json, kustomization, path, text } from './yaml.ts';

/**
 * deploy/chat and examples/chat, read as YAML. That kustomize builds them and a cluster takes them:
 * test/cluster/chat-manifests.test.ts.
 */
const FOLDER = 'deploy/chat';
const objects = kustomization(`${FOLDER}/kustomization.yaml`).resources.flatMap((file) =>
  documents(text(`${FOLDER}/${file}`)),
);
const the = <T>(kind: string): T => {
  const found = objects.filter((object) => object.kind === kind);
  expect(found, `exactly one ${kind}`).toHaveLength(1);
  return found[0] as T;
};
const packageJson = JSON.parse(text('package.json')) as { name: string; version: string };
const yamlIn = (folder: string) => readdirSync(path(folder)).filter((name) => name.endsWith('.yaml'));

test('every file is listed; what is no Kubernetes object is not', () => {
  const others = ['kustomization.yaml', 'slack-app.yaml'];
  const listed = kustomization(`${FOLDER}/kustomization.yaml`).resources;
  expect(listed.toSorted()).toEqual(yamlIn(FOLDER).filter((name) => !others.includes(name)));
  for (const part of ['operate', 'approve']) {
    const component = documents(text(`${FOLDER}/${part}/kustomization.yaml`))[0];
    expect(component).toMatchObject({ kind: 'Component', resources: ['role.yaml'] });
    expect(yamlIn(`${FOLDER}/${part}`)).toEqual(['kustomization.yaml', 'role.yaml']);
  }
});

interface Deployment {
  metadata: Json;
  spec: {
    replicas: number;
    selector: { matchLabels: Json };
    template: {
      metadata: { labels: Json };
      spec: {
        serviceAccountName: string;
        terminationGracePeriodSeconds: number;
        securityContext: Json;
        containers: {
          image: string;
          args: string[];
          ports: { name: string; containerPort: number }[];
          livenessProbe: { httpGet: Json };
          readinessProbe: { httpGet: Json };
          volumeMounts: { name: string; mountPath: string; readOnly: boolean; subPath?: string }[];
          resources: { limits: { memory: string } };
          securityContext: Json;
          env?: Json[];
        }[];
        volumes: { name: string; configMap?: { name: string }; secret?: { secretName: string } }[];
      };
    };
  };
}

describe('the Deployment', () => {
  const { metadata, spec } = the<Deployment>('Deployment');
  const pod = spec.template.spec;
  const container = pod.containers[0]!;
  const flags = parseSlackBotFlags(container.args.slice(1), {});

  test('starts the program with flags that it takes, the tokens by file', () => {
    expect(container.args[0]).toBe('slack-bot');
    expect(JSON.stringify(pod)).not.toMatch(/xox|xapp|secretKeyRef|secretRef/);
    expect(container.env).toMatchObject([{ name: 'NODE_OPTIONS' }]);
  });

  test('gives it the time to answer what was asked for, if whatever that needs hangs', () => {
    // Beside it: 2 s for acknowledgements, 2 s for what is left open.
    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(DRAIN_MS + 4_000);
  });

  test('mounts whole folders for the files that the flags name: without that a change is not seen', () => {
    const folders = container.volumeMounts.map(({ mountPath }) => mountPath);
    for (const file of [flags.config, flags['app-token-file'], flags['bot-token-file']]) {
      expect(folders).toContain(file.slice(0, file.lastIndexOf('/')));
    }
    for (const { readOnly, subPath, name } of container.volumeMounts) {
      expect({ readOnly, subPath }).toEqual({ readOnly: true, subPath: undefined });
      expect(pod.volumes.map((volume) => volume.name)).toContain(name);
    }
  });

  test('probes and metrics point at the ports that the flags have by default', () => {
    const port = (name: string) => container.ports.find((one) => one.name === name)?.containerPort;
    expect(port('health')).toBe(parseBindAddress('', flags['health-probe-bind-address'])?.port);
    expect(port('metrics')).toBe(parseBindAddress('', flags['metrics-bind-address'])?.port);
    expect(container.livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'health' });
    expect(container.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'health' });
  });

  test('is one replica with the account and the namespace of the folder', () => {
    const account = the<{ metadata: Json }>('ServiceAccount').metadata;
    expect(spec.replicas).toBe(1);
    expect(pod.serviceAccountName).toBe(account.name);
    expect([metadata.namespace, account.namespace]).toEqual(
      Array(2).fill(the<{ metadata: Json }>('Namespace').metadata.name),
    );
    expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
  });

  test('fits into a namespace that enforces the restricted Pod Security standard, as the user of the image', () => {
    const { labels } = the<{ metadata: { labels: Json } }>('Namespace').metadata;
    expect(labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    const { runAsUser, runAsGroup } = pod.securityContext;
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(text('docker/operator/Dockerfile')).toContain(`USER ${runAsUser}:${runAsGroup}`);
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  test('collects its garbage long before the kernel kills it: its heap and what is beside it have room', () => {
    const limit = Number(/^(\d+)Mi$/.exec(container.resources.limits.memory)?.[1]);
    const heap = Number(/--max-old-space-size=(\d+)/.exec(String(container.env?.[0]?.value))?.[1]);
    // Code, stacks, sockets and buffers: 120 MiB were measured (bench/README.md).
    expect(heap + 1.5 * 120).toBeLessThan(limit);
  });

  test('has the image of the package, with its version', () => {
    expect(container.image).toBe(packageJson.name);
    expect(kustomization(`${FOLDER}/kustomization.yaml`).images).toEqual([
      { name: packageJson.name, newTag: packageJson.version },
    ]);
  });
});

describe('the rights', () => {
  const rightsIn = (file: string) =>
    documents(text(`${FOLDER}/${file}`)).flatMap((role) =>
      (role.rules as { resources: string[]; verbs: string[] }[]).flatMap(({ resources, verbs }) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)),
      ),
    );

  test.each([
    ['role.yaml', ['get capdeployjobs', 'list capdeployjobs', 'watch capdeployjobs']],
    // Never update: that is how the policies tell those who may only write a name from those who may edit.
    ['operate/role.yaml', ['patch capdeployjobs', 'patch jobs', 'delete jobs']],
    ['approve/role.yaml', ['approve capdeployjobs', 'patch jobs']],
  ])('%s: %j', (file, rights) => {
    expect(rightsIn(file)).toEqual(rights);
  });
});

describe('the components tell the policies of the bot', () => {
  interface Component {
    patches: { patch: string }[];
    replacements: {
      source: Json;
      targets: { select: { name: string }; fieldPaths: string[]; options: { delimiter: string; index: number } }[];
    }[];
  }
  type Named = { name: string; expression: string }[];
  const files = yamlIn('deploy/admission').filter((file) => file !== 'kustomization.yaml');
  const policies = files
    .flatMap((file) => documents(text(`deploy/admission/${file}`)))
    .filter(({ kind }) => kind === 'ValidatingAdmissionPolicy') as unknown as {
    metadata: { name: string };
    spec: { variables?: Named; matchConditions?: Named };
  }[];
  /** Where each policy names nobody, to be replaced by the bot. */
  const places = policies.flatMap(({ metadata, spec: { variables = [], matchConditions = [] } }) =>
    Object.entries({ variables, matchConditions }).flatMap(([field, list]) =>
      list
        .filter(({ expression }) => expression.endsWith("'system:serviceaccount:' + '' + ':' + ''"))
        .map(({ name }) => `${metadata.name} spec.${field}.[name=${name}].expression`),
    ),
  );
  const component = (part: string) =>
    documents(text(`${FOLDER}/${part}/kustomization.yaml`))[0] as unknown as Component;

  test.each([
    // A bot that may patch and delete Jobs, and patch CapDeployJobs, is known to each of them.
    ['operate', () => true],
    ['approve', (place: string) => /^capdeployjob-(jobs|chat-bot) /.test(place)],
  ])('%s', (part, isMeant) => {
    const meant = places.filter(isMeant);
    expect(meant.length).toBeGreaterThan(1);
    const { patches, replacements } = component(part);
    expect(replacements.map(({ source }) => source.fieldPath)).toEqual(['metadata.namespace', 'metadata.name']);
    for (const [place, { targets }] of replacements.entries()) {
      const told = targets.map(({ select, fieldPaths }) => `${select.name} ${fieldPaths.join()}`);
      expect(told.toSorted()).toEqual(meant.toSorted());
      for (const { options } of targets) expect(options).toEqual({ delimiter: "'", index: [3, 7][place] });
    }
    // Without one of them a build fails.
    const needed = patches.map(({ patch }) => (documents(patch)[0]!.metadata as { name: string }).name);
    expect(needed.toSorted()).toEqual([...new Set(meant.map((place) => place.split(' ')[0]))].sort());
  });
});

describe('the bot reads the words of the policies', () => {
  const policies = ['jobs', 'freeze'].map((file) => text(`deploy/admission/${file}.yaml`)).join('\n');
  // As it is read: lines of a folded text are one.
  const words = policies.replaceAll(/'\n? *\+ '/g, '').replaceAll(/\s+/g, ' ');

  test.each(POWERS.flatMap((power) => trialsOf(power, 'slack:T0TEAM/U0ALICE')).map(({ refusal }) => refusal))(
    'waits for words that a policy says: %s',
    (refusal) => {
      expect(words).toContain(refusal);
    },
  );

  test('for a person, and for a deploy that is over', () => {
    expect(words).toContain(TO_A_PERSON);
    expect(words).toContain(IS_OVER);
  });
});

describe('slack-app.yaml', () => {
  const manifest = ourManifest();
  const { bot } = manifest.oauth_config.scopes;

  test('has the scopes that the program needs, and those of the notifier: no more', () => {
    // What the bot calls, by its source, and the notifier.
    const called = [...text('src/slack/web-api.ts').matchAll(/'((?:[a-z]+\.)+[a-zA-Z]+)'/g)].map(
      ([, name]) => name ?? '',
    );
    const methods = { ...chat, ...conversations, ...users, ...views, ...reactions };
    const known = [...called, 'reactions.add', 'reactions.remove'].filter((name) => name in methods);
    expect(known.length).toBeGreaterThan(8);
    // Neither direct messages nor those of several people: nothing is asked for there.
    const needed = known.flatMap((name) => methods[name]!.scopes).filter((scope) => !/^m?p?im:/.test(scope));
    expect(bot.toSorted()).toEqual([...new Set([...needed, 'app_mentions:read', 'commands'])].sort());
  });

  test('declares what the bot listens to, without an address that Slack would have to reach', () => {
    expect(appOf(manifest)).toMatchObject({
      name: 'capdeploy',
      commands: ['/deploy'],
      escapedCommands: [],
      shortcuts: ['deploy'],
      events: ['app_mention'],
    });
    expect(manifest.settings).toMatchObject({ interactivity: { is_enabled: true }, socket_mode_enabled: true });
    expect(text(`${FOLDER}/slack-app.yaml`)).not.toMatch(/^\s*(request_url|url|message_menu_options_url):/m);
  });

  test('keeps to the lengths of Slack (https://docs.slack.dev/reference/app-manifest)', () => {
    const { display_information, features } = manifest;
    expect(display_information.name.length).toBeLessThanOrEqual(35);
    expect(display_information.description.length).toBeLessThanOrEqual(140);
    expect(features.bot_user.display_name.length).toBeLessThanOrEqual(80);
    for (const { name, description } of features.shortcuts) {
      expect(name.length).toBeLessThanOrEqual(24);
      expect(description.length).toBeLessThanOrEqual(150);
    }
    for (const { command, description } of features.slash_commands) {
      expect(command).toMatch(/^\/[a-z0-9_-]{1,31}$/);
      expect(description.length).toBeLessThanOrEqual(2000);
    }
  });
});

describe('examples/chat', () => {
  test('has a configuration that the bot takes, for the namespace of its bindings', () => {
    const { namespaces, rules } = parseBotConfig(text('examples/chat/slack-bot.yaml'), 'slack-bot.yaml');
    const bindings = documents(text('examples/chat/role-bindings.yaml'));
    expect(bindings.map(({ metadata }) => (metadata as Json).namespace)).toEqual(Array(3).fill('deploy'));
    expect(namespaces).toEqual(['deploy']);
    expect(rules.length).toBeGreaterThan(1);
  });

  test('binds each role to the account of the bot', () => {
    const { name, namespace } = the<{ metadata: Json }>('ServiceAccount').metadata;
    const bindings = documents(text('examples/chat/role-bindings.yaml')) as { roleRef: Json; subjects: Json[] }[];
    for (const { subjects } of bindings) expect(subjects).toEqual([{ kind: 'ServiceAccount', name, namespace }]);
    const roles = ['', 'operate/', 'approve/'].flatMap((part) => documents(text(`${FOLDER}/${part}role.yaml`)));
    expect(bindings.map(({ roleRef }) => roleRef.name)).toEqual(roles.map(({ metadata }) => (metadata as Json).name));
  });

  test('has flags in its environment that the bot takes', () => {
    const [{ patches }] = documents(text('examples/chat/kustomization.yaml')) as unknown as [
      { patches: { patch: string }[] },
    ];
    const added = patches
      .flatMap(({ patch }) => documents(patch)[0] as unknown as { path: string; value: Json }[])
      .filter(({ path }) => path.includes('/env'));
    // At the end of the list: an `env` of its own would replace what is there.
    expect(added.map(({ path }) => path.slice(-2))).toEqual(['/-', '/-']);
    const variables = Object.fromEntries(added.map(({ value: { name, value } }) => [name, value as string]));
    const args = the<Deployment>('Deployment').spec.template.spec.containers[0]!.args.slice(1);
    expect(parseSlackBotFlags(args, variables)['allow-queue']).toHaveLength(1);
  });
});
