#!/usr/bin/env node
/**
 * The program: `capdeploy <command>`. Exit codes: 0 after a clean stop, 1 if something unexpected ended it or `ecr-login` could not refresh
 * all, 2 if the command line, the environment, a configuration file or the kubeconfig is not usable.
 *
 * Each command is loaded when it is called: what one of them needs costs the others neither time nor memory.
 */
import packageJson from '../package.json' with { type: 'json' };
import { UsageError } from './base/usage-error.ts';
import { clean, redactSecrets } from './text/redact.ts';

/** What a command's file exports. */
interface Command {
  /** What `capdeploy <command> --help` says of its flags. */
  help(): string;
  /** @returns the exit code. @throws UsageError if it cannot begin. */
  run(args: string[], env: NodeJS.ProcessEnv): Promise<number>;
}

const COMMANDS: Record<string, { readonly summary: string; load(): Promise<Command> }> = {
  controller: { summary: 'the operator', load: () => import('./cli/controller.ts') },
  'ecr-login': { summary: 'puts fresh ECR tokens into pull Secrets', load: () => import('./cli/ecr-login.ts') },
};

const TITLE = `capdeploy ${packageJson.version}: ${packageJson.description}`;

const COMMON = `Each flag can also come as CAPDEPLOY_<FLAG> from the environment (the flag wins; lists are separated by commas or lines there).

AWS credentials and region: the SDK's default chain. HTTPS_PROXY, NO_PROXY and NODE_EXTRA_CA_CERTS are honoured for AWS.`;

const help = (): string => `${TITLE}

${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  capdeploy ${`${name} [flags]`.padEnd(22)} ${summary}`)
  .join('\n')}
  capdeploy --help | --version

\`capdeploy <command> --help\` lists the flags of a command.

${COMMON}`;

async function main([name, ...args]: string[]): Promise<number> {
  const found = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  // Whoever asks for help wants it, whatever else the command line says.
  if (name === 'help' || [name, ...args].includes('--help')) {
    const ofCommand = found && `${TITLE}\n\nFlags of ${name}:\n\n${(await found.load()).help()}\n\n${COMMON}`;
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
  const command = await found.load();
  return await command.run(args, process.env);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`capdeploy: ${redactSecrets(clean(error.message))}`);
  process.exitCode = 2;
}
