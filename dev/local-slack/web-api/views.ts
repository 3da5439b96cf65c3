/**
 * views.open, views.push, views.update.
 *
 * @see https://docs.slack.dev/reference/methods/views.open
 * @see https://docs.slack.dev/reference/methods/views.update
 */
import { problemsError, SlackError } from '../slack-error.ts';
import type { View } from '../views.ts';
import type { Call, Method } from './method.ts';

const opening = (run: Method['run']): Method => ({
  token: 'bot',
  scopes: [],
  tier: 'tier4',
  json: true,
  required: { trigger_id: 'string', view: 'json' },
  optional: {},
  run,
});

function open({ world, app, args }: Call, pushed: boolean): { view: unknown } {
  const trigger = world.triggers.exchange(app.id, String(args.trigger_id));
  const on: View | undefined = trigger.view === undefined ? undefined : world.views.find({ id: trigger.view });
  if (pushed && on === undefined) throw new SlackError('not_found');
  return { view: world.views.object(world.views.open(app, trigger.user, args.view, on)) };
}

export const views: Record<string, Method> = {
  'views.open': opening((call) => open(call, false)),
  'views.push': opening((call) => open(call, true)),
  'views.update': {
    token: 'bot',
    scopes: [],
    tier: 'tier4',
    json: true,
    required: { view: 'json' },
    optional: { view_id: 'string', external_id: 'string', hash: 'string' },
    run: ({ world, app, args }) => {
      if ((args.view_id === undefined) === (args.external_id === undefined)) {
        throw problemsError('invalid_arguments', ['must provide exactly one of: view_id, external_id']);
      }
      const view = world.views.find({ id: args.view_id, externalId: args.external_id });
      if (view === undefined || view.app !== app) throw new SlackError('not_found');
      if (args.hash !== undefined && args.hash !== view.hash) throw new SlackError('hash_conflict');
      return { view: world.views.object(world.views.update(view, args.view)) };
    },
  },
};
