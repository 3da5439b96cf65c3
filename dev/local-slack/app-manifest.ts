/**
 * An app made from its manifest, so that tests run with the scopes, commands and events that users install.
 *
 * @see https://docs.slack.dev/reference/app-manifest
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import type { AppSeed } from './app.ts';

/** The part of a manifest that the local Slack knows. */
export interface AppManifest {
  display_information: { name: string; description: string };
  features: {
    bot_user: { display_name: string };
    shortcuts: { name: string; type: 'global' | 'message'; callback_id: string; description: string }[];
    slash_commands: { command: string; description: string; usage_hint: string; should_escape: boolean }[];
  };
  oauth_config: { scopes: { bot: string[] } };
  settings: {
    event_subscriptions: { bot_events: string[] };
    interactivity: { is_enabled: boolean };
    socket_mode_enabled: boolean;
  };
}

/** deploy/chat/slack-app.yaml. */
export function ourManifest(): AppManifest {
  const file = fileURLToPath(new URL('../../deploy/chat/slack-app.yaml', import.meta.url));
  return parse(readFileSync(file, 'utf8')) as AppManifest;
}

/** The app that Slack makes of a manifest. Its app-level token is made by hand, with `connections:write`. */
export function appOf({ features, oauth_config, settings }: AppManifest): AppSeed {
  const commands = features.slash_commands.map(({ command }) => command);
  return {
    name: features.bot_user.display_name,
    scopes: [...oauth_config.scopes.bot],
    commands,
    escapedCommands: features.slash_commands.filter((each) => each.should_escape).map(({ command }) => command),
    shortcuts: features.shortcuts.filter(({ type }) => type === 'global').map((each) => each.callback_id),
    events: [...settings.event_subscriptions.bot_events],
  };
}
