/**
 * auth.test, apps.connections.open.
 *
 * @see https://docs.slack.dev/reference/methods/auth.test
 * @see https://docs.slack.dev/reference/methods/apps.connections.open
 */
import type { App } from '../app.ts';
import type { Method } from './method.ts';

/** @param newSocketUrl an address that opens one socket of the app */
export const apps = (newSocketUrl: (app: App) => string): Record<string, Method> => ({
  'auth.test': {
    token: 'bot',
    scopes: [],
    tier: 'special',
    json: true,
    required: {},
    optional: {},
    run: ({ world, app }) => ({
      url: `https://${world.team.domain}.slack.com/`,
      team: world.team.name,
      user: app.seed.name,
      team_id: world.team.id,
      user_id: app.userId,
      bot_id: app.botId,
      is_enterprise_install: false,
    }),
  },
  'apps.connections.open': {
    token: 'app',
    scopes: ['connections:write'],
    tier: 'tier3',
    json: true,
    required: {},
    optional: {},
    run: ({ app }) => ({ url: newSocketUrl(app) }),
  },
});
