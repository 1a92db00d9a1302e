import { markup, trusted, type Markup } from '../../lib/markup.ts';
import { PAGE_STYLE } from './page-style.ts';

export interface PageParts {
  readonly title: string;
  readonly nonce: string;
  readonly head?: Markup;
  readonly body: Markup;
  readonly script?: string;
}

const NOTES = 'M2 13h2M7 8h2M12 3h2';
const ICON = `data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16' stroke='%23d9822b' stroke-width='3' stroke-linecap='round'><path d='${NOTES}'/></svg>`;

/** What all pages of the management share. */
export function page({ title, nonce, head, body, script }: PageParts): string {
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width,initial-scale=1">
        <meta name="robots" content="noindex">
        <title>${title}</title>
        <link rel="icon" href="${trusted(ICON)}">
        <style nonce="${nonce}">${trusted(PAGE_STYLE)}</style>
        ${head ?? ''}
      </head>
      <body>
        ${body}
        ${script === undefined ? '' : markup`<script nonce="${nonce}">${trusted(script)}</script>`}
      </body>
    </html>`.text;
}

/** Three rising notes and the name. */
export function brand(): Markup {
  return markup`
    <p class="brand">
      <svg viewBox="0 0 16 16" aria-hidden="true"><path d="${NOTES}"/></svg>
      Reveille
    </p>`;
}
