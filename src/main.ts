#!/usr/bin/env node
/**
 * The program: `capdeploy <command>`. Exit codes: 0 after a clean stop, 1 if something unexpected ended it or
 * `ecr-login` could not refresh all, 2 if the command line, the environment, a configuration file or the kubeconfig is
 * not usable.
 *
 * Each command is loaded when it is called: what one of them needs costs the others neither time nor memory. `--help`
 * loads the flags of a command only. Node's compile cache is not used: `--help` gains nothing by it, and `controller`
 * (a quarter less) runs in a container that cannot write one. Measured in 2026-11.
 */
import packageJson from '../package.json' with { type: 'json' };
import { UsageError } from './base/usage-error.ts';
import { clean, redactSecrets } from './text/redact.ts';

interface Command {
  readonly summary: string;
  /** The part of `capdeploy <command> --help` about its flags. */
  help(): Promise<string>;
  /** @returns the exit code. @throws UsageError if it cannot begin. */
  run(args: string[], env: NodeJS.ProcessEnv): Promise<number>;
}

const COMMANDS: Record<string, Command> = {
  controller: {
    summary: 'the operator',
    help: async () => (await import('./cli/controller-flags.ts')).controllerHelp(),
    run: async (args, env) => (await import('./cli/controller.ts')).run(args, env),
  },
  'slack-bot': {
    summary: 'the chat bot: deploys asked for in Slack',
    help: async () => (await import('./cli/slack-bot-flags.ts')).slackBotHelp(),
    run: async (args, env) => (await import('./cli/slack-bot.ts')).run(args, env),
  },
  'ecr-login': {
    summary: 'puts fresh ECR tokens into pull Secrets',
    help: async () => (await import('./cli/ecr-login-flags.ts')).ecrLoginHelp(),
    run: async (args, env) => (await import('./cli/ecr-login.ts')).run(args, env),
  },
};

const TITLE = `capdeploy ${packageJson.version}: ${packageJson.description}`;

const COMMON = `Each flag can also come as CAPDEPLOY_<FLAG> from the environment, where lists are separated by commas or
lines. The flag wins.

AWS credentials and region: the SDK's default chain. Requests to AWS and to Slack honour HTTPS_PROXY, NO_PROXY
and NODE_EXTRA_CA_CERTS.`;

const help = (): string => `${TITLE}

${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  capdeploy ${`${name} [flags]`.padEnd(22)} ${summary}`)
  .join('\n')}
  capdeploy --help | --version

\`capdeploy <command> --help\` lists the flags of a command.

${COMMON}`;

async function main([name, ...args]: string[]): Promise<number> {
  const found = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  // Also beside flags that are wrong.
  if (name === 'help' || [name, ...args].includes('--help')) {
    const ofCommand = found && `${TITLE}\n\nFlags of ${name}:\n\n${await found.help()}\n\n${COMMON}`;
    console.log(ofCommand ?? help());
    return 0;
  }
  if (name === '--version') {
    console.log(packageJson.version);
    return 0;
  }
  if (!found) {
    const words = name === undefined ? 'no command' : `${JSON.stringify(name)}: unknown command`;
    throw new UsageError(`${words}, allowed are ${Object.keys(COMMANDS).join(', ')}, --help and --version`);
  }
  return await found.run(args, process.env);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`capdeploy: ${redactSecrets(clean(error.message))}`);
  process.exitCode = 2;
}
