import { Command } from 'commander';
import pc from 'picocolors';
import { SystemClock } from '../../lib/clock.ts';
import { CodedError, messageOf } from '../../lib/coded-error.ts';
import type { Settings } from '../../config/settings.ts';
import type { Removed } from '../../runtimes/docker/remove-project.ts';
import { daemonOf, print, printJson, settingsOf, type CliContext, type GlobalOptions } from '../cli-context.ts';

interface DownOptions extends GlobalOptions {
  readonly volumes?: boolean;
}

const CALL_TIMEOUT_MS = 10_000;
const NOTHING: Removed = { containers: [], networks: [], volumes: [], images: [] };

export function downCommand(context: CliContext): Command {
  return new Command('down')
    .description('stops and removes all that Reveille made for this project, and nothing else')
    .option('--volumes', 'the volumes too, with the data in them')
    .action(async (_options: unknown, command: Command) => {
      const { volumes = false, json } = command.optsWithGlobals<DownOptions>();
      const settings = await settingsOf(context);
      const daemon = await daemonOf(context);
      if (await daemon.isRunning()) {
        const message = `The daemon at ${daemon.socketPath} is running and would bring back what it needs: stop it first (Ctrl-C, or its process manager).`;
        throw new CodedError('daemon_running', message);
      }
      const removed = settings.runtime === 'process' ? NOTHING : await removeFrom(settings, volumes);
      if (json) {
        printJson(context, { project: settings.project, removed });
        return;
      }
      print(context, removedText(settings, removed));
    });
}

async function removeFrom({ dockerHost, project, runtime }: Settings, volumes: boolean): Promise<Removed> {
  // The client for the engine takes a third of a second to load.
  const { Engine } = await import('../../runtimes/docker/engine/engine.ts');
  const { parseDockerHost } = await import('../../runtimes/docker/engine/docker-host.ts');
  const { removeProject } = await import('../../runtimes/docker/remove-project.ts');
  const host = parseDockerHost(dockerHost);
  const engine = new Engine({ host, clock: new SystemClock(), callTimeoutMs: CALL_TIMEOUT_MS });
  try {
    return await removeProject(engine, project, { volumes });
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'runtime_unavailable') throw error;
    const hint = runtime === 'auto' ? '\nServices that ran as processes have ended with the daemon.' : '';
    throw new CodedError(error.code, `${messageOf(error)}${hint}`, { cause: error });
  }
}

function removedText({ project, runtime }: Settings, removed: Removed): string {
  const kinds = [
    ['container', removed.containers],
    ['network', removed.networks],
    ['volume', removed.volumes],
    ['image', removed.images],
  ] as const;
  const lines = kinds.flatMap(([kind, names]) => names.map((name) => `${pc.dim('removed')} ${kind} ${name}`));
  if (lines.length > 0) return lines.join('\n');
  if (runtime === 'process') return 'Services that run as processes end with the daemon: nothing is left.';
  return `There is nothing of project ${project}.`;
}
