import type { Advice, Problem } from '../problem.ts';
import { bugleCall } from './bugle-call.ts';
import { markup, type Markup } from '../../../lib/markup.ts';
import { page } from './page.ts';

export interface ErrorPageContext {
  readonly host: string;
  readonly requestId: string;
  readonly nonce: string;
}

/** Reloading, unlike following a link to here, keeps what stands after the # in the address. */
const SCRIPT = `document.querySelector('.again').onclick=e=>{e.preventDefault();location.reload()}`;

/** The page for a person whose request went wrong. */
export function errorPage(problem: Problem, { host, requestId, nonce }: ErrorPageContext): string {
  const { status, title, detail, code, service, logTail, advice } = problem;
  const main = markup`
    <main>
      <h1>${headline(title, service)}</h1>
      ${bugleCall()}
      <div class="row"><p role="status">${detail}</p></div>
      <p class="note">${status} · ${code}</p>
      ${advice ? paragraph(advice) : ''}
      <pre tabindex="0" aria-label="Last log lines">${logTail.join('\n')}</pre>
      <a class="again" href="">Try again</a>
    </main>`;
  return page({
    title: `${title} · ${service ?? host}`,
    state: 'failed',
    ratio: 0,
    nonce,
    requestId,
    main,
    footnotes: [host],
    script: SCRIPT,
  });
}

function paragraph({ text, link }: Advice): Markup {
  return markup`<p class="advice">${text} <a href="${link.url}">${link.text}</a></p>`;
}

/** Titles speak of "the service"; a person reads its name. */
function headline(title: string, service: string | undefined): string {
  return service === undefined ? title : title.replace(/\b[Tt]he service\b/, () => service);
}
