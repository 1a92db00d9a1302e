import { Command } from 'commander';
import pc from 'picocolors';
import { age } from '../../lib/age.ts';
import type { HealthAnswer, ServiceAnswer } from '../../management/contract.ts';
import { daemonOf, print, printJson, type CliContext, type GlobalOptions } from '../cli-context.ts';
import { allServices, namingKnown, pathOf } from '../service-calls.ts';
import { coloured } from '../status-colour.ts';
import { table } from '../table.ts';
import { usageCells } from '../usage-cells.ts';

export function statusCommand(context: CliContext): Command {
  return new Command('status')
    .description('how every service is, or one of them')
    .argument('[service]')
    .action(async (service: string | undefined, _options: unknown, command: Command) => {
      const { json } = command.optsWithGlobals<GlobalOptions>();
      if (service === undefined) await showAll(context, json);
      else await showOne(context, service, json);
    });
}

async function showAll(context: CliContext, json: boolean | undefined): Promise<void> {
  const daemon = await daemonOf(context);
  const health = await daemon.ask<HealthAnswer>({ path: '/api/health' });
  const services = await allServices(daemon);
  if (json) {
    printJson(context, { health, services, total: services.length });
    return;
  }
  const rows = services.map((one) => [
    pc.bold(one.name),
    coloured(one.status),
    `${one.replicas.ready}/${one.replicas.desired}`,
    String(one.inFlight),
    one.routes.join('\n') || pc.dim('internal'),
  ]);
  print(
    context,
    rows.length === 0
      ? 'The manifest names no services.'
      : table(['SERVICE', 'STATUS', 'READY', 'IN FLIGHT', 'URL'], rows),
  );
  for (const problem of health.problems) print(context, `${pc.yellow('!')} ${problem}`);
  for (const { name, failure } of services) {
    if (failure) print(context, `${pc.red('!')} ${name}: ${failure.detail}`);
  }
}

async function showOne(context: CliContext, name: string, json: boolean | undefined): Promise<void> {
  const daemon = await daemonOf(context);
  const service = await namingKnown(daemon, name, () => daemon.ask<ServiceAnswer>({ path: pathOf(name) }));
  if (json) {
    printJson(context, service);
    return;
  }
  const { status, replicas, inFlight, routes, failure, progress, instances } = service;
  print(
    context,
    `${pc.bold(service.name)}  ${coloured(status)}${progress ? `: ${progress.detail || progress.phase}` : ''}`,
  );
  const facts = [
    ...routes.map((url, n) => [n === 0 ? 'url' : '', url]),
    ['ready', `${replicas.ready} of ${replicas.desired} (may be ${service.scale.min} to ${service.scale.max})`],
    ['in flight', String(inFlight)],
    ['runs as', `${service.source} on ${service.runtime}`],
    ['sleeps', sleepText(service)],
    ...(service.dependsOn.length > 0 ? [['needs', service.dependsOn.join(', ')]] : []),
  ];
  print(context, facts.map(([label = '', text = '']) => `  ${pc.dim(label.padEnd(10))}${text}`).join('\n'));
  const rows = instances.map((one) => {
    const { id, state, since, upstream = '' } = one;
    return [id, coloured(state), age(Date.parse(since), Date.now()), ...usageCells(one), upstream];
  });
  if (rows.length > 0) print(context, `\n${table(['INSTANCE', 'STATE', 'FOR', 'CPU', 'MEMORY', 'UPSTREAM'], rows)}`);
  if (failure) print(context, ['', pc.red(failure.detail), ...failure.logTail.map((line) => `  ${line}`)].join('\n'));
}

function sleepText({ sleep }: ServiceAnswer): string {
  if (sleep === false) return 'never by itself';
  return sleep.map(({ afterMs, strategy }) => `${strategy} after ${age(0, afterMs)}`).join(', then ');
}
