import { CONTROLLER_FLAGS } from '../../src/cli/controller-flags.ts';
import { ECR_LOGIN_FLAGS } from '../../src/cli/ecr-login-flags.ts';
import { environmentName, type Flag } from '../../src/cli/flags.ts';
import { SLACK_BOT_FLAGS } from '../../src/cli/slack-bot-flags.ts';
import { cell, code, GENERATED, table } from './markdown.ts';

/** docs/reference/flags.md: the flags of each command, from their tables. */
export function flagsPage(): string {
  return `${GENERATED}# Flags

A flag wins over its variable in the environment. In the environment, lists are separated by commas or lines.

Exit codes: 0 after a clean stop. 1 if something unexpected ended the program, if leadership was lost, or if \`ecr-login\` could
not refresh all. 2 if the command line, the environment, a configuration file or the kubeconfig is not usable.

## capdeploy controller

${rows(CONTROLLER_FLAGS)}
The first SIGTERM drains: another replica goes on within a second. Long polls that are open end within \`waitTimeSeconds\`, and
what they bring is settled, for 25 s at most. The second SIGTERM ends the program at once.

## capdeploy slack-bot

${rows(SLACK_BOT_FLAGS)}
## capdeploy ecr-login

${rows(ECR_LOGIN_FLAGS)}`;
}

function rows(flags: object): string {
  return table(
    ['flag', 'in the environment', 'what it is'],
    Object.entries(flags as Record<string, Flag<unknown>>).map(([name, { value, help, toggle }]) => [
      code(toggle ? `--${name}` : `--${name} ${value}`),
      code(environmentName(name)),
      cell(help),
    ]),
  );
}
