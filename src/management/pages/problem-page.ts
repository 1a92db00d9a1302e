import { markup } from '../../lib/markup.ts';
import type { ProblemAnswer } from '../contract.ts';
import { brand, page } from './page.ts';

/** Tells a person what went wrong. */
export function problemPage({ status, title, detail, code, requestId }: ProblemAnswer, nonce: string): string {
  const body = markup`
    <main class="narrow">
      ${brand()}
      <h1>${title}</h1>
      <p>${detail}</p>
      <p class="soft">${status} · ${code} · request ${requestId}</p>
      <p><a class="button" href="/">To the services</a></p>
    </main>`;
  return page({ title: `${title} · Reveille`, nonce, body });
}
