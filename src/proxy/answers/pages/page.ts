import { markup, trusted, type Markup } from '../../../lib/markup.ts';
import { PAGE_STYLE } from './page-style.ts';

export interface PageParts {
  readonly title: string;
  readonly state: 'progress' | 'failed';
  /** How much of the call is lit, 0 to 1. */
  readonly ratio: number;
  readonly nonce: string;
  readonly requestId: string;
  readonly head?: Markup;
  readonly main: Markup;
  readonly footnotes: readonly string[];
  readonly script: string;
}

/** An icon of our own, so that the browser does not ask a sleeping service for one. */
const ICON =
  "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16' stroke='%23d9822b' stroke-width='3' stroke-linecap='round'><path d='M2 13h2M7 8h2M12 3h2'/></svg>";

/** What all pages share. The styles carry the ratio: a style attribute would be refused by the content security policy. */
export function page({ title, state, ratio, nonce, requestId, head, main, footnotes, script }: PageParts): string {
  return markup`<!doctype html>
    <html lang="en" data-state="${state}">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width,initial-scale=1">
        <title>${title}</title>
        <link rel="icon" href="${trusted(ICON)}">
        <style nonce="${nonce}">${trusted(PAGE_STYLE)}:root{--p:${rounded(ratio)}}</style>
        ${head ?? ''}
      </head>
      <body>
        ${main}
        <small>${[...footnotes, `Request ${requestId}`].map((note) => markup`<span>${note}</span>`)}</small>
        <script nonce="${nonce}">${trusted(script)}</script>
      </body>
    </html>`.text;
}

function rounded(ratio: number): number {
  return Math.round(Math.min(1, Math.max(0, ratio)) * 1000) / 1000;
}
