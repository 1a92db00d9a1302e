import { markup, type Markup } from '../../lib/markup.ts';
import type { ServiceAnswer } from '../contract.ts';
import { age } from '../../lib/age.ts';

/** One service on the status page. */
export function serviceCard(service: ServiceAnswer, nowEpochMs: number): Markup {
  const { name, status, progress, failure } = service;
  return markup`
    <li data-status="${status}">
      <div class="who">
        <h2>${name}</h2>
        <p class="status"><i aria-hidden="true"></i>${status}${sinceWhen(service, nowEpochMs)}</p>
      </div>
      <div class="where">
        ${service.routes.length === 0 ? markup`<span class="soft">internal</span>` : service.routes.map(link)}
      </div>
      <p class="load">${load(service)}</p>
      ${action(service)}
      ${progress ? markup`<p class="more"><progress value="${progress.ratio}" aria-label="${name} wakes"></progress>${progress.detail || progress.phase}</p>` : ''}
      ${failure && status !== 'awake' ? reason(failure) : ''}
    </li>`;
}

/** A wildcard is no place that one could go to. */
function link(url: string): Markup {
  const shown = url.replace(/^https:\/\//, '');
  return url.includes('*') ? markup`<span>${shown}</span>` : markup`<a href="${url}">${shown}</a>`;
}

function sinceWhen({ instances, status }: ServiceAnswer, nowEpochMs: number): string {
  const current = instances.filter(({ state }) =>
    status === 'asleep' ? true : state === 'ready' || state === 'unhealthy',
  );
  const since = current.map((instance) => Date.parse(instance.since));
  if (since.length === 0 || status === 'waking') return '';
  return ` for ${age(status === 'asleep' ? Math.max(...since) : Math.min(...since), nowEpochMs)}`;
}

function load({ replicas, instances, inFlight, status, runtime }: ServiceAnswer): string {
  if (status === 'asleep' || status === 'completed' || status === 'failed') return '';
  const { desired, ready } = replicas;
  const what = runtime === 'external' ? 'upstream' : 'instance';
  const many = desired === 1 ? what : `${what}s`;
  const parts = [ready === desired ? `${ready} ${many}` : `${ready} of ${desired} ${many}`];
  if (inFlight > 0) parts.push(`${inFlight} in flight`);
  parts.push(...use(instances));
  return parts.join(' · ');
}

/** The busiest instance's share of its CPU limit, and the memory of all; no line breaks within. Nothing for what cannot be read. */
function use(instances: ServiceAnswer['instances']): string[] {
  const cpuRatios = instances.flatMap(({ cpuRatio }) => cpuRatio ?? []);
  const memory = instances.flatMap(({ memoryBytes }) => memoryBytes ?? []);
  const bytes = memory.reduce((sum, each) => sum + each, 0);
  return [
    ...(cpuRatios.length > 0 ? [`${Math.round(Math.max(...cpuRatios) * 100)}\u00a0%\u00a0CPU`] : []),
    ...(memory.length > 0 ? [`${Math.round(bytes / 2 ** 20)}\u00a0MB`] : []),
  ];
}

function action({ name, status, runtime }: ServiceAnswer): Markup {
  if (runtime === 'external') return markup`<p class="do soft">run elsewhere</p>`;
  const [verb, word] = ACTIONS[status];
  const path = `/services/${encodeURIComponent(name)}/${verb}`;
  return markup`
    <form class="do" method="post" action="${path}">
      <button id="${verb}-${name}" aria-label="${word} ${name}">${word}</button>
    </form>`;
}

const ACTIONS: Readonly<Record<ServiceAnswer['status'], readonly ['wake' | 'sleep', string]>> = {
  asleep: ['wake', 'Wake'],
  failed: ['wake', 'Try again'],
  completed: ['wake', 'Run again'],
  draining: ['wake', 'Wake'],
  waking: ['sleep', 'Stop'],
  awake: ['sleep', 'Sleep'],
  degraded: ['sleep', 'Sleep'],
};

function reason({ code, detail, logTail }: NonNullable<ServiceAnswer['failure']>): Markup {
  const log = markup`<pre tabindex="0" aria-label="Last log lines">${logTail.join('\n')}</pre>`;
  return markup`<div class="more bad"><p>${detail} <code>${code}</code></p>${logTail.length > 0 ? log : ''}</div>`;
}
