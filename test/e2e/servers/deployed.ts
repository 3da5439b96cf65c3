import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import type { SshServer } from './ssh-server.ts';

/** What a server serves: where `current` leads, and what is there. */
export function currentOf(server: SshServer, folder = '/var/www/web/production') {
  const release = readlinkSync(server.path(`${folder}/current`));
  return {
    release: basename(release),
    /** The full SHA that Capistrano notes in a release. */
    revision: server.read(`${release}/REVISION`).trim(),
    page: server.read(`${release}/index.html`).trim(),
  };
}

/** The lines of revisions.log, the oldest first. */
export const revisionsLogOf = (server: SshServer, folder = '/var/www/web/production'): string[] =>
  server.read(`${folder}/revisions.log`).trimEnd().split('\n');
