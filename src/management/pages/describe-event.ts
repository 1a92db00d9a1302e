import type { EventAnswer } from '../contract.ts';

type Describe = (event: EventAnswer) => string;

const DESCRIPTIONS: Readonly<Record<string, Describe>> = {
  'wake.requested': ({ data }) => `is asked to wake${given(' by ', data['reason'])}`,
  'build.started': () => 'builds its image',
  'build.finished': ({ data }) => `has built its image${milliseconds(data['durationMs'])}`,
  'build.failed': ({ data }) => `could not build its image${given(': ', data['detail'])}`,
  'instance.starting': ({ instance }) => `starts ${instance ?? 'an instance'}`,
  'instance.ready': ({ instance, data }) =>
    `${instance ?? 'an instance'} ${data['reason'] === 'adopted' ? 'was found running and ' : ''}is ready`,
  'instance.unhealthy': ({ instance, data }) =>
    `${instance ?? 'an instance'} is unhealthy${given(': ', data['reason'])}`,
  'instance.died': ({ instance, data }) =>
    `${instance ?? 'an instance'} ended${given(' with exit code ', data['exitCode'])}`,
  'instance.oom': ({ instance }) => `${instance ?? 'an instance'} ran out of memory`,
  'instance.stopped': ({ instance, data }) => `${instance ?? 'an instance'} was stopped${given(': ', data['reason'])}`,
  'service.awake': ({ data }) => `is awake${milliseconds(data['totalMs'])}`,
  'service.asleep': ({ data }) => `is asleep${given(': ', data['reason'])}`,
  'service.failed': ({ data }) => `failed${given(': ', data['detail'])}`,
  'cpu.warn': use,
  'cpu.panic': use,
  'cpu.recovered': use,
  'memory.warn': use,
  'memory.panic': use,
  'memory.recovered': use,
  'scale.up': ({ data }) => `scales up${given(' to ', data['to'])}`,
  'scale.down': ({ data }) => `scales down${given(' to ', data['to'])}`,
  'breaker.opened': ({ instance }) => `${instance ?? 'an instance'} is left out: it kept failing`,
  'breaker.closed': ({ instance }) => `${instance ?? 'an instance'} is used again`,
  'manifest.applied': () => 'took over the manifest',
  'manifest.refused': ({ data }) => `refused the manifest${given(': ', data['detail'])}`,
};

/** A function declaration, because the table above needs it. */
function use({ type, instance, data }: EventAnswer): string {
  const [measure, level] = type.split('.');
  const what = `${instance ?? 'an instance'} ${level === 'recovered' ? 'is back to' : 'uses'}`;
  if (typeof data['percent'] !== 'number') return `${instance ?? 'an instance'} no longer runs`;
  return `${what} ${data['percent']} % of its ${measure === 'cpu' ? 'CPU' : 'memory'} limit${level === 'panic' ? '!' : ''}`;
}

/** An event as the end of a sentence that begins with the service. */
export function describeEvent(event: EventAnswer): string {
  return DESCRIPTIONS[event.type]?.(event) ?? event.type;
}

function given(before: string, value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? `${before}${value}` : '';
}

function milliseconds(value: unknown): string {
  if (typeof value !== 'number') return '';
  return value < 10_000 ? ` after ${Math.round(value)} ms` : ` after ${Math.round(value / 1000)} s`;
}
