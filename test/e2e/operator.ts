import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { LOCAL_CREDENTIALS, LOCAL_REGION } from '../../dev/local-sqs.ts';
import type { Kubectl } from '../cluster/kubectl.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface OperatorSettings {
  /** Name and tag, as the node knows it. */
  image: string;
  /** Of the queue server, as Pods reach it. */
  queueOrigin: string;
  /** A folder for the overlay. */
  scratch: string;
}

/**
 * Installs the operator as a user does: by an overlay over kustomization.yaml that names image, region, credentials and
 * queue server, with the admission rules. Resolves when the Deployment is available.
 */
export async function installOperator(kubectl: Kubectl, settings: OperatorSettings): Promise<void> {
  const overlay = join(settings.scratch, 'overlay');
  mkdirSync(overlay);
  writeFileSync(join(overlay, 'kustomization.yaml'), stringify(kustomization(settings, overlay)));
  await kubectl.run(['apply', '--warnings-as-errors', '-k', overlay]);
  await kubectl.run(['wait', '--for=condition=Established', '--timeout=60s', 'crd/capdeployjobs.capdeployjob.dev']);
  const deployment = ['-n', 'capdeployjob-system', 'deployment/capdeployjob'];
  const { code } = await kubectl.try(['rollout', 'status', '--timeout=120s', ...deployment]);
  if (code === 0) return;
  const pods = ['-n', 'capdeployjob-system', 'pods', '-l', 'app.kubernetes.io/name=capdeployjob'];
  const words = await Promise.all([
    kubectl.try(['describe', ...pods]),
    kubectl.try([
      'logs',
      '--tail=30',
      '--prefix',
      '-n',
      'capdeployjob-system',
      '-l',
      'app.kubernetes.io/name=capdeployjob',
    ]),
  ]);
  throw new Error(`the operator did not come up:\n${words.map(({ stdout, stderr }) => stdout + stderr).join('\n')}`);
}

function kustomization({ image, queueOrigin }: OperatorSettings, overlay: string): object {
  const [newName, newTag] = image.split(':');
  const env = [
    { name: 'AWS_REGION', value: LOCAL_REGION },
    { name: 'AWS_ACCESS_KEY_ID', value: LOCAL_CREDENTIALS.accessKeyId },
    { name: 'AWS_SECRET_ACCESS_KEY', value: LOCAL_CREDENTIALS.secretAccessKey },
    { name: 'CAPDEPLOY_ALLOW_QUEUE_ORIGIN', value: queueOrigin },
  ];
  const from = (path: string) => relative(overlay, join(ROOT, path));
  return {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [from('.')],
    components: [from('deploy/admission')],
    images: [{ name: 'capdeployjob', newName, newTag }],
    patches: [
      {
        // By name, not by place: what the Deployment says of the environment itself stays.
        patch: stringify({
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'capdeployjob', namespace: 'capdeployjob-system' },
          spec: { template: { spec: { containers: [{ name: 'controller', env }] } } },
        }),
      },
    ],
  };
}
