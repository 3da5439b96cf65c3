import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install } from '../install.ts';
import { type SqsServerProcess, startServer } from '../server-process.ts';

const POM = fileURLToPath(new URL('pom.xml', import.meta.url));
const CONFIG = fileURLToPath(new URL('elasticmq.conf', import.meta.url));

/**
 * ElasticMQ with its data on disk: what was acknowledged survives `kill`. Its orderly stop waits for long polls, so it
 * is always killed.
 */
export async function startElasticMq(): Promise<SqsServerProcess> {
  const version =
    /<artifactId>elasticmq-server_[\d.]+<\/artifactId>\s*<version>(.+?)</.exec(readFileSync(POM, 'utf8'))?.[1] ?? '';
  const directory = await install({
    name: 'elasticmq',
    version,
    pins: POM,
    needs: [
      { command: 'java', remedy: 'install a Java runtime, 11 or newer (Debian: default-jre-headless)' },
      { command: 'mvn', remedy: 'install Maven (Debian: maven)' },
    ],
    steps: (to) => [
      ['mvn', '--quiet', '--batch-mode', '--file', POM, 'dependency:copy-dependencies', `-DoutputDirectory=${to}`],
    ],
  });
  return startServer({
    name: 'elasticmq',
    version,
    command: 'java',
    // A small server that lives for minutes: neither a big heap nor the second compiler pays.
    args: [
      '-XX:TieredStopAtLevel=1',
      '-XX:+UseSerialGC',
      '-Xmx256m',
      // Else a file of this process stays in /tmp when it is killed.
      '-XX:-UsePerfData',
      `-Dconfig.file=${CONFIG}`,
      '-classpath',
      join(directory, '*'),
      'org.elasticmq.server.Main',
    ],
    env: (at) => ({
      JDK_JAVA_OPTIONS: `-Djava.io.tmpdir=${at.directory}`,
      ELASTICMQ_PORT: String(at.port),
      // WRITE_DELAY=0: H2 keeps commits for half a second else, which a kill -9 would lose.
      ELASTICMQ_DATABASE: `jdbc:h2:${join(at.directory, 'messages')};WRITE_DELAY=0`,
      ELASTICMQ_QUEUES: join(at.directory, 'queues.conf'),
    }),
    async isReady(endpoint) {
      const answer = await fetch(`${endpoint}/?Action=ListQueues`);
      return answer.ok && (await answer.text()).includes('ListQueuesResponse');
    },
    endsBy: 'SIGKILL',
  });
}
