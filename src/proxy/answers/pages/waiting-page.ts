import type { ServiceView } from '../../../seam/fleet-view.ts';
import { wakeState, type WakeState } from '../wake-state.ts';
import { bugleCall } from './bugle-call.ts';
import { markup, trusted, type Markup } from '../../../lib/markup.ts';
import { page } from './page.ts';
import { WAITING_SCRIPT } from './waiting-script.ts';

export interface WaitingPageContext {
  /** Whether log lines and details may be shown. */
  readonly development: boolean;
  readonly nowEpochMs: number;
  readonly requestId: string;
  readonly nonce: string;
  /** Something that everyone who waits should know, such as that no container engine answers. */
  readonly notice?: string;
}

/** Without scripts the page asks again each second; each answer is held for a moment by itself. A failure is no reason to ask again. */
const REFRESH = markup`<noscript><meta http-equiv="refresh" content="1"></noscript>`;

/** The page that stands in for a service while it wakes. */
export function waitingPage(view: ServiceView, context: WaitingPageContext): string {
  const { requestId, nonce, notice } = context;
  const now = wakeState(view, context);
  const failed = now.state === 'failed';
  return page({
    title: `${now.text} · ${now.headline}`,
    state: failed ? 'failed' : 'progress',
    ratio: now.ratio,
    nonce,
    requestId,
    ...(failed ? {} : { head: REFRESH }),
    main: content(now),
    footnotes: ['You are taken there as soon as it is ready.', ...(notice === undefined ? [] : [notice])],
    script: `document.documentElement.dataset.elapsed=${Math.round(now.elapsedMs)};${WAITING_SCRIPT}`,
  });
}

function content({ headline, text, note, ratio, elapsedMs, lines }: WakeState): Markup {
  const percent = Math.round(ratio * 100);
  const bar = trusted('role="progressbar" aria-valuemin="0" aria-valuemax="100"');
  return markup`
    <main>
      <h1>${headline}</h1>
      <div ${bar} aria-label="${headline}" aria-valuenow="${percent}">${bugleCall()}</div>
      <div class="row"><p role="status">${text}</p><time>${Math.floor(elapsedMs / 1000)} s</time></div>
      <p class="note">${note}</p>
      <pre tabindex="0" aria-label="Last log lines">${lines.join('\n')}</pre>
      <a class="again" href="">Try again</a>
    </main>`;
}
