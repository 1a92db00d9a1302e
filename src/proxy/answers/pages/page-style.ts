/**
 * The look of all pages: the last minutes of a night, by day a clear morning. Light gathers at the foot of the page as `--p` grows.
 * Written small: it is part of every page.
 */
export const PAGE_STYLE = `
@property --p{syntax:"<number>";inherits:true;initial-value:0}
:root{color-scheme:light dark;--sky:#e9eff3;--ink:#16212c;--soft:#52616f;--mute:#c3ced7;--lit:#b9570b;--glow:#ffc98c;--well:#dde6ec;--bad:#b3261e;transition:--p .7s ease-out}
@media (prefers-color-scheme:dark){:root{--sky:#0d151e;--ink:#e8edf1;--soft:#94a3b1;--mute:#2b3a48;--lit:#ffb868;--glow:#a4552a;--well:#14202c;--bad:#ff8a7a}}
*{box-sizing:border-box;margin:0}
body{min-height:100vh;min-height:100svh;display:flex;flex-direction:column;padding:clamp(1.5rem,7vw,5rem);background:var(--sky);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
body:before{content:"";position:fixed;inset:0;z-index:-1;opacity:calc(.12 + .6*var(--p));background:radial-gradient(130% 52% at 50% 104%,var(--glow),transparent)}
main{margin:auto 0;width:100%;max-width:38rem;padding:2rem 0}
h1{font-size:clamp(1.8rem,6.5vw,2.9rem);line-height:1.12;font-weight:600;letter-spacing:-.025em;text-wrap:balance;overflow-wrap:anywhere}
svg{display:block;width:100%;margin:2.2rem 0 1.1rem;overflow:visible;fill:none;stroke:var(--mute);stroke-width:4.5;stroke-linecap:round}
.line{stroke-width:1}
.lit,.now{stroke:var(--lit);--x:calc(var(--p)*100%);mask:linear-gradient(90deg,#000 var(--x),transparent var(--x)) view-box}
.now{mask:linear-gradient(90deg,transparent var(--x),#000 var(--x),#000 calc(var(--x) + 3%),transparent calc(var(--x) + 9%)) view-box;animation:b 1.8s ease-in-out infinite alternate}
@keyframes b{from{opacity:.1}}
.row{display:flex;gap:1.5rem;justify-content:space-between}
.row p{overflow-wrap:anywhere;min-width:0}
time,small,pre{font-variant-numeric:tabular-nums}
time{white-space:nowrap;color:var(--soft)}
.note,small{color:var(--soft)}
.note{overflow-wrap:anywhere;font-size:.9rem;min-height:1.4em}
.advice{margin-top:1.4rem;overflow-wrap:anywhere}
.advice a{color:inherit}
pre{margin-top:1.4rem;padding:.9rem 1.1rem;max-height:38vh;overflow:auto;background:var(--well);border-radius:.4rem;font:.8rem/1.6 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
pre:empty{display:none}
.again{display:inline-block;margin-top:1.6rem;padding:.6rem 1.3rem;border-radius:.4rem;background:var(--ink);color:var(--sky);font-weight:600;text-decoration:none}
:focus-visible{outline:3px solid var(--lit);outline-offset:3px}
small{display:flex;flex-wrap:wrap;gap:.2rem 1.5rem;font-size:.8rem;overflow-wrap:anywhere}
[data-state=failed] :is(.now,time),:root:not([data-state=failed]) .again{display:none}
[data-state=failed] .lit{stroke:var(--bad)}
[data-state=failed] .note{color:var(--bad)}
[data-state=failed] body:before{opacity:.08}
@media (prefers-reduced-motion:reduce){:root{transition:none}.now{animation:none;opacity:.5}}
`.replace(/\n/g, '');
