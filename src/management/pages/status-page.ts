import { markup, type Markup } from '../../lib/markup.ts';
import type { EventAnswer, HealthAnswer, ServiceAnswer } from '../contract.ts';
import { age } from '../../lib/age.ts';
import { describeEvent } from './describe-event.ts';
import { brand, page } from './page.ts';
import { serviceCard } from './service-card.ts';
import { STATUS_SCRIPT } from './status-script.ts';

export interface StatusPageContent {
  readonly services: readonly ServiceAnswer[];
  readonly health: HealthAnswer;
  /** What is wrong beyond single services. */
  readonly problems: readonly string[];
  /** The newest first. */
  readonly events: readonly EventAnswer[];
  readonly nowEpochMs: number;
}

/** Without a script the page asks again by itself now and then. */
const REFRESH = markup`<noscript><meta http-equiv="refresh" content="5"></noscript>`;

/** Every service at a glance: how it is, where it answers, and what can be done about it. */
export function statusPage(content: StatusPageContent, nonce: string): string {
  const { services, health, problems, nowEpochMs } = content;
  const body = markup`
    <header>
      ${brand()}
      <form method="post" action="/logout"><button class="quiet">Sign out</button></form>
    </header>
    <main id="live">
      <h1>${summary(services)}</h1>
      ${notices(problems)}
      ${services.length === 0 ? empty() : markup`<ul class="services">${services.map((one) => serviceCard(one, nowEpochMs))}</ul>`}
      ${recently(content)}
      ${facts(health)}
    </main>`;
  return page({ title: title(services), nonce, head: REFRESH, body, script: STATUS_SCRIPT });
}

function title(services: readonly ServiceAnswer[]): string {
  return `${services.filter(isUp).length} of ${services.length} awake · Reveille`;
}

function isUp({ status }: ServiceAnswer): boolean {
  return status === 'awake' || status === 'degraded';
}

function summary(services: readonly ServiceAnswer[]): string {
  if (services.length === 0) return 'Nobody here yet.';
  const failed = services.filter(({ status }) => status === 'failed').length;
  if (failed > 0) return `${failed} ${failed === 1 ? 'service needs' : 'services need'} a look.`;
  const waking = services.filter(({ status }) => status === 'waking').length;
  if (waking > 0) return waking === 1 ? 'Somebody is getting up.' : `${waking} services are getting up.`;
  const up = services.filter(isUp).length;
  if (up === 0) return 'All is quiet.';
  return up === services.length ? 'Everybody is up.' : `${up} awake, the others rest.`;
}

function notices(problems: readonly string[]): Markup | string {
  if (problems.length === 0) return '';
  return markup`<ul class="notices">${problems.map((problem) => markup`<li>${sentence(problem)}</li>`)}</ul>`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function empty(): Markup {
  return markup`<p class="soft">The manifest names no services. What you add to it shows up here as soon as you save it.</p>`;
}

function recently({ events, nowEpochMs }: StatusPageContent): Markup | string {
  if (events.length === 0) return '';
  const items = events.map((event) => {
    const ago = age(Date.parse(event.at), nowEpochMs);
    return markup`<li><time datetime="${event.at}" title="${event.at}">${ago}</time><b>${event.service}</b><span>${describeEvent(event)}</span></li>`;
  });
  return markup`<section><h2>Lately</h2><ol class="events">${items}</ol></section>`;
}

function facts({ version, uptimeSeconds, runtime, store, mqtt }: HealthAnswer): Markup {
  const parts = [
    `Reveille ${version}`,
    `up ${age(0, uptimeSeconds * 1000)}`,
    `${runtime.kind} runtime ${runtime.up ? 'answers' : 'is away'}`,
    `${store.kind} store ${store.up ? 'writes' : 'is away'}`,
    `${mqtt.kind} MQTT broker ${mqtt.connected ? 'connected' : 'is away'}`,
  ];
  return markup`<footer>${parts.map((part) => markup`<span>${part}</span>`)}</footer>`;
}
