import { markup } from '../../lib/markup.ts';
import { brand, page } from './page.ts';

export interface LoginPageOptions {
  readonly nonce: string;
  /** A token was given, and it was the wrong one. */
  readonly refused: boolean;
}

const HINT = markup`It is the <code>ADMIN_TOKEN</code> of .env, or stands in the file <code>admin-token</code> of the state folder (<code>.reveille</code>). You stay signed in for 12 hours.`;

/** Asks a person for the admin token. */
export function loginPage({ nonce, refused }: LoginPageOptions): string {
  const body = markup`
    <main class="narrow">
      ${brand()}
      <h1>Who goes there?</h1>
      <form method="post" action="/login" class="login">
        <label for="token">Admin token</label>
        <input id="token" name="token" type="password" required autofocus autocomplete="current-password"
          spellcheck="false" maxlength="1000"${refused ? markup` aria-invalid="true" aria-describedby="refused"` : ''}>
        ${refused ? markup`<p id="refused" class="bad" role="alert">This is not the token.</p>` : ''}
        <button class="main">Sign in</button>
      </form>
      <p class="soft">${HINT}</p>
    </main>`;
  return page({ title: 'Sign in · Reveille', nonce, body });
}
