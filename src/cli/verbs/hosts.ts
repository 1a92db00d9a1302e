import { Command } from 'commander';
import pc from 'picocolors';
import type { ServiceSpec } from '../../config/service-spec.ts';
import {
  adminHostOf,
  manifestOf,
  print,
  printJson,
  settingsOf,
  type CliContext,
  type GlobalOptions,
} from '../cli-context.ts';

const ANY_ADDRESS = new Set(['0.0.0.0', '::']);

export function hostsCommand(context: CliContext): Command {
  return new Command('hosts')
    .description('the lines for /etc/hosts that make every name lead here')
    .action(async (_options: unknown, command: Command) => {
      const { json } = command.optsWithGlobals<GlobalOptions>();
      const settings = await settingsOf(context);
      const manifest = await manifestOf(context, settings);
      const all = [...manifest.values()].flatMap((spec) => namesOf(spec, settings.domain));
      const names = [...new Set([...all, adminHostOf(settings)])];
      const hosts = names.filter((name) => !name.startsWith('*.'));
      const wildcards = names.filter((name) => name.startsWith('*.'));
      const address = ANY_ADDRESS.has(settings.localIp) ? '127.0.0.1' : settings.localIp;
      if (json) {
        printJson(context, { address, hosts, wildcards });
        return;
      }
      for (const host of hosts) print(context, `${address} ${host}`);
      // On its own channel, so that the output can be appended to the file as it is.
      for (const name of wildcards) {
        context.stderr.write(`${pc.yellow('!')} ${name} cannot stand in /etc/hosts, which knows no wildcards\n`);
      }
    });
}

/** What is not HTTP goes by SERVICE.DOMAIN, on this machine where it publishes a port. */
function namesOf({ name, routes, publish }: ServiceSpec, domain: string): string[] {
  if (routes.length === 0 && publish.length > 0) return [`${name}.${domain}`];
  return routes.map(({ host }) => host);
}
