#!/usr/bin/env node
/**
 * The program: `capdeploy <command>`. Exit codes: 0 after a clean stop, 1 where something unexpected ended it or `ecr-login` could not refresh
 * all, 2 where the command line, the environment, a configuration file or the kubeconfig is not usable.
 */
import packageJson from '../package.json' with { type: 'json' };
import { runController } from './cli/controller.ts';
import { controllerHelp, FlagError } from './cli/controller-flags.ts';
import { runEcrLogin } from './cli/ecr-login.ts';
import { ecrLoginHelp } from './cli/ecr-login-flags.ts';
import { KubeConfigError } from './kube/http/kubeconfig.ts';
import { clean, redactSecrets } from './text/redact.ts';

const HELP = `capdeploy ${packageJson.version}: ${packageJson.description}

  capdeploy controller [flags]   the operator
  capdeploy ecr-login [flags]    puts fresh ECR tokens into pull Secrets
  capdeploy --help | --version

Each flag can also come as CAPDEPLOY_<FLAG> from the environment (the flag wins; lists are separated by commas or lines there).

Flags of controller:

${controllerHelp()}

Flags of ecr-login:

${ecrLoginHelp()}

AWS credentials and region: the SDK's default chain. HTTPS_PROXY, NO_PROXY and NODE_EXTRA_CA_CERTS are honoured for AWS.`;

const COMMANDS: Record<string, (args: string[], env: NodeJS.ProcessEnv) => Promise<number>> = {
  controller: runController,
  'ecr-login': runEcrLogin,
};

async function main([name, ...args]: string[]): Promise<number> {
  // `capdeploy controller --help` as well: who asks wants the help, whatever else is said.
  if (name === 'help' || [name, ...args].includes('--help')) {
    console.log(HELP);
    return 0;
  }
  if (name === '--version') {
    console.log(packageJson.version);
    return 0;
  }
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    const found = name === undefined ? 'no command' : `${JSON.stringify(name)}: unknown command`;
    throw new FlagError(`${found}, allowed are ${Object.keys(COMMANDS).join(', ')}, --help and --version`);
  }
  return await command(args, process.env);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof FlagError) && !(error instanceof KubeConfigError)) throw error;
  console.error(`capdeploy: ${redactSecrets(clean(error.message))}`);
  process.exitCode = 2;
}
