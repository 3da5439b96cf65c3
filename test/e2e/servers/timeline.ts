import type { SshServer } from './ssh-server.ts';

/** What timeline.rake has a server write down. */
export interface Moment {
  word: 'begin' | 'work' | 'end';
  stage: string;
  revision: string;
  /** Seconds since 1970, by the server's clock. */
  at: number;
}

/** In the order in which it was written. */
export function timelineOf(server: SshServer, stage = 'production'): Moment[] {
  if (!server.has('/var/www/timeline')) return [];
  const lines = server.read('/var/www/timeline').trimEnd().split('\n');
  return lines
    .map((line) => line.split(' '))
    .map(([word, of = '', revision = '', at]) => ({
      word: word as Moment['word'],
      stage: of,
      revision,
      at: Number(at),
    }))
    .filter((moment) => moment.stage === stage);
}

/** When a deploy of a revision was at work on the server: its first sign of life and its last. */
export function workOf(server: SshServer, revision: string, stage = 'production') {
  const moments = timelineOf(server, stage).filter((moment) => moment.revision === revision);
  return { first: moments[0]?.at ?? Number.NaN, last: moments.at(-1)?.at ?? Number.NaN };
}
