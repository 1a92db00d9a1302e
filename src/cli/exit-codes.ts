/** What the shell is told. */
export const EXIT: Readonly<Record<'ok' | 'failed' | 'usage', number>> = { ok: 0, failed: 1, usage: 2 };
