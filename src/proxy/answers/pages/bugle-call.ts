import { markup, trusted, type Markup } from '../../../lib/markup.ts';

/** A bugle has hardly more than four notes; these are the reveille's, from low (0) to high (3). */
const CALL = '12102121021210211222223212122321';
const STEP = 10;
const WIDTH = CALL.length * STEP;
const LINE = 41;
const path = Array.from(CALL, (pitch, i) => `M${i * STEP + 3} ${31 - Number(pitch) * 9}h4`).join('');

/**
 * The progress bar: the call is written out and lights up as far as the wake has come (`--p`, 0 to 1).
 * Three layers of one path: what is still silent, what has sounded, and the notes that sound now.
 */
export function bugleCall(): Markup {
  return markup`
    <svg viewBox="0 0 ${WIDTH} 42" aria-hidden="true">
      <defs><path id="n" d="${trusted(path)}"/></defs>
      <path class="line" d="M0 ${LINE}H${WIDTH}"/>
      <use href="#n"/>
      <use class="lit" href="#n"/>
      <use class="now" href="#n"/>
    </svg>`;
}
