import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { install } from '../install.ts';
import { type SqsServerProcess, startServer } from '../server-process.ts';

const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));
const SERVICES = ['sqs', 'ecr', 'sts', 'iam'];

/**
 * MiniStack with SQS, ECR, STS and IAM. It saves its data when it ends by SIGTERM, as `restart` does; what came after
 * the last one is lost by `kill`. With `restart({AUTH: 'true'})` it checks signatures and policies.
 */
export async function startMiniStack(): Promise<SqsServerProcess> {
  const version = /^ministack==(.+)$/m.exec(readFileSync(REQUIREMENTS, 'utf8'))?.[1] ?? '';
  const remedy = 'install Python 3.10 or newer with venv (Debian: python3 and python3-venv)';
  const directory = await install({
    name: 'ministack',
    version,
    pins: REQUIREMENTS,
    needs: [{ command: 'python3', remedy }],
    alsoKeyedBy: async () => (await promisify(execFile)('python3', ['--version'])).stdout,
    // `python -m` works from wherever the environment lies; the scripts beside it would not.
    steps: (to) => [
      ['python3', '-m', 'venv', to],
      [join(to, 'bin', 'python'), '-m', 'pip', 'install', '--quiet', '--requirement', REQUIREMENTS],
    ],
  });
  return startServer({
    name: 'ministack',
    version,
    command: join(directory, 'bin', 'python'),
    args: ['-m', 'ministack'],
    env: (at) => ({
      GATEWAY_PORT: String(at.port),
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: '127.0.0.1',
      SERVICES: SERVICES.join(','),
      PERSIST_STATE: '1',
      STATE_DIR: join(at.directory, 'state'),
      LOG_LEVEL: 'WARNING',
      // Else it looks for a Docker daemon and listens for SFTP and MQTT.
      DOCKER_HOST: 'unix:///nonexistent',
      SFTP_ENABLED: '0',
      IOT_MTLS_ENABLED: '0',
      PYTHONDONTWRITEBYTECODE: '1',
    }),
    async isReady(endpoint) {
      const health = await fetch(`${endpoint}/_ministack/health`);
      const { services } = (await health.json()) as { services: Record<string, string> };
      return SERVICES.every((service) => services[service] === 'available' || services[service] === 'running');
    },
    endsBy: 'SIGTERM',
  });
}
